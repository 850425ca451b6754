//! Runs: how far one is, and what it changed.

use rust_decimal::Decimal;
use sqlx::{MySqlConnection, Row as _};

use super::{Outcome, Period, RerateError, ServiceChange};
use crate::fault::StoreError;
use crate::usage::service_of;

/// A run as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) run_id: u32,
    pub(super) reference_version: u64,
    pub(super) last_subscriber: String,
    pub(super) events: u64,
    pub(super) changed: u64,
    pub(super) difference: Decimal,
    pub(super) continued: bool,
}

impl Run {
    /// Goes on with the same period's run that did not end, if the reference data is still the same, or begins a new one.
    pub(super) async fn begin(
        connection: &mut MySqlConnection,
        period: &Period,
        reference_version: u64,
    ) -> Result<Self, StoreError> {
        let subscriber = period.subscriber.as_ref().map_or("", |subscriber| subscriber.as_str());
        let unfinished = sqlx::query(
            "SELECT run_id, last_subscriber, events, changed, difference FROM rerate_runs \
             WHERE from_at = ? AND to_at = ? AND subscriber = ? AND reference_version = ? AND ended_at IS NULL \
             ORDER BY events DESC, run_id LIMIT 1",
        )
        .bind(period.from.naive_utc())
        .bind(period.to.naive_utc())
        .bind(subscriber)
        .bind(reference_version)
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(row) = unfinished {
            return Ok(Self {
                run_id: row.try_get(0)?,
                reference_version,
                last_subscriber: row.try_get(1)?,
                events: row.try_get(2)?,
                changed: row.try_get(3)?,
                difference: row.try_get(4)?,
                continued: true,
            });
        }
        let inserted =
            sqlx::query("INSERT INTO rerate_runs (from_at, to_at, subscriber, reference_version) VALUES (?, ?, ?, ?)")
                .bind(period.from.naive_utc())
                .bind(period.to.naive_utc())
                .bind(subscriber)
                .bind(reference_version)
                .execute(connection)
                .await?;
        let run_id = u32::try_from(inserted.last_insert_id())
            .map_err(|_| StoreError::Stored("the numbers of rerate_runs are used up".into()))?;
        Ok(Self {
            run_id,
            reference_version,
            last_subscriber: String::new(),
            events: 0,
            changed: 0,
            difference: Decimal::ZERO,
            continued: false,
        })
    }

    /// Notes how far it is, in the transaction that came so far.
    pub(super) async fn save(&self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE rerate_runs SET last_subscriber = ?, events = ?, changed = ?, difference = ? WHERE run_id = ?",
        )
        .bind(&self.last_subscriber)
        .bind(self.events)
        .bind(self.changed)
        .bind(self.difference)
        .bind(self.run_id)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Ends it and sums up what it changed.
    pub(super) async fn end(self, connection: &mut MySqlConnection) -> Result<Outcome, RerateError> {
        sqlx::query("UPDATE rerate_runs SET ended_at = UTC_TIMESTAMP(3) WHERE run_id = ?")
            .bind(self.run_id)
            .execute(&mut *connection)
            .await?;
        let rows = sqlx::query(
            "SELECT service, CAST(COUNT(*) AS UNSIGNED) AS events, \
                    CAST(SUM(old_amount IS NULL AND new_amount IS NOT NULL) AS UNSIGNED) AS newly_rated, \
                    CAST(SUM(old_amount IS NOT NULL AND new_amount IS NULL) AS UNSIGNED) AS no_longer_rated, \
                    COALESCE(SUM(old_amount), 0) AS before_sum, COALESCE(SUM(new_amount), 0) AS after_sum, \
                    SUM(CASE WHEN credit_cycle IS NULL THEN 0 ELSE difference END) AS credited \
             FROM adjustments WHERE run_id = ? GROUP BY service ORDER BY service",
        )
        .bind(self.run_id)
        .fetch_all(connection)
        .await?;
        let services = rows.iter().map(|row| {
            let code: u8 = row.try_get("service")?;
            Ok(ServiceChange {
                service: service_of(code)
                    .ok_or_else(|| StoreError::Stored(format!("no service has the number {code}")))?,
                events: row.try_get("events")?,
                newly_rated: row.try_get("newly_rated")?,
                no_longer_rated: row.try_get("no_longer_rated")?,
                before: row.try_get("before_sum")?,
                after: row.try_get("after_sum")?,
                credited: row.try_get("credited")?,
            })
        });
        Ok(Outcome {
            run_id: self.run_id,
            continued: self.continued,
            events: self.events,
            changed: self.changed,
            services: services.collect::<Result<_, StoreError>>()?,
        })
    }
}
