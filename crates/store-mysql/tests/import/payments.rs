//! Payments.

use millrace_domain::reference::Payment;
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::import;
use millrace_test_support::mysql::TestDatabase;

use super::{basics, fixture, imported, refusals};

fn payment(reference: &str, invoice_number: &str, amount: &str) -> Payment {
    Payment {
        reference: reference.into(),
        invoice_number: invoice_number.into(),
        paid_on: "2026-07-01".parse().unwrap(),
        amount: amount.parse().unwrap(),
    }
}

/// Two invoices of 100.00: the first may still be paid, the second is overdue. Columns that do not matter here stay empty.
async fn invoices(database: &TestDatabase, pool: &MySqlPool) {
    basics(pool).await;
    database
        .run(
            "SET sql_mode = '';
             INSERT INTO invoices (invoice_number, account_no, cycle, overdue_at, net, tax, total, currency)
                 SELECT 'MR2026-00000001', account_no, 202605, '2999-01-01', 80, 20, 100, 'MAD' FROM accounts WHERE account_id = 'A-1';
             INSERT INTO invoices (invoice_number, account_no, cycle, overdue_at, net, tax, total, currency)
                 SELECT 'MR2026-00000002', account_no, 202606, '2020-01-01', 80, 20, 100, 'MAD' FROM accounts WHERE account_id = 'A-1'",
        )
        .await;
}

async fn statuses(database: &TestDatabase) -> Vec<String> {
    database.texts("SELECT CONCAT_WS(' ', status, paid) FROM bi_invoices ORDER BY invoice_number").await
}

#[tokio::test]
async fn an_invoices_status_follows_from_its_payments() {
    let (database, pool) = fixture().await;
    invoices(&database, &pool).await;
    assert_eq!(statuses(&database).await, ["issued 0.0000", "overdue 0.0000"]);
    let first = [payment("R-1", "MR2026-00000001", "60.00"), payment("R-2", "MR2026-00000002", "99.99")];
    assert_eq!(import::payments(&pool, &first).await.unwrap(), imported(2, 0, 0));
    assert_eq!(import::payments(&pool, &first).await.unwrap(), imported(0, 0, 2));
    assert_eq!(statuses(&database).await, ["issued 60.0000", "overdue 99.9900"]);
    let second = [payment("R-3", "MR2026-00000001", "40"), payment("R-2", "MR2026-00000002", "100.00")];
    assert_eq!(import::payments(&pool, &second).await.unwrap(), imported(1, 1, 0));
    assert_eq!(statuses(&database).await, ["paid 100.0000", "paid 100.0000"]);
    let back = [payment("R-4", "MR2026-00000001", "-40.00")];
    assert_eq!(import::payments(&pool, &back).await.unwrap(), imported(1, 0, 0));
    assert_eq!(statuses(&database).await, ["issued 60.0000", "paid 100.0000"]);
}

#[tokio::test]
async fn a_payment_of_an_unknown_invoice_is_refused_with_all_others() {
    let (database, pool) = fixture().await;
    invoices(&database, &pool).await;
    let rows =
        [payment("R-1", "MR2026-00000001", "60"), payment("R-2", "mr2026-00000001", "1"), payment("R-3", "X", "1")];
    assert_eq!(refusals(import::payments(&pool, &rows).await), ["1 invoice_number", "2 invoice_number"]);
    assert_eq!(database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM payments").await, ["0"]);
}
