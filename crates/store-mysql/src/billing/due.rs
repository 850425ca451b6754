//! What accounts owe for a closed cycle: sums that the database makes, as they are few where charges are many.

use std::collections::HashMap;

use chrono::NaiveDate;
use futures::Stream;
use millrace_domain::billing::{Billed, CreditSum, Fee, Party, UsageSum};
use millrace_domain::cycles::Cycle;
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{MySqlConnection, Row as _};

use super::rows;
use crate::fault::StoreError;
use crate::insert::{self, Statement, add};
use crate::usage::service_of;

/// The accounts whose invoices are to be issued, in the order of their ids.
pub(super) async fn pending(connection: &mut MySqlConnection, cycle: Cycle) -> Result<Vec<u32>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT c.account_no FROM closed_cycles c JOIN accounts a ON a.account_no = c.account_no \
         WHERE c.cycle = ? AND c.invoiced = FALSE ORDER BY a.account_id",
    )
    .bind(cycle.code())
    .fetch_all(connection)
    .await?)
}

/// The usage of all pending accounts that started in the cycle, by account in the order of [`pending`], read from one snapshot with
/// it. One pass over the charges, and the sums come as the reader asks for them.
pub(super) fn usage(
    connection: &mut MySqlConnection,
    cycle: Cycle,
) -> impl Stream<Item = Result<MySqlRow, sqlx::Error>> + '_ {
    // The cycle's days differ from account to account: the first range is of all of them, the second of each. SQL_BIG_RESULT makes
    // the server sort charges instead of looking each one's sum up in a temporary table, which outgrows memory: over 5 million
    // charges of 10,000 accounts 16 s instead of 83 (MariaDB 10.11, 16 MiB of memory for temporary tables).
    sqlx::query(
        "SELECT s.account_no, s.subscriber, s.service, s.zone, s.quantity, s.exact FROM (\
             SELECT SQL_BIG_RESULT STRAIGHT_JOIN e.account_no, e.subscriber, e.service, e.zone, SUM(e.usage_amount) AS quantity, \
                    SUM(e.amount) AS exact \
             FROM usage_events e JOIN closed_cycles c ON c.account_no = e.account_no AND c.cycle = ? \
             WHERE e.started_at >= (SELECT MIN(b.starts_at) FROM closed_cycles b WHERE b.cycle = ? AND b.invoiced = FALSE) \
             AND e.started_at < (SELECT MAX(b.ends_at) FROM closed_cycles b WHERE b.cycle = ? AND b.invoiced = FALSE) \
             AND e.bill_cycle = ? AND e.amount IS NOT NULL \
             AND c.invoiced = FALSE AND e.started_at >= c.starts_at AND e.started_at < c.ends_at \
             GROUP BY e.account_no, e.subscriber, e.service, e.zone) s \
         JOIN accounts a ON a.account_no = s.account_no ORDER BY a.account_id",
    )
    .bind(cycle.code())
    .bind(cycle.code())
    .bind(cycle.code())
    .bind(cycle.code())
    .fetch(connection)
}

/// Reads a row of [`usage`].
pub(super) fn usage_sum(row: &MySqlRow) -> Result<(u32, UsageSum), StoreError> {
    let sum = UsageSum {
        msisdn: row.try_get("subscriber")?,
        service: service(row)?,
        zone: row.try_get("zone")?,
        late_from: None,
        quantity: row.try_get("quantity")?,
        exact: row.try_get("exact")?,
    };
    Ok((row.try_get("account_no")?, sum))
}

fn service(row: &MySqlRow) -> Result<millrace_domain::usage::Service, StoreError> {
    let code: u8 = row.try_get("service")?;
    service_of(code).ok_or_else(|| StoreError::Stored(format!("no service has the number {code}")))
}

/// Rows of several accounts, by account.
pub(super) type ByAccount<T> = HashMap<u32, Vec<T>>;

// Locked, so that no other run issues the same invoices.
static BILLED: Statement = Statement::new(
    "SELECT account_no, starts_at, ends_at FROM closed_cycles WHERE invoiced = FALSE AND (account_no, cycle) IN (",
    "(?,?)",
    ") FOR UPDATE",
);

static CUSTOMERS: Statement = Statement::new(
    "SELECT account_no, account_id, name, city, tax_exempt, address, postcode, country, tax_id FROM accounts WHERE account_no IN (",
    "?",
    ")",
);

/// Locks the closed cycle of accounts until the transaction ends. Accounts that are invoiced already are left out.
pub(super) async fn lock(
    connection: &mut MySqlConnection,
    cycle: Cycle,
    accounts: &[u32],
) -> Result<HashMap<u32, Billed>, StoreError> {
    let mut customers = HashMap::with_capacity(accounts.len());
    for row in insert::select_by(connection, &CUSTOMERS, accounts.iter().copied()).await? {
        let lines: String = row.try_get("address")?;
        let customer = Party {
            account_id: row.try_get("account_id")?,
            name: row.try_get("name")?,
            address: lines.lines().map(str::to_owned).collect(),
            postcode: row.try_get("postcode")?,
            city: row.try_get("city")?,
            country: row.try_get("country")?,
            tax_id: row.try_get("tax_id")?,
        };
        customers.insert(row.try_get::<u32, _>("account_no")?, (customer, row.try_get::<bool, _>("tax_exempt")?));
    }
    let mut billed = HashMap::with_capacity(accounts.len());
    for row in insert::select_by_keys(connection, &BILLED, &in_cycle(accounts, cycle), add_account_cycle).await? {
        let account_no = row.try_get("account_no")?;
        let (customer, exempt) = customers
            .remove(&account_no)
            .ok_or_else(|| StoreError::Stored(format!("the account number {account_no} is not there")))?;
        let (starts_at, ends_at) = (row.try_get("starts_at")?, row.try_get("ends_at")?);
        billed.insert(account_no, Billed { cycle, starts_at, ends_at, customer, exempt });
    }
    Ok(billed)
}

static FEES: Statement = Statement::new(
    "SELECT s.account_no, s.msisdn, s.plan, p.description, p.fee, s.active_from, s.active_to \
     FROM subscriptions s JOIN plans p ON p.plan = s.plan WHERE s.account_no IN (",
    "?",
    ")",
);

/// The subscriptions of accounts, which may have no day in the cycle.
pub(super) async fn fees(connection: &mut MySqlConnection, accounts: &[u32]) -> Result<ByAccount<Fee>, StoreError> {
    let mut fees: ByAccount<Fee> = HashMap::new();
    for row in insert::select_by(connection, &FEES, accounts.iter().copied()).await? {
        let active_from: NaiveDate = row.try_get("active_from")?;
        fees.entry(row.try_get("account_no")?).or_default().push(Fee {
            msisdn: row.try_get("msisdn")?,
            plan: row.try_get("plan")?,
            description: row.try_get("description")?,
            fee: row.try_get("fee")?,
            active_from,
            active_to: row.try_get("active_to")?,
        });
    }
    Ok(fees)
}

static LATE: Statement = Statement::new(
    "SELECT l.account_no, e.subscriber, e.service, e.zone, l.own_cycle, SUM(e.usage_amount) AS quantity, SUM(e.amount) AS exact \
     FROM late_charges l JOIN usage_events e ON e.started_at = l.started_at AND e.event_id = l.event_id \
     WHERE e.account_no = l.account_no AND e.bill_cycle = l.bill_cycle AND e.amount IS NOT NULL \
     AND (l.account_no, l.bill_cycle) IN (",
    "(?,?)",
    ") GROUP BY l.account_no, e.subscriber, e.service, e.zone, l.own_cycle",
);

/// The late usage that the cycle's invoices carry.
pub(super) async fn late(
    connection: &mut MySqlConnection,
    cycle: Cycle,
    accounts: &[u32],
) -> Result<ByAccount<UsageSum>, StoreError> {
    let mut late: ByAccount<UsageSum> = HashMap::new();
    for row in insert::select_by_keys(connection, &LATE, &in_cycle(accounts, cycle), add_account_cycle).await? {
        let (account_no, sum) = usage_sum(&row)?;
        let own_cycle = rows::cycle(row.try_get("own_cycle")?)?;
        late.entry(account_no).or_default().push(UsageSum { late_from: Some(own_cycle), ..sum });
    }
    Ok(late)
}

static CREDITS: Statement = Statement::new(
    "SELECT credit_account_no, subscriber, service, own_cycle, SUM(difference) AS exact FROM adjustments \
     WHERE own_cycle IS NOT NULL AND (credit_account_no, credit_cycle) IN (",
    "(?,?)",
    ") GROUP BY credit_account_no, subscriber, service, own_cycle",
);

/// The corrections of earlier cycles that the cycle's invoices carry.
pub(super) async fn credits(
    connection: &mut MySqlConnection,
    cycle: Cycle,
    accounts: &[u32],
) -> Result<ByAccount<CreditSum>, StoreError> {
    let mut credits: ByAccount<CreditSum> = HashMap::new();
    for row in insert::select_by_keys(connection, &CREDITS, &in_cycle(accounts, cycle), add_account_cycle).await? {
        credits.entry(row.try_get("credit_account_no")?).or_default().push(CreditSum {
            msisdn: row.try_get("subscriber")?,
            service: service(&row)?,
            own_cycle: rows::cycle(row.try_get("own_cycle")?)?,
            exact: row.try_get("exact")?,
        });
    }
    Ok(credits)
}

/// Accounts in a cycle (YYYYMM), as [`add_account_cycle`] takes them.
pub(super) fn in_cycle(accounts: &[u32], cycle: Cycle) -> Vec<(u32, u32)> {
    accounts.iter().map(|account_no| (*account_no, cycle.code())).collect()
}

/// Adds an account and its cycle to a list of them.
pub(super) fn add_account_cycle(
    arguments: &mut MySqlArguments,
    (account_no, cycle): &(u32, u32),
) -> Result<(), sqlx::Error> {
    add(arguments, *account_no)?;
    add(arguments, *cycle)
}
