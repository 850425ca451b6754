//! Customers' calls by billing cycle.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use millrace_domain::aggregates::CustomerUsage;
use millrace_domain::calls::CallPeriod;
use millrace_domain::customers::PeriodUsage;
use millrace_domain::cycles::Cycle;
use millrace_domain::identity::CustomerId;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row};

use super::paging;
use crate::fault::StoreError;

/// The number of a part of the day in the table.
pub(super) fn period_no(period: CallPeriod) -> u8 {
    match period {
        CallPeriod::Day => 1,
        CallPeriod::Evening => 2,
        CallPeriod::Night => 3,
        CallPeriod::International => 4,
    }
}

/// The version at which a page of about `rows` changed sums of calls ends: all sums of a version are in one page.
pub async fn calls_page_end(pool: &MySqlPool, after_version: u64, rows: u64, newest: u64) -> Result<u64, StoreError> {
    paging::page_end(pool, "customer_usage", after_version, rows, newest).await
}

/// The calls of the accounts and cycles that changed after one version, up to another, as they stand now.
pub async fn changed_calls(
    pool: &MySqlPool,
    after_version: u64,
    to_version: u64,
) -> Result<Vec<CustomerUsage>, StoreError> {
    let timezone =
        sqlx::query("SELECT COALESCE((SELECT timezone FROM operator WHERE id = 1), 'UTC')").fetch_one(pool).await?;
    let timezone: Tz = timezone
        .try_get::<&str, _>(0)?
        .parse()
        .map_err(|_| StoreError::Stored("operator.timezone is unknown".into()))?;
    let rows = sqlx::query(
        "SELECT u.cycle, u.account_no, u.period, u.seconds, u.calls, u.charge, u.version, a.account_id, a.customer_id, a.cycle_day \
         FROM (SELECT DISTINCT cycle, account_no FROM customer_usage FORCE INDEX (by_version) WHERE version > ? AND version <= ?) c \
         STRAIGHT_JOIN customer_usage u ON u.cycle = c.cycle AND u.account_no = c.account_no \
         STRAIGHT_JOIN accounts a ON a.account_no = u.account_no",
    )
    .bind(after_version)
    .bind(to_version)
    .fetch_all(pool)
    .await?;
    let mut all: BTreeMap<(u32, u32), CustomerUsage> = BTreeMap::new();
    for row in &rows {
        let (cycle, account_no): (u32, u32) = (row.try_get("cycle")?, row.try_get("account_no")?);
        let usage = match all.entry((cycle, account_no)) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => place.insert(without_calls(row, cycle, timezone)?),
        };
        let period: u8 = row.try_get("period")?;
        let part = CallPeriod::ALL.into_iter().find(|part| period_no(*part) == period);
        let part = part.ok_or_else(|| StoreError::Stored(format!("no part of the day has the number {period}")))?;
        *match part {
            CallPeriod::Day => &mut usage.day,
            CallPeriod::Evening => &mut usage.eve,
            CallPeriod::Night => &mut usage.night,
            CallPeriod::International => &mut usage.intl,
        } = calls(row)?;
        usage.version = usage.version.max(row.try_get("version")?);
    }
    Ok(all.into_values().collect())
}

fn without_calls(row: &MySqlRow, code: u32, timezone: Tz) -> Result<CustomerUsage, StoreError> {
    let account_id: String = row.try_get("account_id")?;
    let customer: &str = row.try_get("customer_id")?;
    let customer = if customer.is_empty() { account_id.as_str() } else { customer };
    let cycle = Cycle::from_code(code);
    let bounds = cycle.and_then(|cycle| Some((cycle, cycle.bounds(row.try_get("cycle_day").ok()?, timezone)?)));
    let (cycle, (starts_at, ends_at)) = bounds.ok_or_else(|| StoreError::Stored(format!("{code} is no cycle")))?;
    let none = PeriodUsage { minutes: 0.0, calls: 0, charge: 0.0 };
    Ok(CustomerUsage {
        customer_id: CustomerId::parse(customer)
            .map_err(|e| StoreError::Stored(format!("accounts.customer_id: {e}")))?,
        account_id,
        cycle,
        starts_at,
        ends_at,
        day: none,
        eve: none,
        night: none,
        intl: none,
        version: 0,
    })
}

fn calls(row: &MySqlRow) -> Result<PeriodUsage, StoreError> {
    let (seconds, calls): (i64, i64) = (row.try_get("seconds")?, row.try_get("calls")?);
    let charge: Decimal = row.try_get("charge")?;
    Ok(PeriodUsage {
        minutes: seconds as f64 / 60.0,
        calls: u32::try_from(calls).map_err(|_| StoreError::Stored(format!("a customer has {calls} calls")))?,
        charge: charge.to_f64().unwrap_or_default(),
    })
}
