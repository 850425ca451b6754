//! Tables that grow without end are partitioned by month, so that an archived month goes as a whole.

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use sqlx::{AssertSqlSafe, MySqlConnection, Row};

use crate::fault::StoreError;

/// The tables that are partitioned by month.
pub const TABLES: [&str; 2] = ["usage_events", "sensor_readings"];

/// Months before this one that have a partition of their own: events are accepted for 400 days.
const BACK: u32 = 14;
/// Months after this one that have a partition of their own.
const AHEAD: u32 = 3;

/// Makes the partitions that are missing from 14 months back to 3 ahead, by dividing the last one, which holds what comes later.
/// Returns how many were made.
pub(crate) async fn keep_ahead(
    connection: &mut MySqlConnection,
    table: &str,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let Some(this_month) = now.date_naive().with_day(1) else { return Ok(0) };
    let newest: Option<String> = sqlx::query(
        "SELECT CAST(MAX(partition_name) AS CHAR) FROM information_schema.partitions \
         WHERE table_schema = DATABASE() AND table_name = ? AND partition_name <> 'p_later'",
    )
    .bind(table)
    .fetch_one(&mut *connection)
    .await?
    .try_get(0)?;
    let months = missing(this_month, newest.as_deref());
    if months.is_empty() {
        return Ok(0);
    }
    let parts: Vec<String> = months
        .iter()
        .map(|month| {
            let end = *month + Months::new(1);
            format!("PARTITION {} VALUES LESS THAN ('{end} 00:00:00')", name(*month))
        })
        .collect();
    let sql = format!(
        "ALTER TABLE {table} REORGANIZE PARTITION p_later INTO ({}, PARTITION p_later VALUES LESS THAN (MAXVALUE))",
        parts.join(", ")
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(months.len())
}

/// The months without a partition, oldest first. Names sort as months do. Before the newest one nothing is ever missing: it was
/// there, or has been archived.
fn missing(this_month: NaiveDate, newest: Option<&str>) -> Vec<NaiveDate> {
    let first = this_month - Months::new(BACK);
    (0..=BACK + AHEAD)
        .map(|n| first + Months::new(n))
        .filter(|month| newest.is_none_or(|newest| name(*month).as_str() > newest))
        .collect()
}

fn name(month: NaiveDate) -> String {
    month.format("p%Y%m").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_new_table_gets_fourteen_months_back_and_three_ahead() {
        let months = missing(NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(), None);
        assert_eq!(months.len(), 18);
        assert_eq!(name(months[0]), "p202509");
        assert_eq!(name(months[17]), "p202702");
    }

    #[test]
    fn a_later_month_adds_only_what_is_missing() {
        let december = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
        assert_eq!(missing(december, Some("p202702")), [NaiveDate::from_ymd_opt(2027, 3, 1).unwrap()]);
        assert!(missing(december, Some("p202703")).is_empty());
    }
}
