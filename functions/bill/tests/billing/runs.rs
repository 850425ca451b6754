//! Runs that come at once, twice, late, or to a bad end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bill::{Answer, Bill, Request};
use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::usage::Service::Sms;
use millrace_store_mysql::billing::{self, BillingError};
use millrace_store_mysql::{import, leases, pool};
use millrace_test_support::kill;

use crate::support::{Fixture, account, cycle, may, operator, store};

/// Accounts with one number each, whose ids are in another order than their rows.
async fn accounts(fixture: &Fixture, count: usize) {
    for n in (0..count).rev() {
        fixture.account(&format!("A-{n:04}"), 1, &format!("3360000{n:04}"), "basic").await;
    }
}

/// The numbers that were issued, which must be without gaps from 1 on.
async fn assert_gapless(fixture: &Fixture, count: usize) {
    let numbers = fixture.database.texts("SELECT invoice_number FROM bi_invoices ORDER BY invoice_number").await;
    let expected: Vec<String> = (1..=count).map(|n| format!("MR2026-{n:08}")).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let fixture = Fixture::new().await;
    accounts(&fixture, 3).await;
    fixture.run("2026-03").await;
    let before = fixture.tables().await;
    let again = fixture.run("2026-03").await;
    assert_eq!((again.cycles[0].closed, again.cycles[0].invoices, again.finished), (0, 0, true));
    assert_eq!(fixture.tables().await, before);
}

#[tokio::test]
async fn numbers_follow_the_account_ids_byte_by_byte_and_the_year_is_the_operators() {
    fn new_year() -> DateTime<Utc> {
        "2026-12-31T23:00:00Z".parse().unwrap()
    }
    fn old_year() -> DateTime<Utc> {
        "2026-12-31T22:59:59.999Z".parse().unwrap()
    }
    let fixture = Fixture::new().await;
    for (n, account_id) in ["b", "É", "a", "B", "10", "9"].iter().enumerate() {
        fixture.account(account_id, 1, &format!("3360000000{n}"), "basic").await;
    }
    let run = async |name: &str, clock: fn() -> DateTime<Utc>| {
        let request = Request::Cycle { cycle: cycle(name), as_of: None };
        fixture.bill(clock).run(&request, Instant::now() + Duration::from_secs(60)).await.unwrap()
    };
    run("2026-03", old_year).await;
    run("2026-04", new_year).await;
    let found =
        fixture.database.texts("SELECT CONCAT_WS(' ', invoice_number, account_id) FROM bi_invoices ORDER BY 1").await;
    let ids = ["10", "9", "B", "a", "b", "É"];
    let expected = |year| ids.iter().zip(1..).map(move |(id, n)| format!("MR{year}-{n:08} {id}"));
    assert_eq!(found, expected(2026).chain(expected(2027)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_run_over_midnight_of_new_years_eve_leaves_no_gap_in_either_year() {
    // The run begins and issues its first hundred before midnight. The second part has the old year's numbers locked when the new
    // year begins, and must take the new year's.
    fn midnight_passes() -> DateTime<Utc> {
        static READINGS: AtomicU64 = AtomicU64::new(0);
        let reading = READINGS.fetch_add(1, Ordering::SeqCst);
        let midnight: DateTime<Utc> = "2026-12-31T23:00:00Z".parse().unwrap();
        if reading < 4 { midnight - TimeDelta::milliseconds(1) } else { midnight }
    }
    fn before_midnight() -> DateTime<Utc> {
        "2026-12-31T22:59:59.999Z".parse().unwrap()
    }
    fn after_midnight() -> DateTime<Utc> {
        "2026-12-31T23:00:00Z".parse().unwrap()
    }
    let fixture = Fixture::new().await;
    accounts(&fixture, 120).await;
    let run = async |name: &str, clock: fn() -> DateTime<Utc>| {
        let request = Request::Cycle { cycle: cycle(name), as_of: None };
        let answer = fixture.bill(clock).run(&request, Instant::now() + Duration::from_secs(60)).await.unwrap();
        (answer.cycles[0].closed, answer.cycles[0].first.clone(), answer.cycles[0].last.clone())
    };
    let number = |year: i32, n: u32| Some(format!("MR{year}-{n:08}"));
    assert_eq!(run("2026-11", midnight_passes).await, (120, number(2026, 1), number(2027, 20)));
    // December ends with the year.
    assert_eq!(run("2026-12", before_midnight).await, (0, None, None));
    assert_eq!(run("2026-12", after_midnight).await, (120, number(2027, 21), number(2027, 140)));
    // What is issued for an old year's invoice has the new year's number.
    let operator = operator();
    let work = billing::cancel(&fixture.pool, "credit", &operator, "MR2026-00000007", "", after_midnight);
    let note = billing::in_turn(&fixture.pool, "credit", Instant::now() + Duration::from_secs(5), work).await.unwrap();
    assert_eq!(Some(note.number), number(2027, 141));
    let found = fixture.database.texts("SELECT invoice_number FROM bi_invoices ORDER BY 1").await;
    let expected: Vec<_> =
        (1..=100).filter_map(|n| number(2026, n)).chain((1..=141).filter_map(|n| number(2027, n))).collect();
    assert_eq!(found, expected);
    let wrong = "SELECT invoice_number FROM bi_invoices WHERE SUBSTRING(invoice_number, 3, 4) <> YEAR(issued_at + INTERVAL 1 HOUR)";
    assert_eq!(fixture.database.texts(wrong).await, Vec::<String>::new());
}

#[tokio::test]
async fn two_runs_at_once_issue_each_invoice_once_and_without_gaps() {
    let fixture = Fixture::new().await;
    accounts(&fixture, 230).await;
    let (one, two) = tokio::join!(fixture.run("2026-03"), fixture.run("2026-03"));
    assert_eq!(one.cycles[0].invoices + two.cycles[0].invoices, 230);
    assert_gapless(&fixture, 230).await;
    let wrong = fixture
        .database
        .texts("SELECT account_id FROM (SELECT account_id, ROW_NUMBER() OVER (ORDER BY account_id) AS n, invoice_number FROM bi_invoices) t \
                WHERE invoice_number <> CONCAT('MR2026-', LPAD(n, 8, '0'))")
        .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn a_run_that_is_dropped_anywhere_is_gone_on_with() {
    let fixture = Fixture::new().await;
    accounts(&fixture, 250).await;
    let mut millis = 0;
    loop {
        // A killed run's lease is another one's after some seconds.
        fixture.database.run("UPDATE leases SET expires_at = '1970-01-02'").await;
        let (bill, options) = (fixture.bill(may), fixture.database.options());
        let run = async move || {
            let bill = Bill { pool: pool::with(options), ..bill };
            let request = Request::Cycle { cycle: cycle("2026-03"), as_of: None };
            bill.run(&request, Instant::now() + Duration::from_secs(60)).await.unwrap()
        };
        if kill::after(Duration::from_millis(millis), run).await.is_some() {
            break;
        }
        millis += 15;
    }
    assert_gapless(&fixture, 250).await;
    let state = fixture.database.texts("SELECT CONCAT_WS(' ', COUNT(*), SUM(invoiced)) FROM closed_cycles").await;
    assert_eq!(state, ["250 250"]);
    assert_eq!(fixture.database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM invoice_lines").await, ["250"]);
}

#[tokio::test]
async fn what_comes_between_closing_and_invoicing_is_late() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "free").await;
    fixture.store(&[("33600000001", Sms, "2026-03-10T10:00:00Z", 10)]).await;
    // A run that dies after closing.
    assert!(leases::take(&fixture.pool, leases::BILLING, "dies", Duration::from_secs(30)).await.unwrap());
    let closed =
        billing::close(&fixture.pool, "dies", (cycle("2026-03"), 1), operator().timezone, may()).await.unwrap();
    assert_eq!(closed.accounts, 1);
    leases::release(&fixture.pool, leases::BILLING, "dies").await.unwrap();
    fixture.store(&[("33600000001", Sms, "2026-03-10T10:00:00Z", 100)]).await;
    fixture.run("2026-03").await;
    fixture.run("2026-04").await;
    let lines: Vec<String> = fixture.lines().await.into_iter().filter(|line| line.contains("sms")).collect();
    assert_eq!(
        lines,
        [
            "1/2 usage 33600000001 sms all - 10 message 0.05",
            "2/2 late_usage 33600000001 sms all 2026-03 100 message 0.49"
        ]
    );
}

#[tokio::test]
async fn a_run_whose_time_is_up_is_gone_on_with() {
    let fixture = Fixture::new().await;
    accounts(&fixture, 120).await;
    let request = Request::Cycle { cycle: cycle("2026-03"), as_of: None };
    let first = fixture.bill(may).run(&request, Instant::now()).await.unwrap();
    assert_eq!((first.cycles[0].closed, first.cycles[0].invoices, first.finished), (120, 0, false));
    let second = fixture.bill(may).run(&request, Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert_eq!((second.cycles[0].closed, second.cycles[0].invoices, second.finished), (0, 120, true));
    assert_gapless(&fixture, 120).await;
}

#[tokio::test]
async fn a_run_waits_for_its_turn_and_stops_when_it_loses_it() {
    let fixture = Fixture::new().await;
    accounts(&fixture, 1).await;
    let other = Duration::from_secs(30);
    assert!(leases::take(&fixture.pool, leases::BILLING, "rerate", other).await.unwrap());
    let request = Request::Cycle { cycle: cycle("2026-03"), as_of: None };
    let refused = fixture.bill(may).run(&request, Instant::now() + Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(refused, BillingError::Busy), "{refused}");
    let refused = billing::close(&fixture.pool, "somebody", (cycle("2026-03"), 1), operator().timezone, may()).await;
    assert!(matches!(refused, Err(BillingError::Interrupted)));
    assert_gapless(&fixture, 0).await;
    leases::release(&fixture.pool, leases::BILLING, "rerate").await.unwrap();
    fixture.run("2026-03").await;
    assert_gapless(&fixture, 1).await;
}

#[tokio::test]
async fn every_charge_is_billed_once_while_batches_come_in_during_the_close() {
    let fixture = Fixture::new().await;
    accounts(&fixture, 40).await;
    let feed = async |partition: u32| {
        for batch in 0..25u64 {
            let numbers: Vec<String> = (0..40).map(|n| format!("3360000{n:04}")).collect();
            let events: Vec<_> =
                numbers.iter().map(|number| (number.as_str(), Sms, "2026-03-10T10:00:00Z", 1)).collect();
            store(&fixture.pool, partition, batch * 40, &events).await;
        }
    };
    let bill = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        fixture.run("2026-03").await
    };
    tokio::join!(feed(1), feed(2), bill);
    fixture.run("2026-04").await;
    let billed = fixture
        .database
        .texts("SELECT CONCAT_WS(' ', msisdn, SUM(quantity)) FROM bi_invoice_lines WHERE kind <> 'fee' GROUP BY msisdn ORDER BY msisdn")
        .await;
    assert_eq!(billed, (0..40).map(|n| format!("3360000{n:04} 50")).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_schedule_closes_at_four_oclock_what_has_had_its_hours_of_grace() {
    fn at_three() -> DateTime<Utc> {
        "2026-04-03T01:30:00Z".parse().unwrap()
    }
    fn day_two() -> DateTime<Utc> {
        "2026-04-02T02:05:00Z".parse().unwrap()
    }
    fn day_three() -> DateTime<Utc> {
        "2026-04-03T02:05:00Z".parse().unwrap()
    }
    fn half_past() -> DateTime<Utc> {
        "2026-04-03T02:15:00Z".parse().unwrap()
    }
    let fixture = Fixture::new().await;
    let run = async |clock: fn() -> DateTime<Utc>| -> Answer {
        fixture.bill(clock).run(&Request::Schedule, Instant::now() + Duration::from_secs(60)).await.unwrap()
    };
    // 04:05 in Paris, 28 hours after the cycle's end: only the one before is due.
    fixture.account("A-1", 1, "33600000001", "basic").await;
    fixture.account("A-2", 15, "33600000002", "basic").await;
    run(at_three).await;
    run(half_past).await;
    assert_gapless(&fixture, 0).await;
    run(day_three).await;
    let billed = ["MR2026-00000001 A-2 2026-02", "MR2026-00000002 A-1 2026-03"];
    let invoices = async || {
        fixture
            .database
            .texts("SELECT CONCAT_WS(' ', invoice_number, account_id, cycle) FROM bi_invoices ORDER BY 1")
            .await
    };
    assert_eq!(invoices().await, billed);
    run(day_three).await;
    run(day_two).await;
    assert!(invoices().await.iter().all(|invoice| !invoice.contains("2026-04")));
}

#[tokio::test]
async fn the_schedule_goes_on_with_what_a_run_has_left() {
    fn noon() -> DateTime<Utc> {
        "2026-05-05T12:00:00Z".parse().unwrap()
    }
    let fixture = Fixture::new().await;
    accounts(&fixture, 2).await;
    let request = Request::Cycle { cycle: cycle("2026-03"), as_of: None };
    fixture.bill(may).run(&request, Instant::now()).await.unwrap();
    assert_gapless(&fixture, 0).await;
    import::accounts(&fixture.pool, &[account("A-9", 1)]).await.unwrap();
    let answer = fixture.bill(noon).run(&Request::Schedule, Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert_eq!((answer.cycles[0].closed, answer.cycles[0].invoices), (0, 2), "nothing more is closed by it");
    assert_gapless(&fixture, 2).await;
}
