//! Cancelled invoices, when charges of them were corrected or when they carry corrections of others.

use millrace_domain::usage::Service::{Sms, Voice};
use millrace_store_mysql::import;

use crate::support::{Fixture, account};

const JANUARY: &str = "MR2026-00000001";
const FEBRUARY: &str = "MR2026-00000002";

/// January was billed with two minutes at 0.3333 and a message at 0.0049: 0.67 for 0.6715. February is open.
async fn billed_january() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.account("A-1", 1, "33600000001", "free").await;
    fixture
        .store(&[
            ("33600000001", Voice, "2026-01-10T10:00:00Z", 60),
            ("33600000001", Voice, "2026-01-11T10:00:00Z", 60),
            ("33600000001", Sms, "2026-01-11T10:00:00Z", 1),
        ])
        .await;
    fixture.run("2026-01").await;
    fixture
}

async fn price_minutes_at(fixture: &Fixture, minute: &str) {
    fixture.tariff(minute, false).await;
    fixture.rerate().await;
}

/// The two minutes cost 0.1000 each now: February's invoice carries -0.47 for -0.4666.
async fn correction_billed_in_february() -> Fixture {
    let fixture = billed_january().await;
    price_minutes_at(&fixture, "0.1000").await;
    fixture.run("2026-02").await;
    assert_eq!(
        fixture.lines().await[3..],
        ["2/1 fee 33600000001 - - - 28 day 0.00", "2/2 credit 33600000001 voice - 2026-01 -1 item -0.47"]
    );
    fixture.assert_adds_up("0.2049").await;
    fixture
}

/// The lines of an invoice but for fees.
async fn usage_lines(fixture: &Fixture, number: u8) -> Vec<String> {
    let of_invoice = format!("{number}/");
    let lines = fixture.lines().await.into_iter();
    lines.filter(|line| line.starts_with(&of_invoice) && !line.contains(" fee ")).collect()
}

#[tokio::test]
async fn a_correction_that_waits_for_an_invoice_goes_with_the_invoice_that_it_corrects() {
    let fixture = billed_january().await;
    price_minutes_at(&fixture, "0.1000").await;
    fixture.assert_adds_up("0.2049").await;
    fixture.credit(JANUARY).await;
    fixture.assert_adds_up("0.0000").await;
    fixture.run("2026-02").await;
    assert!(usage_lines(&fixture, 3).await.is_empty());
    fixture.assert_adds_up("0.0000").await;
}

#[tokio::test]
async fn a_correction_that_a_later_invoice_carries_is_taken_back_on_the_next_one() {
    for (minute, corrected, taken_back) in
        [("0.1000", "-1 item -0.47", "1 item 0.47"), ("0.5000", "1 item 0.33", "-1 item -0.33")]
    {
        let fixture = billed_january().await;
        price_minutes_at(&fixture, minute).await;
        fixture.run("2026-02").await;
        let line = |number: u8, what: &str| format!("{number}/2 credit 33600000001 voice - 2026-01 {what}");
        assert_eq!(usage_lines(&fixture, 2).await, [line(2, corrected)]);
        let issued = fixture.invoices().await[1].clone();

        let note = fixture.credit(JANUARY).await;
        assert_eq!(
            (note.number.as_str(), note.net.to_string().as_str()),
            ("MR2026-00000003", "-0.67"),
            "as it was issued"
        );
        fixture.assert_adds_up("0.0000").await;
        fixture.run("2026-03").await;
        assert_eq!(usage_lines(&fixture, 4).await, [line(4, taken_back)]);
        fixture.assert_adds_up("0.0000").await;
        assert_eq!(fixture.invoices().await[1], issued, "the invoice that carries the correction stays");

        fixture.run("2026-04").await;
        assert!(usage_lines(&fixture, 5).await.is_empty(), "once");
    }
}

#[tokio::test]
async fn cancelling_the_corrected_and_the_carrying_invoice_leaves_nothing_whichever_is_first() {
    for numbers in [[JANUARY, FEBRUARY], [FEBRUARY, JANUARY]] {
        let fixture = correction_billed_in_february().await;
        fixture.credit(numbers[0]).await;
        fixture.credit(numbers[1]).await;
        fixture.assert_adds_up("0.0000").await;
        fixture.run("2026-03").await;
        assert_eq!(fixture.lines().await.last().unwrap(), "5/1 fee 33600000001 - - - 31 day 0.00", "{numbers:?}");
        fixture.assert_adds_up("0.0000").await;
        // What is re-rated afterwards is not billed either.
        price_minutes_at(&fixture, "0.9000").await;
        fixture.assert_adds_up("0.0000").await;
    }
}

#[tokio::test]
async fn the_same_holds_when_the_next_invoice_was_issued_in_between() {
    for (numbers, in_between) in [([JANUARY, FEBRUARY], "1 item 0.47"), ([FEBRUARY, JANUARY], "-1 item -0.47")] {
        let fixture = correction_billed_in_february().await;
        let line = |number: u8, what: &str| format!("{number}/2 credit 33600000001 voice - 2026-01 {what}");
        fixture.credit(numbers[0]).await;
        fixture.run("2026-03").await;
        assert_eq!(usage_lines(&fixture, 4).await, [line(4, in_between)]);
        fixture.credit(numbers[1]).await;
        fixture.assert_adds_up("0.0000").await;
        fixture.run("2026-04").await;
        let back = if in_between.starts_with('-') { "1 item 0.47" } else { "-1 item -0.47" };
        assert_eq!(usage_lines(&fixture, 6).await, [line(6, back)], "{numbers:?}");
        fixture.assert_adds_up("0.0000").await;
    }
}

#[tokio::test]
async fn a_correction_of_an_invoice_that_stands_is_billed_again_when_the_one_that_carries_it_is_cancelled() {
    let fixture = correction_billed_in_february().await;
    let note = fixture.credit(FEBRUARY).await;
    assert_eq!(note.net.to_string(), "0.47");
    fixture.assert_adds_up("0.2049").await;
    fixture.run("2026-03").await;
    assert_eq!(usage_lines(&fixture, 4).await, ["4/2 credit 33600000001 voice - 2026-01 -1 item -0.47"]);
    fixture.assert_adds_up("0.2049").await;
    // Prices that change afterwards are corrected from there.
    price_minutes_at(&fixture, "0.2000").await;
    fixture.assert_adds_up("0.4049").await;
    fixture.run("2026-04").await;
    assert_eq!(usage_lines(&fixture, 5).await, ["5/2 credit 33600000001 voice - 2026-01 1 item 0.20"]);
}

#[tokio::test]
async fn what_was_taken_back_is_taken_back_again_when_the_invoice_that_does_so_is_cancelled() {
    let fixture = correction_billed_in_february().await;
    fixture.credit(JANUARY).await;
    fixture.run("2026-03").await;
    fixture.credit("MR2026-00000004").await;
    fixture.assert_adds_up("0.0000").await;
    fixture.run("2026-04").await;
    assert_eq!(usage_lines(&fixture, 6).await, ["6/2 credit 33600000001 voice - 2026-01 1 item 0.47"]);
    fixture.assert_adds_up("0.0000").await;
}

#[tokio::test]
async fn of_corrections_in_part_billed_and_of_several_invoices_only_the_cancelled_ones_come_to_nothing() {
    let fixture = billed_january().await;
    price_minutes_at(&fixture, "0.1000").await;
    fixture.store(&[("33600000001", Voice, "2026-02-10T10:00:00Z", 60)]).await;
    fixture.run("2026-02").await;
    assert_eq!(
        usage_lines(&fixture, 2).await,
        [
            "2/2 usage 33600000001 voice national - 60 second 0.10",
            "2/3 credit 33600000001 voice - 2026-01 -1 item -0.47"
        ]
    );
    // January is corrected once more, by +0.2000, and February's minute by +0.1000: both wait for March.
    price_minutes_at(&fixture, "0.2000").await;
    fixture.assert_adds_up("0.6049").await;
    fixture.credit(JANUARY).await;
    fixture.assert_adds_up("0.2000").await;
    fixture.run("2026-03").await;
    assert_eq!(
        usage_lines(&fixture, 4).await,
        ["4/2 credit 33600000001 voice - 2026-01 1 item 0.47", "4/3 credit 33600000001 voice - 2026-02 1 item 0.10"]
    );
    fixture.assert_adds_up("0.2000").await;
}

#[tokio::test]
async fn late_usage_belongs_to_the_invoice_that_carries_it_and_so_do_its_corrections() {
    let fixture = billed_january().await;
    fixture.store(&[("33600000001", Voice, "2026-01-12T10:00:00Z", 60)]).await;
    fixture.run("2026-02").await;
    assert_eq!(usage_lines(&fixture, 2).await, ["2/2 late_usage 33600000001 voice national 2026-01 60 second 0.33"]);
    price_minutes_at(&fixture, "0.1000").await;
    fixture.run("2026-03").await;
    // -0.4666 of January's invoice and -0.2333 of February's.
    assert_eq!(usage_lines(&fixture, 3).await, ["3/2 credit 33600000001 voice - 2026-01 -1 item -0.70"]);
    fixture.assert_adds_up("0.3049").await;

    fixture.credit(JANUARY).await;
    fixture.assert_adds_up("0.1000").await;
    fixture.run("2026-04").await;
    assert_eq!(usage_lines(&fixture, 5).await, ["5/2 credit 33600000001 voice - 2026-01 1 item 0.47"]);
    fixture.assert_adds_up("0.1000").await;

    fixture.credit(FEBRUARY).await;
    fixture.assert_adds_up("0.0000").await;
    let open = "SELECT CONCAT_WS(' ', cycle, open_charges) FROM bi_revenue_by_cycle WHERE open_charges <> 0";
    assert_eq!(fixture.database.texts(open).await, ["2026-05 0.2333"], "April is closed");
}

#[tokio::test]
async fn a_charge_that_has_gone_to_another_account_stays_there() {
    let fixture = billed_january().await;
    import::accounts(&fixture.pool, &[account("A-2", 1)]).await.unwrap();
    // No import changes the subscriptions of a closed cycle.
    fixture
        .database
        .run(
            "UPDATE subscriptions SET account_no = (SELECT account_no FROM accounts WHERE account_id = 'A-2');
             UPDATE reference_version SET version = version + 1",
        )
        .await;
    fixture.rerate().await;
    fixture.run("2026-02").await;
    assert_eq!(
        usage_lines(&fixture, 2).await,
        ["2/1 credit 33600000001 voice - 2026-01 -1 item -0.67", "2/2 credit 33600000001 sms - 2026-01 -1 item 0.00"]
    );
    fixture.assert_adds_up("0.6715").await;
    fixture.credit(JANUARY).await;
    fixture.assert_adds_up("0.6715").await;
    fixture.run("2026-03").await;
    assert_eq!(
        usage_lines(&fixture, 5).await,
        ["5/1 credit 33600000001 voice - 2026-01 1 item 0.67", "5/2 credit 33600000001 sms - 2026-01 1 item 0.00"]
    );
    fixture.assert_adds_up("0.6715").await;
    // The other account's January was open all the while.
    fixture.run("2026-01").await;
    fixture.assert_adds_up("0.6715").await;
}
