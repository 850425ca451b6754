//! The events behind an invoice, on a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_domain::billing::ItemisedCharge;
use millrace_store_mysql::{billing, pool, schema};
use millrace_test_support::mysql::TestDatabase;
use sqlx::MySqlPool;

/// An invoice of October with usage of two numbers, one late event and one correction; then an event of it is re-rated twice, and
/// another one goes to another account. Times are of Casablanca, an hour ahead of UTC.
const WORLD: &str = "
    INSERT INTO accounts (account_no, account_id, name, segment, city, cycle_day, tax_exempt, customer_id)
        VALUES (1, 'A-1', 'One', '', '', 1, 0, ''), (2, 'A-2', 'Two', '', '', 1, 0, '');
    INSERT INTO invoices (invoice_id, invoice_number, account_no, cycle, first_day, end_day, cycle_start, cycle_end, timezone, issued_at,
        issued_on, due_on, overdue_at, net, tax, total, rounding, currency, tax_rate, tax_exempt, seller_name, seller_address,
        seller_postcode, seller_city, seller_country, seller_tax_id, customer_name, customer_address, customer_postcode, customer_city,
        customer_country, customer_tax_id)
        VALUES (7, 'MR2026-00000007', 1, 202610, '2026-10-01', '2026-11-01', '2026-09-30 23:00:00', '2026-10-31 23:00:00',
        'Africa/Casablanca', '2026-11-03 03:00:00', '2026-11-03', '2026-12-03', '2026-12-03 23:00:00', 9.30, 0, 9.30, 0, 'MAD', 0, 0,
        'Op', '', '', '', '', '', 'One', '', '', '', '', '');
    INSERT INTO invoice_lines (invoice_id, line_no, kind, msisdn, service, zone, own_cycle, plan, description, quantity, unit, exact, net)
        VALUES (7, 1, 'usage', '2126001', 'voice', 'national', NULL, '', 'Voice', 180, 'second', 3.5, 3.50),
        (7, 2, 'usage', '2126002', 'data', 'all', NULL, '', 'Data', 1000, 'byte', 4, 4.00),
        (7, 3, 'late_usage', '2126001', 'sms', 'all', 202609, '', 'SMS', 1, 'message', 0.8, 0.80),
        (7, 4, 'credit', '2126001', 'voice', '', 202608, '', 'Correction', 1, 'item', 1, 1.00);
    INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, account_no, zone,
        amount, currency, rating_error, bill_cycle)
        VALUES ('2026-09-30 23:00:00', REPEAT('a', 16), '2026-09-30', 1, '2126001', '+2125', 60, 'C-1', 0, 1, 'national', 0.5, 'MAD', '', 202610),
        ('2026-10-31 22:59:59.999', REPEAT('b', 16), '2026-10-31', 1, '2126001', '+2125', 120, '', 1, 1, 'national', 9, 'MAD', '', 202610),
        ('2026-10-31 23:00:00', REPEAT('c', 16), '2026-10-31', 1, '2126001', '+2125', 60, '', 0, 1, 'national', 7, 'MAD', '', 202611),
        ('2026-10-05 10:00:00', REPEAT('d', 16), '2026-10-05', 3, '2126002', '', 1000, '', 0, 2, 'all', 4, 'MAD', '', 202610),
        ('2026-10-06 10:00:00', REPEAT('e', 16), '2026-10-06', 3, '2126002', '', 1000, '', 0, 1, '', NULL, NULL, 'no_rate', NULL),
        ('2026-10-07 10:00:00', REPEAT('f', 16), '2026-10-07', 3, '2126002', '', 1000, '', 0, 2, 'all', 5, 'MAD', '', 202610),
        ('2026-09-20 10:00:00', REPEAT('g', 16), '2026-09-20', 2, '2126001', '+2125', 1, '', 0, 1, 'all', 0.8, 'MAD', '', 202610),
        ('2026-08-20 10:00:00', REPEAT('h', 16), '2026-08-20', 1, '2126001', '+2125', 30, '', 0, 1, 'national', 2, 'MAD', '', 202608);
    INSERT INTO late_charges (bill_cycle, account_no, started_at, event_id, own_cycle)
        VALUES (202610, 1, '2026-09-20 10:00:00', REPEAT('g', 16), 202609);
    INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, old_account_no, old_bill_cycle,
        old_amount, new_account_no, new_bill_cycle, new_amount, credit_account_no, credit_cycle, own_cycle, difference, adjusted_at)
        VALUES (1, '2026-08-20 10:00:00', REPEAT('h', 16), 1, '2126001', '', 30, 1, 202608, 1, 1, 202608, 2, 1, 202610, 202608, 1, '2026-10-02 00:00:00'),
        (2, '2026-10-31 22:59:59.999', REPEAT('b', 16), 1, '2126001', '', 120, 1, 202610, 1, 1, 202610, 3, NULL, NULL, NULL, 0, '2026-11-02 00:00:00'),
        (3, '2026-10-31 22:59:59.999', REPEAT('b', 16), 1, '2126001', '', 120, 1, 202610, 3, 1, 202610, 8, 1, 202611, 202610, 5, '2026-11-05 00:00:00'),
        (4, '2026-10-31 22:59:59.999', REPEAT('b', 16), 1, '2126001', '', 120, 1, 202610, 8, 1, 202610, 9, 1, 202611, 202610, 1, '2026-11-06 00:00:00'),
        (4, '2026-10-05 10:00:00', REPEAT('d', 16), 3, '2126002', '', 1000, 1, 202610, 4, 2, 202610, 4, 1, 202611, 202610, -4, '2026-11-06 00:00:00');
";

async fn itemised(pool: &MySqlPool, number: &str) -> Vec<ItemisedCharge> {
    let invoice = billing::read(pool, number).await.unwrap().unwrap();
    let mut charges = Vec::new();
    billing::itemised(pool, &invoice, |charge| {
        charges.push(charge.clone());
        Ok(())
    })
    .await
    .unwrap();
    charges
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_itemised_as_it_was_billed_whatever_was_re_rated_since() {
    let database = TestDatabase::create().await;
    let pool = pool::with(database.options());
    schema::migrate(&pool, "2026-11-21T12:00:00Z".parse().unwrap()).await.unwrap();
    database.run(WORLD).await;

    let charges = itemised(&pool, "MR2026-00000007").await;
    let said: Vec<String> = charges
        .iter()
        .map(|charge| {
            let ItemisedCharge { msisdn, usage, zone, amount, .. } = charge;
            let event = charge.event_id.as_bytes()[0] as char;
            let own_cycle = charge.own_cycle.map(|cycle| cycle.to_string()).unwrap_or_default();
            format!("{event} {} {msisdn} {usage} {zone} {} {own_cycle}", charge.kind.as_str(), amount.normalize())
        })
        .collect();
    assert_eq!(
        said,
        [
            "a usage 2126001 60 national 0.5 ",
            "b usage 2126001 120 national 3 ",
            "d usage 2126002 1000 all 4 ",
            "g late_usage 2126001 1 all 0.8 2026-09",
            "h credit 2126001 30 national 1 2026-08",
        ]
    );
    assert_eq!(
        (
            charges[0].destination.as_str(),
            charges[0].cell.as_str(),
            charges[1].roaming,
            charges[0].started_at.to_rfc3339()
        ),
        ("+2125", "C-1", true, "2026-09-30T23:00:00+00:00".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_fault_of_the_reader_ends_is_told() {
    let database = TestDatabase::create().await;
    let pool = pool::with(database.options());
    schema::migrate(&pool, "2026-11-21T12:00:00Z".parse().unwrap()).await.unwrap();
    database.run(WORLD).await;
    let invoice = billing::read(&pool, "MR2026-00000007").await.unwrap().unwrap();
    let full = billing::itemised(&pool, &invoice, |_| Err(std::io::ErrorKind::StorageFull.into())).await;
    assert!(
        matches!(full, Err(billing::ItemisedError::Write(error)) if error.kind() == std::io::ErrorKind::StorageFull)
    );
}
