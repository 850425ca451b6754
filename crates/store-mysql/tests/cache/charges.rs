//! Charges by cycle: events and what re-rating changed of them, whatever the order in which they are folded.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use millrace_store_mysql::cache::{self, Feed};
use millrace_store_mysql::pool;
use millrace_test_support::mysql::TestDatabase;
use rust_decimal::Decimal;
use sqlx::{MySqlPool, Row};
use uuid::Uuid;

use super::{database, fold_all, noon};

/// A charge on the invoice of a cycle and an account.
type Billed = Option<(Decimal, (u32, u32))>;

/// An event as its row says it.
#[derive(Clone)]
struct Event {
    started_at: DateTime<Utc>,
    event_id: Uuid,
    amount: Option<Decimal>,
    invoice: Option<(u32, u32)>,
    invoiced: bool,
}

/// A database, and what its sums are to be.
struct World {
    database: TestDatabase,
    pool: MySqlPool,
    events: Vec<Event>,
    cycles: BTreeMap<(u32, u32), Decimal>,
}

fn money(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

impl World {
    async fn new() -> Self {
        let (database, pool) = database().await;
        Self { database, pool, events: Vec::new(), cycles: BTreeMap::new() }
    }

    fn bill(&mut self, billed: Billed, sign: i64) {
        if let Some((amount, key)) = billed {
            *self.cycles.entry(key).or_default() += amount * Decimal::from(sign);
        }
    }

    /// Stores an event; `None` is unrated.
    async fn store(&mut self, minutes: i64, billed: Billed) -> usize {
        let event = Event {
            started_at: noon() + TimeDelta::minutes(minutes),
            event_id: Uuid::new_v4(),
            amount: billed.map(|(amount, _)| amount),
            invoice: billed.map(|(_, invoice)| invoice),
            invoiced: false,
        };
        sqlx::query(
            "INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, \
                zone, account_no, amount, bill_cycle, rating_error) VALUES (?, ?, ?, 1, '467', '', 1, 'C', 0, '', ?, ?, ?, '')",
        )
        .bind(event.started_at)
        .bind(event.event_id.as_bytes().as_slice())
        .bind(event.started_at.date_naive())
        .bind(event.invoice.map(|(_, account_no)| account_no))
        .bind(event.amount)
        .bind(event.invoice.map(|(cycle, _)| cycle))
        .execute(&self.pool)
        .await
        .unwrap();
        self.bill(billed, 1);
        self.events.push(event);
        self.events.len() - 1
    }

    /// Re-rates an event. What was invoiced stays there: its difference goes to `credit_cycle` of its account, and a charge of
    /// another account is that one's.
    async fn rerate(&mut self, n: usize, amount: Option<Decimal>, invoice: Option<(u32, u32)>, credit_cycle: u32) {
        let old = self.events[n].clone();
        let mut new = Event { amount, invoice, invoiced: false, ..old.clone() };
        let mut credit = None;
        if let Some((cycle, account_no)) = old.invoice.filter(|_| old.invoiced) {
            let stays = invoice.is_none_or(|(_, new_account)| new_account == account_no);
            if stays {
                (new.invoice, new.invoiced) = (Some((cycle, account_no)), true);
            }
            let now = amount.filter(|_| stays).unwrap_or_default();
            let difference = now - old.amount.unwrap_or_default();
            credit = (!difference.is_zero()).then_some((difference, (credit_cycle, account_no)));
            self.bill(credit, 1);
            if !stays {
                self.bill(new.amount.zip(new.invoice), 1);
            }
        } else {
            self.bill(old.amount.zip(old.invoice), -1);
            self.bill(new.amount.zip(new.invoice), 1);
        }
        let mut transaction = self.pool.begin().await.unwrap();
        sqlx::query(
            "UPDATE usage_events SET account_no = ?, amount = ?, bill_cycle = ? WHERE started_at = ? AND event_id = ?",
        )
        .bind(new.invoice.map(|(_, account_no)| account_no))
        .bind(new.amount)
        .bind(new.invoice.map(|(cycle, _)| cycle))
        .bind(new.started_at)
        .bind(new.event_id.as_bytes().as_slice())
        .execute(&mut *transaction)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, old_account_no, \
                old_bill_cycle, old_amount, new_account_no, new_bill_cycle, new_amount, credit_account_no, credit_cycle, difference) \
             VALUES (1, ?, ?, 1, '467', 'C', 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.started_at)
        .bind(new.event_id.as_bytes().as_slice())
        .bind(old.invoice.map(|(_, account_no)| account_no))
        .bind(old.invoice.map(|(cycle, _)| cycle))
        .bind(old.amount)
        .bind(new.invoice.map(|(_, account_no)| account_no))
        .bind(new.invoice.map(|(cycle, _)| cycle))
        .bind(new.amount)
        .bind(credit.map(|(_, (_, account_no))| account_no))
        .bind(credit.map(|(_, (cycle, _))| cycle))
        .bind(credit.map_or(Decimal::ZERO, |(difference, _)| difference))
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        self.events[n] = new;
    }

    /// Closes a cycle of an account and invoices it.
    async fn invoice(&mut self, cycle: u32, account_no: u32) {
        sqlx::query("REPLACE INTO closed_cycles (account_no, cycle, starts_at, ends_at, closed_at, invoiced) VALUES (?, ?, ?, ?, ?, TRUE)")
            .bind(account_no)
            .bind(cycle)
            .bind(noon())
            .bind(noon())
            .bind(noon())
            .execute(&self.pool)
            .await
            .unwrap();
        for event in self.events.iter_mut().filter(|event| event.invoice == Some((cycle, account_no))) {
            event.invoiced = true;
        }
    }

    async fn sums(&self) -> BTreeMap<(u32, u32), Decimal> {
        let rows = sqlx::query("SELECT cycle, account_no, amount FROM charges_by_cycle").fetch_all(&self.pool).await;
        rows.unwrap().iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect()
    }

    /// Folds all, and compares with what the sums are to be.
    async fn check(&self) {
        fold_all(&self.pool).await;
        let nonzero = |sums: &BTreeMap<(u32, u32), Decimal>| -> BTreeMap<(u32, u32), Decimal> {
            sums.iter()
                .filter(|(_, amount)| !amount.is_zero())
                .map(|(key, amount)| (*key, amount.normalize()))
                .collect()
        };
        assert_eq!(nonzero(&self.sums().await), nonzero(&self.cycles));
        let hours = "SELECT CONCAT_WS(' ', hour, events, usage_total, amount, unrated) FROM usage_hourly ORDER BY hour";
        let events = "SELECT CONCAT_WS(' ', DATE_FORMAT(started_at, '%Y-%m-%d %H:00:00.000'), COUNT(*), SUM(usage_amount), \
             CAST(COALESCE(SUM(amount), 0) AS DECIMAL(18, 4)), SUM(amount IS NULL)) FROM usage_events \
             GROUP BY DATE_FORMAT(started_at, '%Y-%m-%d %H:00:00.000') ORDER BY 1";
        assert_eq!(self.database.texts(hours).await, self.database.texts(events).await);
        let calls = "SELECT CONCAT_WS(' ', cycle, account_no, SUM(seconds), SUM(calls), SUM(charge)) FROM customer_usage \
             GROUP BY cycle, account_no HAVING SUM(calls) <> 0 ORDER BY cycle, account_no";
        let rows = "SELECT CONCAT_WS(' ', bill_cycle, account_no, SUM(usage_amount), COUNT(*), SUM(amount)) FROM usage_events \
             WHERE amount IS NOT NULL AND bill_cycle IS NOT NULL GROUP BY bill_cycle, account_no ORDER BY bill_cycle, account_no";
        assert_eq!(self.database.texts(calls).await, self.database.texts(rows).await);
        let open = "SELECT CONCAT_WS(' ', cycle, open_charges) FROM bi_revenue_by_cycle WHERE open_charges <> 0 ORDER BY cycle";
        let mut expected: BTreeMap<u32, Decimal> = BTreeMap::new();
        let closed = sqlx::query("SELECT cycle, account_no FROM closed_cycles").fetch_all(&self.pool).await.unwrap();
        let closed: Vec<(u32, u32)> = closed.iter().map(|row| (row.get(0), row.get(1))).collect();
        for (key, amount) in self.cycles.iter().filter(|(key, _)| !closed.contains(key)) {
            *expected.entry(key.0).or_default() += amount;
        }
        let expected: Vec<String> = expected
            .into_iter()
            .filter(|(_, amount)| !amount.is_zero())
            .map(|(cycle, amount)| format!("{}-{:02} {amount:.4}", cycle / 100, cycle % 100))
            .collect();
        assert_eq!(self.database.texts(open).await, expected);
    }
}

const NOVEMBER: u32 = 202_611;
const DECEMBER: u32 = 202_612;

#[tokio::test]
async fn an_event_is_summed_in_the_cycle_that_bills_it_and_an_unrated_one_in_none() {
    let mut world = World::new().await;
    world.store(0, Some((money(150), (NOVEMBER, 1)))).await;
    world.store(1, Some((money(25), (NOVEMBER, 1)))).await;
    world.store(2, Some((money(10), (DECEMBER, 1)))).await;
    world.store(3, Some((money(5), (NOVEMBER, 2)))).await;
    world.store(4, None).await;
    world.check().await;
    let sums = world.sums().await;
    assert_eq!(sums[&(NOVEMBER, 1)], money(175));
    assert_eq!(sums.len(), 3);
    world.check().await;
}

#[tokio::test]
async fn a_charge_that_is_re_rated_before_its_event_is_folded_counts_once() {
    let mut world = World::new().await;
    let open = world.store(0, Some((money(100), (NOVEMBER, 1)))).await;
    let billed = world.store(1, Some((money(200), (NOVEMBER, 2)))).await;
    let unrated = world.store(2, None).await;
    world.invoice(NOVEMBER, 2).await;
    world.rerate(open, Some(money(40)), Some((NOVEMBER, 1)), 0).await;
    world.rerate(billed, Some(money(150)), Some((NOVEMBER, 2)), DECEMBER).await;
    world.rerate(unrated, Some(money(7)), Some((NOVEMBER, 3)), 0).await;
    world.check().await;
    assert_eq!(world.sums().await[&(NOVEMBER, 1)], money(40));
    assert_eq!(world.sums().await[&(NOVEMBER, 2)], money(200), "as it was invoiced");
    assert_eq!(world.sums().await[&(DECEMBER, 2)], money(-50));
}

#[tokio::test]
async fn a_charge_that_is_re_rated_after_its_event_was_folded_changes_the_sums() {
    let mut world = World::new().await;
    let event = world.store(0, Some((money(100), (NOVEMBER, 1)))).await;
    let unrated = world.store(90, None).await;
    world.check().await;
    let before = fold_all(&world.pool).await;
    world.rerate(event, Some(money(130)), Some((NOVEMBER, 1)), 0).await;
    world.rerate(unrated, Some(money(1)), Some((NOVEMBER, 1)), 0).await;
    world.check().await;
    let after = fold_all(&world.pool).await;
    assert_eq!(after.version, before.version + 1);
    assert_eq!(cache::changed_hours(&world.pool, before.version, after.version).await.unwrap().len(), 2);
    world.invoice(NOVEMBER, 1).await;
    world.rerate(event, Some(money(90)), Some((NOVEMBER, 1)), DECEMBER).await;
    world.check().await;
    world.rerate(event, Some(money(60)), Some((NOVEMBER, 2)), DECEMBER).await;
    world.check().await;
    world.rerate(unrated, None, None, DECEMBER).await;
    world.check().await;
}

/// Random whole numbers from a seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[tokio::test]
async fn any_order_of_events_re_rating_billing_and_folds_gives_the_same_sums() {
    for seed in 1..=6 {
        let mut draws = Draws(seed);
        let mut world = World::new().await;
        let mut next_cycle = BTreeMap::from([(1, NOVEMBER), (2, NOVEMBER), (3, NOVEMBER)]);
        for _ in 0..150 {
            let account_no = 1 + draws.below(3) as u32;
            let cycle = next_cycle[&account_no];
            let amount = (draws.below(5) > 0).then(|| money(draws.below(500) as i64));
            match draws.below(20) {
                0..9 => {
                    let billed = amount.map(|amount| (amount, (cycle, account_no)));
                    world.store(draws.below(300) as i64, billed).await;
                }
                9..16 if !world.events.is_empty() => {
                    let n = draws.below(world.events.len() as u64) as usize;
                    let credit = world.events[n].invoice.map_or(0, |(_, account_no)| next_cycle[&account_no]);
                    world.rerate(n, amount, amount.map(|_| (cycle, account_no)), credit).await;
                }
                16 if cycle < 202_620 => {
                    world.invoice(cycle, account_no).await;
                    next_cycle.insert(account_no, cycle + 1);
                }
                _ => {
                    // A fold that does not reach the last event, and one that is given up at some point.
                    let reach = cache::reach(&world.pool, Feed::UsageEvents).await.unwrap().seq;
                    let part = draws.below(reach + 1);
                    cache::fold(&world.pool, part).await.unwrap();
                    // As of a function that is killed, its connections end with it.
                    let pool = pool::with(world.database.options());
                    drop(pool.acquire().await.unwrap());
                    let fold = tokio::spawn(async move { cache::fold(&pool, reach).await });
                    tokio::time::sleep(std::time::Duration::from_micros(draws.below(6000))).await;
                    fold.abort();
                    let _ended = fold.await;
                }
            }
        }
        world.check().await;
    }
}
