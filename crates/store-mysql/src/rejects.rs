//! Records that were refused: kept whole, to be explained and replayed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use crate::batch::{Original, Originals, Record, Refusal, Source};
use crate::fault::StoreError;
use crate::insert::{self, Row, Statement, add};
use crate::ledger::Delivery;

/// Bytes of keys, headers and payloads that one statement carries, unless a single record has more.
const STATEMENT_BYTES: usize = 2 << 20;

/// A record that a batch refused.
pub(crate) struct NewReject {
    offset: u64,
    recorded_at: DateTime<Utc>,
    refusal: Refusal,
    delivery: Delivery,
    epoch: u32,
}

impl NewReject {
    pub(crate) fn new<T>(record: &Record<T>, refusal: Refusal, delivery: Delivery, epoch: u32) -> Self {
        Self { offset: record.offset, recorded_at: record.recorded_at, refusal, delivery, epoch }
    }
}

static INSERT: Statement = Statement::new(
    "INSERT INTO rejects (topic, partition_no, epoch, offset_no, record_at, field, reason, record_key, headers, payload) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?)",
    "",
);

/// Rows of one statement: their payloads are in memory together.
const STATEMENT_ROWS: usize = 100;

/// Stores what a batch refused, and returns how many of them count, by field. A reject is identified by its place: one that was
/// delivered before is there already.
pub(crate) async fn insert(
    connection: &mut MySqlConnection,
    source: Source<'_>,
    mut refused: Vec<NewReject>,
    originals: &dyn Originals,
) -> Result<BTreeMap<Cow<'static, str>, u64>, StoreError> {
    let mut counted: BTreeMap<Cow<'static, str>, u64> = BTreeMap::new();
    for reject in refused.iter().filter(|reject| reject.delivery == Delivery::First) {
        *counted.entry(reject.refusal.field.clone()).or_default() += 1;
    }
    drop_stored(connection, source, &mut refused).await?;
    let mut pending: Vec<RejectRow<'_>> = Vec::new();
    let mut bytes = 0;
    for reject in &refused {
        let original = originals.original(reject.offset);
        let size = original.key.as_ref().map_or(0, Vec::len)
            + original.headers.len()
            + original.payload.as_ref().map_or(0, Vec::len);
        if !pending.is_empty() && (pending.len() == STATEMENT_ROWS || bytes + size > STATEMENT_BYTES) {
            insert::insert_all(connection, &INSERT, &pending).await?;
            pending.clear();
            bytes = 0;
        }
        bytes += size;
        pending.push(RejectRow { source, reject, original });
    }
    insert::insert_all(connection, &INSERT, &pending).await?;
    Ok(counted)
}

/// Leaves out those that an earlier delivery stored.
async fn drop_stored(
    connection: &mut MySqlConnection,
    source: Source<'_>,
    refused: &mut Vec<NewReject>,
) -> Result<(), StoreError> {
    let again = || refused.iter().filter(|reject| reject.delivery == Delivery::Again);
    let (Some(first), Some(last)) = (again().map(|r| r.offset).min(), again().map(|r| r.offset).max()) else {
        return Ok(());
    };
    let rows = sqlx::query(
        "SELECT epoch, offset_no FROM rejects WHERE topic = ? AND partition_no = ? AND offset_no BETWEEN ? AND ?",
    )
    .bind(source.topic)
    .bind(source.partition)
    .bind(first)
    .bind(last)
    .fetch_all(connection)
    .await?;
    let places = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let mut places: HashSet<(u32, u64)> = places.collect::<Result<_, sqlx::Error>>()?;
    refused.retain(|reject| places.insert((reject.epoch, reject.offset)));
    Ok(())
}

/// A reject with the record as it was delivered.
struct RejectRow<'a> {
    source: Source<'a>,
    reject: &'a NewReject,
    original: Original,
}

impl Row for RejectRow<'_> {
    const COLUMNS: usize = 10;
    const BYTES: usize = 500;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let Self { source, reject, original } = self;
        add(arguments, source.topic)?;
        add(arguments, source.partition)?;
        add(arguments, reject.epoch)?;
        add(arguments, reject.offset)?;
        add(arguments, reject.recorded_at)?;
        add(arguments, cut(&reject.refusal.field, 64))?;
        add(arguments, cut(&reject.refusal.reason, 400))?;
        add(arguments, original.key.as_deref())?;
        add(arguments, original.headers.as_str())?;
        add(arguments, original.payload.as_deref())
    }
}

/// The first `most` characters.
fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// A reject without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its number.
    pub reject_id: u64,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// Its offset there.
    pub offset: u64,
    /// The broker's time for it.
    pub recorded_at: DateTime<Utc>,
    /// When it was refused.
    pub received_at: DateTime<Utc>,
    /// The field that is missing or wrong.
    pub field: String,
    /// What was expected of it.
    pub reason: String,
    /// When it was last sent to its topic again.
    pub replayed_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str =
    "SELECT reject_id, topic, partition_no, offset_no, record_at, received_at, field, reason, replayed_at";

fn reject(row: &MySqlRow) -> Result<Reject, sqlx::Error> {
    Ok(Reject {
        reject_id: row.try_get("reject_id")?,
        topic: row.try_get("topic")?,
        partition: row.try_get("partition_no")?,
        offset: row.try_get("offset_no")?,
        recorded_at: row.try_get("record_at")?,
        received_at: row.try_get("received_at")?,
        field: row.try_get("field")?,
        reason: row.try_get("reason")?,
        replayed_at: row.try_get("replayed_at")?,
    })
}

/// The rejects after a number (0: from the first), oldest first, at most `limit`.
pub async fn list(pool: &MySqlPool, after: u64, limit: u32) -> Result<Vec<Reject>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} FROM rejects WHERE reject_id > ? ORDER BY reject_id LIMIT ?"));
    let rows = sqlx::query(sql).bind(after).bind(limit).fetch_all(pool).await?;
    Ok(rows.iter().map(reject).collect::<Result<_, _>>()?)
}

/// One reject with the record as it was delivered, or `None` when there is no such number.
pub async fn show(pool: &MySqlPool, reject_id: u64) -> Result<Option<(Reject, Original)>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS}, record_key, headers, payload FROM rejects WHERE reject_id = ?"));
    let Some(row) = sqlx::query(sql).bind(reject_id).fetch_optional(pool).await? else { return Ok(None) };
    let original = Original {
        key: row.try_get("record_key")?,
        headers: row.try_get("headers")?,
        payload: row.try_get("payload")?,
    };
    Ok(Some((reject(&row)?, original)))
}

/// Notes that a reject was sent to its topic again.
pub async fn mark_replayed(pool: &MySqlPool, reject_id: u64, at: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query("UPDATE rejects SET replayed_at = ? WHERE reject_id = ?")
        .bind(at)
        .bind(reject_id)
        .execute(pool)
        .await?;
    Ok(())
}
