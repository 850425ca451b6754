//! What stands on an invoice.

use millrace_domain::billing::{LineKind, Status};
use millrace_domain::usage::Service::{Data, Sms, Voice};
use millrace_store_mysql::{billing, import};

use crate::support::{Fixture, account};

#[tokio::test]
async fn an_invoice_has_the_fee_the_usage_by_number_service_and_zone_tax_and_the_rounding() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "basic").await;
    fixture
        .store(&[
            ("33600000001", Voice, "2026-03-02T10:00:00Z", 61),
            ("33600000001", Voice, "2026-03-03T10:00:00Z", 30),
            ("33600000001", Sms, "2026-03-03T10:00:00Z", 1),
            ("33600000001", Data, "2026-03-03T10:00:00Z", 10),
        ])
        .await;
    let answer = fixture.run("2026-03").await;
    // Three minutes are 0.9999 and 1.00, a message 0.0049 and 0.00; data have no rate. Rounding: -0.0001 + 0.0049.
    assert_eq!(
        fixture.lines().await,
        [
            "1/1 fee 33600000001 - - - 31 day 31.00",
            "1/2 usage 33600000001 voice national - 91 second 1.00",
            "1/3 usage 33600000001 sms all - 1 message 0.00",
        ]
    );
    assert_eq!(fixture.invoices().await, ["MR2026-00000001 A-1 2026-03 32.00 6.40 38.40 0.0048 issued"]);
    let cycle = &answer.cycles[0];
    assert_eq!((cycle.closed, cycle.invoices, cycle.total.as_str(), answer.finished), (1, 1, "38.40", true));

    let invoice = billing::read(&fixture.pool, "MR2026-00000001").await.unwrap().unwrap();
    assert_eq!(
        (invoice.first_day.to_string(), invoice.end_day.to_string()),
        ("2026-03-01".into(), "2026-04-01".into())
    );
    // Summer time began on 29 March.
    assert_eq!(invoice.starts_at.to_rfc3339(), "2026-02-28T23:00:00+00:00");
    assert_eq!(invoice.ends_at.to_rfc3339(), "2026-03-31T22:00:00+00:00");
    assert_eq!(invoice.issued_at.to_rfc3339(), "2026-05-05T10:00:00.123+00:00");
    assert_eq!((invoice.issued_on.to_string(), invoice.due_on.to_string()), ("2026-05-05".into(), "2026-06-04".into()));
    assert_eq!(invoice.seller.address, ["1, rue de Rivoli", "Bat. B"]);
    assert_eq!((invoice.customer.account_id.as_str(), invoice.customer.address.len()), ("A-1", 2));
    assert_eq!((invoice.lines.len(), invoice.lines[0].kind, invoice.currency.as_str()), (3, LineKind::Fee, "EUR"));
    assert!(billing::read(&fixture.pool, "mr2026-00000001").await.unwrap().is_none());
}

#[tokio::test]
async fn what_an_invoice_says_of_both_parties_stays() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "basic").await;
    fixture.run("2026-03").await;
    let before = billing::read(&fixture.pool, "MR2026-00000001").await.unwrap().unwrap();
    let renamed =
        millrace_domain::reference::Account { name: "New name".into(), city: "Nice".into(), ..account("A-1", 1) };
    import::accounts(&fixture.pool, &[renamed]).await.unwrap();
    let operator = millrace_domain::reference::Operator { name: "New".into(), ..crate::support::operator() };
    import::operator(&fixture.pool, &operator).await.unwrap();
    assert_eq!(billing::read(&fixture.pool, "MR2026-00000001").await.unwrap().unwrap(), before);
    fixture.run("2026-04").await;
    let after = billing::read(&fixture.pool, "MR2026-00000002").await.unwrap().unwrap();
    assert_eq!((after.seller.name.as_str(), after.customer.name.as_str()), ("New", "New name"));
}

#[tokio::test]
async fn fees_are_prorated_and_a_plan_change_is_two_lines() {
    let fixture = Fixture::new().await;
    fixture.plan("large", "62.00").await;
    import::accounts(&fixture.pool, &[account("A-1", 1)]).await.unwrap();
    fixture.subscribe("A-1", "33600000001", "basic", "2025-01-01", Some("2026-03-11")).await;
    fixture.subscribe("A-1", "33600000001", "large", "2026-03-11", Some("2026-03-31")).await;
    fixture.subscribe("A-1", "33600000002", "basic", "2026-03-31", None).await;
    fixture.subscribe("A-1", "33600000003", "basic", "2025-01-01", Some("2026-03-01")).await;
    fixture.subscribe("A-1", "33600000004", "basic", "2026-04-01", None).await;
    fixture.run("2026-03").await;
    assert_eq!(
        fixture.lines().await,
        [
            "1/1 fee 33600000001 - - - 10 day 10.00",
            "1/2 fee 33600000001 - - - 20 day 40.00",
            "1/3 fee 33600000002 - - - 1 day 1.00",
        ]
    );
}

#[tokio::test]
async fn an_exempt_account_pays_no_tax_and_an_account_with_no_line_gets_no_invoice() {
    let fixture = Fixture::new().await;
    let exempt = millrace_domain::reference::Account { tax_exempt: true, ..account("A-1", 1) };
    import::accounts(&fixture.pool, &[exempt, account("A-2", 1), account("A-3", 1)]).await.unwrap();
    fixture.subscribe("A-1", "33600000001", "basic", "2025-01-01", None).await;
    fixture.subscribe("A-3", "33600000003", "basic", "2026-04-01", None).await;
    let answer = fixture.run("2026-03").await;
    assert_eq!(fixture.invoices().await, ["MR2026-00000001 A-1 2026-03 31.00 0.00 31.00 0.0000 issued"]);
    assert_eq!((answer.cycles[0].closed, answer.cycles[0].without_lines), (3, 2));
}

#[tokio::test]
async fn usage_is_billed_to_the_account_that_had_the_number_on_that_day() {
    let fixture = Fixture::new().await;
    import::accounts(&fixture.pool, &[account("A-1", 1), account("A-2", 1)]).await.unwrap();
    fixture.subscribe("A-1", "33600000001", "free", "2025-01-01", Some("2026-03-15")).await;
    fixture.subscribe("A-2", "33600000001", "free", "2026-03-15", None).await;
    // In Paris the second one starts on the 15th.
    fixture
        .store(&[("33600000001", Sms, "2026-03-14T22:59:59Z", 3), ("33600000001", Sms, "2026-03-14T23:00:00Z", 4)])
        .await;
    fixture.run("2026-03").await;
    let lines = fixture.lines().await;
    assert_eq!(
        [&lines[1], &lines[3]],
        ["1/2 usage 33600000001 sms all - 3 message 0.01", "2/2 usage 33600000001 sms all - 4 message 0.02"]
    );
}

#[tokio::test]
async fn an_invoice_of_nothing_is_paid_and_one_that_is_not_paid_in_time_is_overdue() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "free").await;
    fixture.account("A-2", 1, "33600000002", "basic").await;
    fixture.run("2026-03").await;
    let read = async |number: &str| billing::read(&fixture.pool, number).await.unwrap().unwrap().status;
    // The last day to pay is 4 June in Paris.
    let overdue = fixture
        .database
        .texts("SELECT DATE_FORMAT(overdue_at, '%Y-%m-%d %H:%i') FROM invoices WHERE invoice_id = 2")
        .await;
    assert_eq!(overdue, ["2026-06-04 22:00"]);
    fixture.database.run("UPDATE invoices SET overdue_at = UTC_TIMESTAMP(3) + INTERVAL 1 DAY").await;
    assert_eq!((read("MR2026-00000001").await, read("MR2026-00000002").await), (Status::Paid, Status::Issued));
    fixture.database.run("UPDATE invoices SET overdue_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND").await;
    assert_eq!((read("MR2026-00000001").await, read("MR2026-00000002").await), (Status::Paid, Status::Overdue));
}
