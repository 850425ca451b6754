//! What closed cycles, and charges that are stored, keep from being changed.

use millrace_domain::reference::{Account, Operator, Subscription};
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::import::{self, ImportError, Imported, Target};

use super::{account, basics, fixture, imported, operator, subscription};

/// `row field: reason` of each refusal.
fn told(outcome: Result<Imported, ImportError>) -> Vec<String> {
    match outcome {
        Err(ImportError::Refused(errors)) => {
            errors.iter().map(|error| format!("{} {}: {}", error.row, error.field, error.reason)).collect()
        }
        other => panic!("expected refusals: {other:?}"),
    }
}

/// Closes the cycle of an account that begins on a day; cycles of the accounts here begin on the 5th, in Casablanca (UTC+1).
async fn close(pool: &MySqlPool, account_id: &str, cycle: u32, starts_on: &str, ends_on: &str) {
    sqlx::query(
        "INSERT INTO closed_cycles (account_no, cycle, starts_at, ends_at, closed_at) \
         SELECT account_no, ?, ? - INTERVAL 1 HOUR, ? - INTERVAL 1 HOUR, UTC_TIMESTAMP(3) FROM accounts WHERE account_id = ?",
    )
    .bind(cycle)
    .bind(starts_on)
    .bind(ends_on)
    .bind(account_id)
    .execute(pool)
    .await
    .unwrap();
}

async fn charge(pool: &MySqlPool, account_id: &str) {
    sqlx::query(
        "INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, zone, \
            account_no, amount, bill_cycle, rating_error) \
         SELECT '2026-06-10', UNHEX(REPLACE(UUID(), '-', '')), '2026-06-10', 1, '212600000001', '', 1, '', 0, '', account_no, 1, \
            202606, '' FROM accounts WHERE account_id = ?",
    )
    .bind(account_id)
    .execute(pool)
    .await
    .unwrap();
}

fn with_day(account: Account, cycle_day: u8) -> Account {
    Account { cycle_day, ..account }
}

#[tokio::test]
async fn an_accounts_cycle_day_stays_once_a_cycle_is_closed_or_a_charge_is_stored() {
    let (_database, pool) = fixture().await;
    basics(&pool).await;
    let moved = [with_day(account("A-1", "Rabat"), 6), with_day(account("A-2", "Fes"), 7)];
    assert_eq!(import::accounts(&pool, &moved).await.unwrap(), imported(0, 2, 0), "nothing was billed");
    let back = [account("A-1", "Rabat"), account("A-2", "Fes")];
    assert_eq!(import::accounts(&pool, &back).await.unwrap(), imported(0, 2, 0));

    close(&pool, "A-1", 202_605, "2026-05-05", "2026-06-05").await;
    charge(&pool, "A-2").await;
    let reasons = [
        "0 cycle_day: must stay 5: its cycle 2026-05 is closed",
        "1 cycle_day: must stay 5: it has charges, which were given their cycle by that day",
    ];
    assert_eq!(told(import::accounts(&pool, &moved).await), reasons);
    millrace_store_mysql::cache::fold(&pool, u64::MAX).await.unwrap();
    assert_eq!(told(import::accounts(&pool, &moved).await), reasons, "also when the charge is in the sums");
    assert_eq!(told(import::accounts(Target::check_only(&pool), &moved).await), reasons);
    let renamed = [account("A-1", "Agadir"), with_day(account("A-9", "Fes"), 28)];
    assert_eq!(import::accounts(&pool, &renamed).await.unwrap(), imported(1, 1, 0));
    assert_eq!(import::accounts(&pool, &renamed).await.unwrap(), imported(0, 0, 2));
}

#[tokio::test]
async fn a_subscription_does_not_change_for_days_of_a_closed_cycle() {
    let (_database, pool) = fixture().await;
    basics(&pool).await;
    import::plans(&pool, &[super::plan("big", "20")]).await.unwrap();
    let row = |from, to, account| subscription("212600000001", from, to, account);
    let stored = [
        row("2026-01-01", Some("2026-06-20"), "A-1"),
        subscription("212600000002", "2026-06-05", None, "A-1"),
        subscription("212600000003", "2026-01-01", None, "A-2"),
    ];
    import::subscriptions(&pool, &stored).await.unwrap();
    close(&pool, "A-1", 202_605, "2026-05-05", "2026-06-05").await;

    let refused = |field: &str| vec![format!("0 {field}: cannot change for days of cycle 2026-05, which is closed")];
    let one = async |changed: Subscription| import::subscriptions(&pool, &[changed]).await;
    assert_eq!(
        told(one(row("2026-01-01", Some("2026-06-04"), "A-1")).await),
        refused("active_to"),
        "out of its last day"
    );
    assert_eq!(told(one(row("2026-01-01", Some("2026-06-20"), "A-2")).await), refused("account_id"));
    let other_plan = Subscription { plan: "big".into(), ..row("2026-01-01", Some("2026-06-20"), "A-1") };
    assert_eq!(told(one(other_plan).await), refused("plan"));
    let to_closed = subscription("212600000003", "2026-01-01", None, "A-1");
    assert_eq!(told(one(to_closed).await), refused("account_id"), "the account that gets it has closed days, too");

    // What touches open days only may change.
    assert_eq!(one(row("2026-01-01", Some("2026-06-05"), "A-1")).await.unwrap(), imported(0, 1, 0));
    assert_eq!(one(row("2026-01-01", None, "A-1")).await.unwrap(), imported(0, 1, 0));
    let later = Subscription { plan: "big".into(), ..subscription("212600000002", "2026-06-05", None, "A-2") };
    assert_eq!(one(later).await.unwrap(), imported(0, 1, 0));
    // A number that had no subscription gets one afterwards; what is there already is no change.
    let new = subscription("212600000004", "2026-05-01", Some("2026-06-01"), "A-1");
    assert_eq!(one(new.clone()).await.unwrap(), imported(1, 0, 0));
    assert_eq!(one(new).await.unwrap(), imported(0, 0, 1));
    let extended = subscription("212600000004", "2026-05-01", Some("2026-06-02"), "A-1");
    assert_eq!(told(one(extended).await), refused("active_to"), "into a closed day");
}

#[tokio::test]
async fn cycles_closed_out_of_order_leave_the_days_between_them_open() {
    let (_database, pool) = fixture().await;
    basics(&pool).await;
    import::subscriptions(&pool, &[subscription("212600000001", "2026-01-01", Some("2026-07-01"), "A-1")])
        .await
        .unwrap();
    close(&pool, "A-1", 202_608, "2026-08-05", "2026-09-05").await;
    let until = |day| [subscription("212600000001", "2026-01-01", Some(day), "A-1")];
    assert_eq!(import::subscriptions(&pool, &until("2026-08-05")).await.unwrap(), imported(0, 1, 0));
    assert_eq!(
        told(import::subscriptions(&pool, &until("2026-08-06")).await),
        ["0 active_to: cannot change for days of cycle 2026-08, which is closed"]
    );
}

#[tokio::test]
async fn the_operators_time_zone_and_currency_stay_once_something_was_charged_or_closed() {
    let (_database, pool) = fixture().await;
    import::operator(&pool, &operator("MAD")).await.unwrap();
    import::accounts(&pool, &[account("A-1", "Rabat")]).await.unwrap();
    let moved = |currency| Operator { timezone: chrono_tz::Europe::Paris, ..operator(currency) };
    assert_eq!(import::operator(&pool, &moved("EUR")).await.unwrap(), imported(0, 1, 0), "nothing depends on them");
    import::operator(&pool, &operator("MAD")).await.unwrap();
    charge(&pool, "A-1").await;
    assert_eq!(
        told(import::operator(&pool, &moved("EUR")).await),
        [
            "0 timezone: must stay Africa/Casablanca: charges are stored",
            "0 currency: must stay MAD: charges are stored"
        ]
    );
    close(&pool, "A-1", 202_605, "2026-05-05", "2026-06-05").await;
    assert_eq!(
        told(import::operator(&pool, &moved("MAD")).await),
        ["0 timezone: must stay Africa/Casablanca: cycles are closed, up to 2026-05"]
    );
    let renamed = Operator { name: "Rif".into(), tax_rate: "0.14".parse().unwrap(), ..operator("MAD") };
    assert_eq!(import::operator(&pool, &renamed).await.unwrap(), imported(0, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_cycle_day_waits_for_the_batches_in_flight() {
    let (_database, pool) = fixture().await;
    basics(&pool).await;
    let mut batch = pool.begin().await.unwrap();
    sqlx::query("SELECT cycle_day FROM cycle_gates LOCK IN SHARE MODE").fetch_all(&mut *batch).await.unwrap();
    let importing = tokio::spawn({
        let pool = pool.clone();
        async move { import::accounts(&pool, &[with_day(account("A-1", "Rabat"), 9)]).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!importing.is_finished());
    charge(&pool, "A-1").await;
    batch.commit().await.unwrap();
    assert_eq!(told(importing.await.unwrap()).len(), 1, "the batch charged the account");
}
