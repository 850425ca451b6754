//! Credits by re-rating, and credit notes.

use millrace_domain::usage::Service::{Sms, Voice};
use millrace_store_mysql::billing;

use crate::support::Fixture;

/// An account whose minutes of March were billed at 0.3333, and two calls in it.
async fn billed_march() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "free").await;
    fixture
        .store(&[
            ("33600000001", Voice, "2026-03-10T10:00:00Z", 60),
            ("33600000001", Voice, "2026-03-11T10:00:00Z", 60),
        ])
        .await;
    fixture.run("2026-03").await;
    fixture
}

#[tokio::test]
async fn a_correction_of_a_closed_cycle_is_a_credit_on_the_next_invoice_which_may_be_negative() {
    let fixture = billed_march().await;
    let march = fixture.invoices().await;
    fixture.tariff("0.1000", false).await;
    fixture.rerate().await;
    fixture.run("2026-04").await;
    // Two minutes: 0.2000 - 0.6666 = -0.4666, rounded to -0.47; tax -0.094, rounded to -0.09.
    assert_eq!(
        fixture.lines().await[2..],
        ["2/1 fee 33600000001 - - - 30 day 0.00", "2/2 credit 33600000001 voice - 2026-03 -1 item -0.47"]
    );
    assert_eq!(
        fixture.invoices().await,
        [march[0].clone(), "MR2026-00000002 A-1 2026-04 -0.47 -0.09 -0.56 0.0034 issued".into()],
        "the invoice that was issued stays"
    );
    let note = billing::read(&fixture.pool, "MR2026-00000002").await.unwrap().unwrap();
    assert!(note.is_credit_note() && note.cancels.is_none());
}

#[tokio::test]
async fn corrections_that_come_to_nothing_have_no_line() {
    let fixture = billed_march().await;
    fixture.tariff("0.1000", false).await;
    fixture.rerate().await;
    fixture.tariff("0.3333", false).await;
    fixture.rerate().await;
    fixture.run("2026-04").await;
    assert_eq!(fixture.lines().await[2..], ["2/1 fee 33600000001 - - - 30 day 0.00"]);
}

#[tokio::test]
async fn a_correction_of_an_open_cycle_only_changes_its_charges() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "free").await;
    fixture.store(&[("33600000001", Voice, "2026-03-10T10:00:00Z", 60)]).await;
    fixture.tariff("0.5000", false).await;
    fixture.rerate().await;
    fixture.run("2026-03").await;
    fixture.run("2026-04").await;
    assert_eq!(
        fixture.lines().await,
        [
            "1/1 fee 33600000001 - - - 31 day 0.00",
            "1/2 usage 33600000001 voice national - 60 second 0.50",
            "2/1 fee 33600000001 - - - 30 day 0.00",
        ]
    );
}

#[tokio::test]
async fn a_credit_note_takes_an_invoice_back_and_its_charges_are_not_billed_again() {
    let fixture = billed_march().await;
    // A correction that no invoice carries yet is not billed either.
    fixture.tariff("0.1000", false).await;
    fixture.rerate().await;
    let note = fixture.credit("MR2026-00000001").await;
    assert_eq!((note.number.as_str(), note.reason.as_str()), ("MR2026-00000002", "wrong plan"));
    // One that comes afterwards neither.
    fixture.tariff("0.9000", false).await;
    fixture.rerate().await;
    fixture.store(&[("33600000001", Sms, "2026-04-10T10:00:00Z", 1)]).await;
    fixture.run("2026-03").await;
    fixture.run("2026-04").await;
    assert_eq!(
        fixture.invoices().await,
        [
            "MR2026-00000001 A-1 2026-03 0.67 0.13 0.80 -0.0034 cancelled",
            "MR2026-00000002 A-1 2026-03 -0.67 -0.13 -0.80 0.0034 issued",
            "MR2026-00000003 A-1 2026-04 0.00 0.00 0.00 0.0049 paid",
        ]
    );
    assert_eq!(
        fixture.lines().await[2..],
        [
            "2/1 fee 33600000001 - - - -31 day 0.00",
            "2/2 usage 33600000001 voice national - -120 second -0.67",
            "3/1 fee 33600000001 - - - 30 day 0.00",
            "3/2 usage 33600000001 sms all - 1 message 0.00",
        ]
    );
    let read = billing::read(&fixture.pool, "MR2026-00000002").await.unwrap().unwrap();
    assert_eq!(read, note);
    let cancelled = billing::read(&fixture.pool, "MR2026-00000001").await.unwrap().unwrap();
    assert_eq!(cancelled.cancelled_by.as_deref(), Some("MR2026-00000002"));
}

#[tokio::test]
async fn revenue_by_cycle_is_the_sum_of_what_was_issued_credit_notes_too_and_what_is_open() {
    let fixture = billed_march().await;
    // March's correction of -0.4666 waits for April, where a message of 0.0049 is open.
    fixture.tariff("0.1000", false).await;
    fixture.rerate().await;
    fixture.store(&[("33600000001", Sms, "2026-04-10T10:00:00Z", 1)]).await;
    let revenue = async || {
        fixture.fold().await;
        let view = "SELECT CONCAT_WS(' ', cycle, invoices, net, tax, total, open_charges) FROM bi_revenue_by_cycle ORDER BY cycle";
        fixture.database.texts(view).await
    };
    assert_eq!(revenue().await, ["2026-03 1 0.6700 0.1300 0.8000 0.0000", "2026-04 0 0.0000 0.0000 0.0000 -0.4617"]);
    fixture.credit("MR2026-00000001").await;
    assert_eq!(
        revenue().await,
        ["2026-03 2 0.0000 0.0000 0.0000 0.0000", "2026-04 0 0.0000 0.0000 0.0000 0.0049"],
        "neither the charges nor their correction are open again"
    );
    fixture.run("2026-04").await;
    let issued = "SELECT CONCAT_WS(' ', cycle, COUNT(*), SUM(net), SUM(tax), SUM(total), '0.0000') FROM bi_invoices GROUP BY cycle ORDER BY cycle";
    assert_eq!(revenue().await, fixture.database.texts(issued).await);
}

#[tokio::test]
async fn a_credit_note_is_refused_where_there_is_nothing_to_cancel() {
    let fixture = billed_march().await;
    fixture.credit("MR2026-00000001").await;
    let before = fixture.tables().await;
    let refused = async |number: &str| fixture.try_credit(number).await.unwrap_err().to_string();
    assert_eq!(refused("MR2026-00000001").await, "MR2026-00000001 is cancelled already, by MR2026-00000002");
    assert_eq!(refused("MR2026-00000002").await, "MR2026-00000002 is a credit note: it cancels MR2026-00000001");
    assert_eq!(refused("MR2026-00000009").await, "there is no invoice MR2026-00000009");
    assert_eq!(fixture.tables().await, before, "no number is lost");
}
