//! Which cycle an event is billed in.

use std::time::{Duration, Instant};

use bill::Request;
use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::usage::Service::{Data, Sms, Voice};

use crate::support::{Fixture, cycle, may, operator};

#[tokio::test]
async fn a_cycle_runs_from_midnight_to_midnight_of_its_day_whatever_the_day_and_the_clocks_do() {
    let fixture = Fixture::new().await;
    let mut expected = Vec::new();
    for day in 1..=28u8 {
        let msisdn = format!("336000000{day:02}");
        fixture.account(&format!("A-{day:02}"), day, &msisdn, "free").await;
        let (from, to) = cycle("2026-03").bounds(day, operator().timezone).unwrap();
        let at = |at: DateTime<Utc>| at.to_rfc3339();
        let (before, last) = (at(from - TimeDelta::milliseconds(1)), at(to - TimeDelta::milliseconds(1)));
        let (first, after) = (at(from), at(to));
        fixture
            .store(&[
                (&msisdn, Sms, &before, 1),
                (&msisdn, Sms, &first, 10),
                (&msisdn, Sms, &last, 100),
                (&msisdn, Sms, &after, 1000),
            ])
            .await;
        expected.push(format!("{msisdn} 110"));
    }
    assert_eq!(fixture.run("2026-03").await.cycles[0].invoices, 28);
    let found = fixture
        .database
        .texts("SELECT CONCAT_WS(' ', msisdn, quantity) FROM bi_invoice_lines WHERE kind = 'usage' ORDER BY msisdn")
        .await;
    assert_eq!(found, expected);
    // Summer time begins on 29 March at 02:00.
    let bounds = fixture
        .database
        .texts("SELECT CONCAT_WS(' ', account_id, cycle_start, cycle_end) FROM bi_invoices WHERE account_id IN ('A-01', 'A-28') ORDER BY 1")
        .await;
    assert_eq!(bounds[0], "A-01 2026-02-28 23:00:00.000 2026-03-31 22:00:00.000");
    assert_eq!(bounds[1], "A-28 2026-03-27 23:00:00.000 2026-04-27 22:00:00.000");
}

#[tokio::test]
async fn only_accounts_whose_cycle_has_ended_are_billed() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "basic").await;
    fixture.account("A-2", 20, "33600000002", "basic").await;
    let bill = async |as_of: Option<&str>| {
        let request = Request::Cycle { cycle: cycle("2026-03"), as_of: as_of.map(|at| at.parse().unwrap()) };
        fixture.bill(may).run(&request, Instant::now() + Duration::from_secs(60)).await.unwrap().cycles.remove(0)
    };
    let first = bill(Some("2026-03-31T21:59:59.999Z")).await;
    assert_eq!((first.closed, first.invoices, first.not_ended), (0, 0, 2));
    let second = bill(Some("2026-03-31T22:00:00Z")).await;
    assert_eq!((second.closed, second.invoices, second.not_ended), (1, 1, 1));
    let third = bill(None).await;
    assert_eq!((third.closed, third.invoices, third.not_ended), (1, 1, 0));
    assert_eq!(
        fixture.invoices().await,
        [
            "MR2026-00000001 A-1 2026-03 31.00 6.20 37.20 0.0000 issued",
            "MR2026-00000002 A-2 2026-03 31.00 6.20 37.20 0.0000 issued",
        ]
    );
    let issued = fixture.database.texts("SELECT DISTINCT CAST(issued_at AS CHAR) FROM bi_invoices").await;
    assert_eq!(issued, ["2026-05-05 10:00:00.123"], "--as-of moves no date of issue");
}

#[tokio::test]
async fn late_events_go_on_the_next_invoice_with_their_cycle_named() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "free").await;
    fixture
        .store(&[("33600000001", Voice, "2026-02-10T10:00:00Z", 60), ("33600000001", Data, "2026-02-10T10:00:00Z", 1)])
        .await;
    fixture.run("2026-02").await;
    fixture
        .store(&[
            ("33600000001", Voice, "2026-02-11T10:00:00Z", 120),
            ("33600000001", Voice, "2026-03-11T10:00:00Z", 60),
        ])
        .await;
    // The data event was stored in time and is first rated now.
    fixture.tariff("0.3333", true).await;
    fixture.rerate().await;
    fixture.run("2026-03").await;
    // March is closed too: February's next open cycle is April.
    fixture
        .store(&[("33600000001", Sms, "2026-02-12T10:00:00Z", 1), ("33600000001", Sms, "2026-03-12T10:00:00Z", 2)])
        .await;
    fixture.run("2026-04").await;
    assert_eq!(
        fixture.lines().await,
        [
            "1/1 fee 33600000001 - - - 28 day 0.00",
            "1/2 usage 33600000001 voice national - 60 second 0.33",
            "2/1 fee 33600000001 - - - 31 day 0.00",
            "2/2 usage 33600000001 voice national - 60 second 0.33",
            "2/3 late_usage 33600000001 voice national 2026-02 120 second 0.67",
            "2/4 late_usage 33600000001 data internet 2026-02 1 byte 0.50",
            "3/1 fee 33600000001 - - - 30 day 0.00",
            "3/2 late_usage 33600000001 sms all 2026-02 1 message 0.00",
            "3/3 late_usage 33600000001 sms all 2026-03 2 message 0.01",
        ]
    );
    let exact = fixture.database.texts("SELECT CAST(SUM(amount) AS CHAR) FROM usage_events").await;
    let billed = fixture
        .database
        .texts("SELECT CAST((SELECT SUM(net) FROM invoice_lines WHERE kind <> 'fee') + (SELECT SUM(rounding) FROM invoices) AS CHAR)")
        .await;
    assert_eq!(exact, billed, "no charge is lost or billed twice");
}

#[tokio::test]
async fn late_events_do_not_mix_with_those_of_other_accounts_days() {
    // The range of days that is read for the cycle holds the late event of A-2, whose cycle begins later.
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "free").await;
    fixture.account("A-2", 15, "33600000002", "free").await;
    fixture.run("2026-02").await;
    fixture
        .store(&[("33600000001", Sms, "2026-03-10T10:00:00Z", 1), ("33600000002", Sms, "2026-03-10T10:00:00Z", 2)])
        .await;
    fixture.run("2026-03").await;
    let lines: Vec<String> = fixture.lines().await.into_iter().filter(|line| line.contains("sms")).collect();
    assert_eq!(
        lines,
        ["3/2 usage 33600000001 sms all - 1 message 0.00", "4/2 late_usage 33600000002 sms all 2026-02 2 message 0.01"]
    );
}

#[tokio::test]
async fn cycles_are_closed_in_any_order_and_an_earlier_open_one_keeps_its_events() {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "free").await;
    fixture.run("2026-04").await;
    fixture
        .store(&[("33600000001", Sms, "2026-03-10T10:00:00Z", 5), ("33600000001", Sms, "2026-04-10T10:00:00Z", 7)])
        .await;
    fixture.run("2026-03").await;
    // April is closed: its late event waits for May.
    assert_eq!(
        fixture.lines().await,
        [
            "1/1 fee 33600000001 - - - 30 day 0.00",
            "2/1 fee 33600000001 - - - 31 day 0.00",
            "2/2 usage 33600000001 sms all - 5 message 0.02",
        ]
    );
    let waiting = fixture.database.texts("SELECT CONCAT_WS(' ', bill_cycle, own_cycle) FROM late_charges").await;
    assert_eq!(waiting, ["202605 202604"]);
}
