//! The SQL by which analysts see that every charge is billed once, at every stage of an operator's months.

use millrace_domain::usage::Service::{Data, Sms, Voice};

use crate::support::Fixture;

#[tokio::test]
async fn every_charge_is_billed_or_open_whatever_came_late_was_corrected_or_cancelled() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "basic").await;
    fixture.account("A-2", 15, "33600000002", "free").await;
    fixture.assert_adds_up("0.0000").await;
    fixture
        .store(&[
            ("33600000001", Voice, "2026-01-10T10:00:00Z", 60),
            ("33600000001", Data, "2026-01-10T10:00:00Z", 1),
            ("33600000002", Sms, "2026-01-20T10:00:00Z", 3),
            ("33600000009", Voice, "2026-01-10T10:00:00Z", 60),
        ])
        .await;
    let unrated = "SELECT rating_error FROM bi_usage_events WHERE amount IS NULL ORDER BY rating_error";
    assert_eq!(fixture.database.texts(unrated).await, ["no_rate", "no_subscription"]);
    // 0.3333 + 0.0147.
    fixture.assert_adds_up("0.3480").await;
    // Invoices 1 and 2.
    fixture.run("2026-01").await;
    fixture.assert_adds_up("0.3480").await;

    // Late: 0.6666 of A-1 and 0.3333 of A-2. In time: 0.0490 of February.
    fixture
        .store(&[
            ("33600000001", Voice, "2026-01-11T10:00:00Z", 61),
            ("33600000001", Sms, "2026-02-01T10:00:00Z", 10),
            ("33600000002", Voice, "2026-01-16T10:00:00Z", 60),
        ])
        .await;
    fixture.assert_adds_up("1.3969").await;
    // Minutes cost 0.1000, on the invoice, late and open; the data event is first rated, late, with 0.5000.
    fixture.tariff("0.1000", true).await;
    fixture.rerate().await;
    fixture.assert_adds_up("0.9637").await;
    // Invoices 3 and 4.
    fixture.run("2026-02").await;
    let kinds = "SELECT DISTINCT kind FROM bi_invoice_lines ORDER BY kind";
    assert_eq!(fixture.database.texts(kinds).await, ["credit", "fee", "late_usage", "usage"]);
    fixture.assert_adds_up("0.9637").await;

    fixture.store(&[("33600000001", Voice, "2026-03-10T10:00:00Z", 60)]).await;
    fixture.tariff("0.2000", true).await;
    fixture.rerate().await;
    // Minutes: 0.2000 + 0.4000 + 0.2000 + 0.2000; the rest: 0.0147 + 0.0490 + 0.5000.
    fixture.assert_adds_up("1.5637").await;
    // Of A-1's January, corrected on invoice 3 and once more since. The credit note is number 5.
    fixture.credit("MR2026-00000001").await;
    fixture.assert_adds_up("1.3637").await;
    // Invoices 6 and 7.
    fixture.run("2026-03").await;
    fixture.assert_adds_up("1.3637").await;
    // Of A-2's February, with a late minute that was corrected on invoice 7. Number 8.
    fixture.credit("MR2026-00000004").await;
    fixture.assert_adds_up("1.1637").await;
    // Of A-1's March, with its minute and the corrections of January and February. Number 9.
    fixture.credit("MR2026-00000006").await;
    fixture.assert_adds_up("0.9637").await;

    fixture.tariff("0.3000", true).await;
    fixture.rerate().await;
    // Of the minutes only the two late ones of A-1 stand: 0.6000.
    fixture.assert_adds_up("1.1637").await;
    fixture.run("2026-04").await;
    fixture.assert_adds_up("1.1637").await;
    // Nothing covers the data event any more.
    fixture.tariff("0.3000", false).await;
    fixture.rerate().await;
    fixture.assert_adds_up("0.6637").await;
    let cancelled = "SELECT CAST(COUNT(*) AS CHAR) FROM bi_invoices WHERE status = 'cancelled'";
    assert_eq!(fixture.database.texts(cancelled).await, ["3"]);
}
