//! Cycles that are closed: what was issued stays, and the difference goes on a later invoice.

use super::{adjustments, always, at, deliver, late, price_again, rows};
use crate::support::{Fixture, account};
use millrace_store_mysql::import;

const OCTOBER: &str = "2026-10-10T10:00:00Z";

async fn invoiced(fixture: &Fixture) {
    fixture.database.run("UPDATE closed_cycles SET invoiced = TRUE").await;
}

/// One event of October, which is closed and invoiced.
async fn invoiced_october() -> Fixture {
    let fixture = Fixture::new().await;
    deliver(&fixture, 0, &[at(1, OCTOBER)]).await;
    fixture.close(&[202_610]).await;
    invoiced(&fixture).await;
    fixture
}

async fn move_to_another_account(fixture: &Fixture) {
    import::accounts(&fixture.pool, &[account("A-2")]).await.unwrap();
    fixture
        .database
        .run("UPDATE subscriptions SET account_no = 2; UPDATE reference_version SET version = version + 1")
        .await;
}

#[tokio::test]
async fn the_difference_from_an_invoiced_charge_goes_on_the_next_open_cycles_invoice() {
    let fixture = invoiced_october().await;
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "0.90")]).await;
    let outcome = price_again(&fixture, &always()).await;
    assert_eq!(outcome.services[0].credited.to_string(), "-0.3000");
    assert_eq!(
        rows(&fixture).await,
        ["1 1 202610 0 0.9000 national "],
        "the row says what it costs, its invoice stays"
    );
    assert_eq!(adjustments(&fixture).await, ["1 1/202610/1.2000 1/202610/0.9000 1/202611 202610 -0.3000"]);
    fixture.close(&[202_611]).await;
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "1.50")]).await;
    price_again(&fixture, &always()).await;
    assert_eq!(
        adjustments(&fixture).await[1],
        "1 1/202610/0.9000 1/202610/1.5000 1/202612 202610 0.6000",
        "only what is new, on the cycle that is open now"
    );
    assert!(late(&fixture).await.is_empty());
    assert_eq!(price_again(&fixture, &always()).await.changed, 0);
}

#[tokio::test]
async fn an_invoiced_charge_that_nothing_covers_any_more_is_credited_whole_and_may_come_back() {
    let fixture = invoiced_october().await;
    fixture.import_tariffs(&[("standard", "2025-01-01", Some("2026-01-01"), "1.20")]).await;
    price_again(&fixture, &always()).await;
    assert_eq!(rows(&fixture).await, ["1 1 202610 0 -  no_rate"]);
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "1.80")]).await;
    price_again(&fixture, &always()).await;
    assert_eq!(
        adjustments(&fixture).await,
        ["1 1/202610/1.2000 1/202610/- 1/202611 202610 -1.2000", "1 1/202610/- 1/202610/1.8000 1/202611 202610 1.8000"]
    );
}

#[tokio::test]
async fn a_closed_cycle_whose_invoice_is_still_to_be_written_is_changed_in_place() {
    let fixture = Fixture::new().await;
    deliver(&fixture, 0, &[at(1, OCTOBER)]).await;
    fixture.close(&[202_610]).await;
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "0.90")]).await;
    price_again(&fixture, &always()).await;
    assert_eq!(rows(&fixture).await, ["1 1 202610 0 0.9000 national "]);
    assert_eq!(adjustments(&fixture).await, ["1 1/202610/1.2000 1/202610/0.9000 -/- 202610 -0.3000"]);
}

#[tokio::test]
async fn an_event_that_is_first_rated_after_its_cycle_was_closed_is_late() {
    let fixture = Fixture::new().await;
    fixture.import_tariffs(&[("standard", "2025-01-01", Some("2026-01-01"), "1.20")]).await;
    deliver(&fixture, 0, &[at(1, OCTOBER)]).await;
    fixture.close(&[202_610]).await;
    invoiced(&fixture).await;
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "1.20")]).await;
    price_again(&fixture, &always()).await;
    assert_eq!(rows(&fixture).await, ["1 1 202611 0 1.2000 national "]);
    assert_eq!(late(&fixture).await, ["202611 1 202610"]);
    assert_eq!(adjustments(&fixture).await, ["1 1/-/- 1/202611/1.2000 -/- 202610 1.2000"]);
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "0.60")]).await;
    price_again(&fixture, &always()).await;
    assert_eq!(rows(&fixture).await, ["1 1 202611 0 0.6000 national "], "a late charge stays where it is");
    assert_eq!(late(&fixture).await, ["202611 1 202610"]);
    fixture.import_tariffs(&[("standard", "2025-01-01", Some("2026-01-01"), "1.20")]).await;
    price_again(&fixture, &always()).await;
    assert_eq!((rows(&fixture).await, late(&fixture).await), (vec!["1 1 - 0 -  no_rate".to_owned()], vec![]));
}

#[tokio::test]
async fn a_charge_moves_with_its_subscription_to_another_account_while_it_is_not_invoiced() {
    let fixture = Fixture::new().await;
    fixture.close(&[202_610]).await;
    deliver(&fixture, 0, &[at(1, OCTOBER)]).await;
    assert_eq!(late(&fixture).await, ["202611 1 202610"]);
    move_to_another_account(&fixture).await;
    price_again(&fixture, &always()).await;
    assert_eq!(rows(&fixture).await, ["1 2 202610 0 1.2000 national "], "October is open for the other account");
    assert!(late(&fixture).await.is_empty());
    assert_eq!(adjustments(&fixture).await, ["1 1/202611/1.2000 2/202610/1.2000 -/- 202610 0.0000"]);
}

#[tokio::test]
async fn an_invoiced_charge_of_the_wrong_account_is_credited_to_it_and_charged_to_the_right_one() {
    let fixture = invoiced_october().await;
    move_to_another_account(&fixture).await;
    price_again(&fixture, &always()).await;
    assert_eq!(rows(&fixture).await, ["1 2 202610 0 1.2000 national "]);
    assert_eq!(adjustments(&fixture).await, ["1 1/202610/1.2000 2/202610/1.2000 1/202611 202610 -1.2000"]);
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "0.90")]).await;
    price_again(&fixture, &always()).await;
    assert_eq!(
        adjustments(&fixture).await[1],
        "1 2/202610/1.2000 2/202610/0.9000 -/- 202610 -0.3000",
        "the other account was not invoiced"
    );
}

#[tokio::test]
async fn a_difference_from_a_cancelled_invoice_is_not_billed() {
    let fixture = invoiced_october().await;
    let invoice = |number: u8, cancels: &str| {
        format!(
            "INSERT INTO invoices (invoice_id, invoice_number, account_no, cycle, first_day, end_day, cycle_start, cycle_end, timezone, \
             issued_at, issued_on, due_on, overdue_at, net, tax, total, rounding, currency, tax_rate, tax_exempt, seller_name, \
             seller_address, seller_postcode, seller_city, seller_country, seller_tax_id, customer_name, customer_address, \
             customer_postcode, customer_city, customer_country, customer_tax_id, cancels) VALUES \
             ({number}, 'MR2026-0000000{number}', 1, 202610, '2026-10-01', '2026-11-01', '2026-09-30 23:00:00', \
             '2026-10-31 23:00:00', 'Africa/Casablanca', UTC_TIMESTAMP(3), '2026-11-03', '2026-12-03', '2026-12-03 23:00:00', 1.2, \
             0.24, 1.44, 0, 'MAD', 0.2, FALSE, '', '', '', '', '', '', '', '', '', '', '', '', {cancels})"
        )
    };
    fixture.database.run(&invoice(1, "NULL")).await;
    fixture.database.run(&invoice(2, "1")).await;
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "0.90")]).await;
    let outcome = price_again(&fixture, &always()).await;
    assert_eq!((outcome.changed, outcome.services[0].credited.to_string()), (1, "0.0000".to_owned()));
    assert_eq!(rows(&fixture).await, ["1 1 202610 0 0.9000 national "]);
    assert_eq!(adjustments(&fixture).await, ["1 1/202610/1.2000 1/202610/0.9000 -/- 202610 0.0000"]);
}
