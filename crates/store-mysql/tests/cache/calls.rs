//! Customers' calls by billing cycle and part of the day.

use chrono::{DateTime, Utc};
use millrace_domain::customers::PeriodUsage;
use millrace_store_mysql::cache;
use millrace_test_support::mysql::TestDatabase;
use sqlx::MySqlPool;
use uuid::Uuid;

use super::{database, fold_all};

const NOVEMBER: u32 = 202_611;

/// An operator of Casablanca, an hour ahead of UTC, and two accounts: one of a customer, one that names none.
const OPERATOR: &str = "
    INSERT INTO operator (id, name, address, currency, timezone, tax_rate, invoice_prefix, payment_days, close_after_hours)
    VALUES (1, 'Atlas', '', 'MAD', 'Africa/Casablanca', 0, 'MR', 30, 48);
    INSERT INTO accounts (account_no, account_id, name, segment, city, cycle_day, tax_exempt, customer_id)
    VALUES (1, 'A-1', '', '', '', 15, FALSE, 'C-1'), (2, 'A-2', '', '', '', 1, FALSE, '')";

async fn world() -> (TestDatabase, MySqlPool) {
    let (database, pool) = database().await;
    database.run(OPERATOR).await;
    (database, pool)
}

/// Stores an event of 90 units that costs a quarter. `service` is 1 for voice.
async fn event(pool: &MySqlPool, started_at: &str, account_no: u32, service: u8, destination: &str, roaming: bool) {
    let started_at: DateTime<Utc> = started_at.parse().unwrap();
    sqlx::query(
        "INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, zone, \
            account_no, amount, bill_cycle, rating_error) VALUES (?, ?, ?, ?, '212600000001', ?, 90, 'C', ?, '', ?, 0.25, ?, '')",
    )
    .bind(started_at)
    .bind(Uuid::new_v4().as_bytes().as_slice())
    .bind(started_at.date_naive())
    .bind(service)
    .bind(destination)
    .bind(roaming)
    .bind(account_no)
    .bind(NOVEMBER)
    .execute(pool)
    .await
    .unwrap();
}

fn calls(calls: u32) -> PeriodUsage {
    PeriodUsage { minutes: 1.5 * f64::from(calls), calls, charge: 0.25 * f64::from(calls) }
}

#[tokio::test]
async fn calls_are_summed_by_the_part_of_the_day_on_the_operators_clock() {
    let (_database, pool) = world().await;
    let home = "212600000002";
    for (at, destination, roaming) in [
        ("2026-11-20T07:00:00Z", home, false),            // 8:00 in Casablanca
        ("2026-11-20T15:59:59Z", "+212600000002", false), // 16:59:59
        ("2026-11-20T16:00:00Z", home, false),
        ("2026-11-20T22:00:00Z", home, false),
        ("2026-11-20T03:00:00Z", home, false),
        ("2026-11-20T06:59:59Z", home, false),
        ("2026-11-20T12:00:00Z", "33612345678", false),
        ("2026-11-20T12:00:00Z", home, true),
    ] {
        event(&pool, at, 1, 1, destination, roaming).await;
    }
    event(&pool, "2026-11-20T12:00:00Z", 1, 2, home, false).await;
    event(&pool, "2026-11-20T12:00:00Z", 2, 1, home, false).await;
    let folded = fold_all(&pool).await;

    let mut usage = cache::changed_calls(&pool, 0, folded.version).await.unwrap();
    usage.sort_by(|a, b| a.account_id.cmp(&b.account_id));
    let [of_customer, of_account] = &usage[..] else { panic!("{usage:?}") };
    assert_eq!((of_customer.customer_id.as_str(), of_account.customer_id.as_str()), ("C-1", "A-2"));
    assert_eq!(
        (of_customer.day, of_customer.eve, of_customer.night, of_customer.intl),
        (calls(2), calls(1), calls(3), calls(2)),
        "the message counts nowhere"
    );
    assert_eq!((of_account.day, of_account.intl), (calls(1), calls(0)));
    assert_eq!(of_customer.cycle.to_string(), "2026-11");
    let span = [of_customer.starts_at, of_customer.ends_at].map(|at| at.to_rfc3339());
    assert_eq!(span, ["2026-11-14T23:00:00+00:00", "2026-12-14T23:00:00+00:00"], "by the account's cycle day");
}

#[tokio::test]
async fn only_the_accounts_whose_calls_changed_are_read_again() {
    let (_database, pool) = world().await;
    for account_no in [1, 2] {
        event(&pool, "2026-11-20T12:00:00Z", account_no, 1, "212600000002", false).await;
    }
    let first = fold_all(&pool).await;
    event(&pool, "2026-11-02T20:00:00Z", 2, 1, "212600000002", false).await;
    let second = fold_all(&pool).await;
    let usage = cache::changed_calls(&pool, first.version, second.version).await.unwrap();
    assert_eq!(usage.len(), 1);
    assert_eq!((usage[0].day, usage[0].eve), (calls(1), calls(1)), "what did not change is there too");
    assert_eq!(cache::calls_page_end(&pool, 0, 1, second.version).await.unwrap(), first.version);
    assert_eq!(cache::calls_page_end(&pool, 0, 100, second.version).await.unwrap(), second.version);
}

#[tokio::test]
async fn events_that_were_folded_before_calls_were_kept_are_caught_up_with() {
    let (database, pool) = world().await;
    for n in 0..5 {
        event(&pool, &format!("2026-11-20T12:00:0{n}Z"), 1, 1, "212600000002", false).await;
    }
    let before = fold_all(&pool).await;
    database.run("DELETE FROM customer_usage; DELETE FROM cache_watermarks WHERE topic = 'customer-usage'").await;
    event(&pool, "2026-11-20T13:00:00Z", 1, 1, "212600000002", false).await;
    let after = fold_all(&pool).await;
    let usage = cache::changed_calls(&pool, before.version, after.version).await.unwrap();
    assert_eq!((usage.len(), usage[0].day), (1, calls(6)));
    let hours = cache::changed_hours(&pool, 0, after.version).await.unwrap();
    assert_eq!(hours.iter().map(|hour| hour.events).sum::<u64>(), 6, "the hourly sums took each event once");
}
