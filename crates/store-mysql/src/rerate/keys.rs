//! Which events a run prices: their keys, by number.

use std::pin::Pin;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures::{Stream, TryStreamExt};
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{Arguments, AssertSqlSafe, MySqlConnection, Row as _};

use super::Period;
use super::transaction::{Chunk, EventKey};
use crate::fault::StoreError;

/// Memory for sorting the keys, in bytes. The server's own default merges a million of them in many more passes.
const SORT_BUFFER: u32 = 16 << 20;
/// How long the server waits for its rows to be taken, in seconds: as long as a transaction may take.
const PATIENCE: u32 = 600;

/// How many events follow the number `after`.
pub(super) async fn count(connection: &mut MySqlConnection, period: &Period, after: &str) -> Result<u64, StoreError> {
    let Some((condition, arguments)) = condition(connection, period, after).await? else { return Ok(0) };
    let sql = format!("SELECT CAST(COUNT(*) AS UNSIGNED) FROM {condition}");
    Ok(sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false).fetch_one(connection).await?.try_get(0)?)
}

/// The keys of the events, read while the ones before are priced. They come from one pass over an index and a sort in the server.
pub(super) struct Keys<'c> {
    rows: Pin<Box<dyn Stream<Item = Result<MySqlRow, sqlx::Error>> + Send + 'c>>,
    /// The first key of the number that comes next.
    next: Option<(String, EventKey)>,
}

impl<'c> Keys<'c> {
    /// Begins with the numbers that follow `after`.
    pub(super) async fn open(
        connection: &'c mut MySqlConnection,
        period: &Period,
        after: &str,
    ) -> Result<Self, StoreError> {
        let set = format!("SET SESSION sort_buffer_size = {SORT_BUFFER}, net_write_timeout = {PATIENCE}");
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut *connection).await?;
        let Some((condition, arguments)) = condition(connection, period, after).await? else {
            return Ok(Self { rows: Box::pin(futures::stream::empty()), next: None });
        };
        let sql = format!("SELECT subscriber, started_at, event_id FROM {condition} ORDER BY subscriber");
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false).fetch(connection);
        Ok(Self { rows: Box::pin(rows), next: None })
    }

    /// The keys of the next numbers, at least `events` of them if there are as many.
    pub(super) async fn next(&mut self, events: usize) -> Result<Option<Chunk>, StoreError> {
        let mut chunk = Chunk::default();
        if let Some((subscriber, key)) = self.next.take() {
            chunk.keys.push(key);
            chunk.last_subscriber = subscriber;
        }
        while let Some(row) = self.rows.try_next().await? {
            let subscriber: &str = row.try_get(0)?;
            let key = EventKey { started_at: row.try_get(1)?, event_id: event_id(row.try_get(2)?)? };
            if subscriber != chunk.last_subscriber {
                if !chunk.keys.is_empty() && chunk.keys.len() >= events {
                    self.next = Some((subscriber.to_owned(), key));
                    break;
                }
                subscriber.clone_into(&mut chunk.last_subscriber);
            }
            chunk.keys.push(key);
        }
        Ok((!chunk.keys.is_empty()).then_some(chunk))
    }
}

pub(super) fn event_id(bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Stored("an event_id is not 16 bytes".into()))
}

/// The table and the condition with its arguments; `None` when no event lies in the period. An index that holds all of the
/// columns is read and not the table: its days are named one by one for a single number, as a span of them for all.
async fn condition(
    connection: &mut MySqlConnection,
    period: &Period,
    after: &str,
) -> Result<Option<(String, MySqlArguments)>, StoreError> {
    let row = sqlx::query("SELECT MIN(started_at), MAX(started_at) FROM usage_events").fetch_one(connection).await?;
    let (first, last): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = (row.try_get(0)?, row.try_get(1)?);
    let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
    let from = period.from.max(first);
    let to = period.to.min(last + TimeDelta::milliseconds(1));
    if from >= to {
        return Ok(None);
    }
    let (first_day, last_day) = (from.date_naive(), (to - TimeDelta::milliseconds(1)).date_naive());
    let mut arguments = MySqlArguments::default();
    let mut add = |value: Value<'_>| value.add_to(&mut arguments);
    add(Value::Time(from))?;
    add(Value::Time(to))?;
    let numbers = match &period.subscriber {
        Some(subscriber) => {
            add(Value::Text(subscriber.as_str()))?;
            add(Value::Text(after))?;
            let mut days = Vec::new();
            for day in first_day.iter_days().take_while(|day| *day <= last_day) {
                add(Value::Day(day))?;
                days.push("?");
            }
            format!("subscriber = ? AND subscriber > ? AND day IN ({})", days.join(","))
        }
        None => {
            add(Value::Text(after))?;
            add(Value::Day(first_day))?;
            add(Value::Day(last_day))?;
            "subscriber > ? AND day BETWEEN ? AND ?".to_owned()
        }
    };
    let condition =
        format!("usage_events FORCE INDEX (by_day_subscriber) WHERE started_at >= ? AND started_at < ? AND {numbers}");
    Ok(Some((condition, arguments)))
}

/// A value of the condition.
enum Value<'a> {
    Time(DateTime<Utc>),
    Text(&'a str),
    Day(NaiveDate),
}

impl Value<'_> {
    fn add_to(self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let added = match self {
            Self::Time(at) => arguments.add(at.naive_utc()),
            Self::Text(text) => arguments.add(text),
            Self::Day(day) => arguments.add(day),
        };
        added.map_err(sqlx::Error::Encode)
    }
}
