//! The rows of a day, page by page from one snapshot, and what is noted of the file that holds them.

use chrono::NaiveDate;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, MySqlPool, Row};

use super::{Dataset, Month, Part, PendingDay};
use crate::fault::StoreError;

/// Rows in memory at once.
const PAGE: u64 = 5_000;

/// A row of a data set.
pub trait Stored: Sized + Send {
    /// Where it is stored.
    const DATASET: Dataset;
    /// The columns that are read, and the tables that are joined to the data set's, which is `t`.
    const COLUMNS: &'static str;
    /// Joins.
    const JOINS: &'static str;

    /// Reads it.
    ///
    /// # Errors
    /// When a column cannot be read back.
    fn read(row: &MySqlRow) -> Result<Self, StoreError>;

    /// Its sequence number.
    fn seq(&self) -> u64;

    /// The month in which it happened.
    fn month(&self) -> Month;
}

/// Reads the rows of a part from one snapshot, in the order of their numbers.
pub struct PartReader {
    /// Its own: dropped in the middle, it ends with its transaction.
    connection: MySqlConnection,
    sql: String,
    bounds: (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>),
    late_above: u64,
    after: u64,
    last_seq: u64,
    /// Adjustments up to this number are in the charges that are read.
    pub adjustments_seq: u64,
}

impl PartReader {
    /// Takes the snapshot. The part has the rows of `day` numbered above `after`.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn begin<R: Stored>(pool: &MySqlPool, day: &PendingDay, after: u64) -> Result<Self, StoreError> {
        let dataset = R::DATASET;
        let sql = format!(
            "SELECT {columns} FROM {table} t FORCE INDEX ({by_seq}) {joins} WHERE t.seq > ? AND t.seq <= ? \
             AND t.{stored_at} < ? AND (t.{stored_at} >= ? OR t.seq > ?) ORDER BY t.seq LIMIT {PAGE}",
            columns = R::COLUMNS,
            table = dataset.table(),
            by_seq = dataset.by_seq(),
            joins = R::JOINS,
            stored_at = dataset.stored_at(),
        );
        let mut connection = pool.acquire().await?.detach();
        // Raw, as a transaction value would borrow the connection.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        connection.execute(sqlx::raw_sql("START TRANSACTION")).await?;
        let row = sqlx::query("SELECT CAST(COALESCE(MAX(seq), 0) AS UNSIGNED) FROM adjustments")
            .fetch_one(&mut connection)
            .await?;
        Ok(Self {
            sql,
            bounds: day.bounds(),
            // Every number is below this: no row is late.
            late_above: day.late_above.unwrap_or(u64::MAX),
            after: after.max(day.first_seq.saturating_sub(1)),
            last_seq: day.last_seq,
            adjustments_seq: row.try_get(0)?,
            connection,
        })
    }

    /// The next rows; none at the day's end.
    ///
    /// # Errors
    /// What the database reports, or a row that cannot be read back.
    pub async fn page<R: Stored>(&mut self) -> Result<Vec<R>, StoreError> {
        if self.after >= self.last_seq {
            return Ok(Vec::new());
        }
        let (start, end) = self.bounds;
        let rows = sqlx::query(AssertSqlSafe(self.sql.clone()))
            .bind(self.after)
            .bind(self.last_seq)
            .bind(end)
            .bind(start)
            .bind(self.late_above)
            .fetch_all(&mut self.connection)
            .await?;
        let rows: Vec<R> = rows.iter().map(R::read).collect::<Result<_, _>>()?;
        self.after = rows.last().map_or(self.last_seq, Stored::seq);
        Ok(rows)
    }

    /// Lets the snapshot go.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn end(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }
}

/// Notes a part whose file is written.
///
/// # Errors
/// What the database reports; also when the part was noted before.
pub async fn note_part(pool: &MySqlPool, dataset: Dataset, day: NaiveDate, part: &Part) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    sqlx::query(
        "INSERT INTO archived_parts (dataset, stored_day, part_no, first_seq, last_seq, row_count, byte_count, sha256, adjustments_seq) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(dataset.name())
    .bind(day)
    .bind(part.part_no)
    .bind(part.first_seq)
    .bind(part.last_seq)
    .bind(part.rows())
    .bind(part.bytes)
    .bind(&part.sha256)
    .bind(part.adjustments_seq)
    .execute(&mut *transaction)
    .await?;
    for (month, rows) in &part.months {
        sqlx::query(
            "INSERT INTO archived_months (dataset, month, stored_day, part_no, row_count) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(dataset.name())
        .bind(month.code())
        .bind(day)
        .bind(part.part_no)
        .bind(rows)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}
