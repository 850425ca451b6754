//! Sums of usage by hour and day.

use chrono::{DateTime, SecondsFormat, Utc};
use millrace_domain::aggregates::UsageSum;
use millrace_domain::usage::Service;
use mongodb::bson::{Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, count, money, time};
use crate::replace::Replaced;

const HOURLY: &str = "usage_hourly";
const HOURLY_BY_SERVICE: &str = "usage_hourly_by_service";
const DAILY: &str = "usage_daily";

pub(crate) const COLLECTIONS: [&str; 3] = [HOURLY, HOURLY_BY_SERVICE, DAILY];

/// What the pages look for: a span of time, and one cell's.
pub(crate) const INDEXES: &[(&str, &[&str])] = &[
    (HOURLY, &["starts_at", "service"]),
    (HOURLY, &["cell", "starts_at"]),
    (HOURLY_BY_SERVICE, &["starts_at"]),
    (DAILY, &["starts_at", "service"]),
    (DAILY, &["cell", "starts_at"]),
];

/// What one sum of usage covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageGrain {
    /// An hour of one service in one cell.
    HourByCell,
    /// An hour of one service.
    HourByService,
    /// A day (UTC) of one service in one cell.
    DayByCell,
}

impl UsageGrain {
    fn collection(self) -> &'static str {
        match self {
            Self::HourByCell => HOURLY,
            Self::HourByService => HOURLY_BY_SERVICE,
            Self::DayByCell => DAILY,
        }
    }
}

impl DocumentStore {
    /// Writes sums over the stored ones of a smaller version.
    pub async fn put_usage(&self, grain: UsageGrain, sums: &[UsageSum]) -> Result<Replaced, DocumentError> {
        let collection = grain.collection();
        let documents = sums.iter().map(|sum| document(collection, sum)).collect::<Result<_, _>>()?;
        self.replace_newer(collection, "version", documents).await
    }

    /// The sums that begin at `since` or later, by time.
    pub async fn usage(&self, grain: UsageGrain, since: DateTime<Utc>) -> Result<Vec<UsageSum>, DocumentError> {
        let collection = grain.collection();
        let documents =
            self.find(collection, doc! {"starts_at": {"$gte": time(since)}}, doc! {"starts_at": 1}, 0).await?;
        documents.iter().map(|document| sum(collection, document)).collect()
    }
}

fn document(collection: &'static str, sum: &UsageSum) -> Result<Document, DocumentError> {
    let starts_at = sum.starts_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let service = sum.service.as_str();
    let id = match &sum.cell {
        Some(cell) => format!("{starts_at}/{service}/{cell}"),
        None => format!("{starts_at}/{service}"),
    };
    let mut document = doc! {
        "_id": id,
        "version": count(sum.version),
        "starts_at": time(sum.starts_at),
        "service": service,
        "events": count(sum.events),
        "usage_total": money(collection, "usage_total", sum.usage_total)?,
        "amount": money(collection, "amount", sum.amount)?,
        "unrated": count(sum.unrated),
    };
    if let Some(cell) = &sum.cell {
        document.insert("cell", cell);
    }
    Ok(document)
}

fn sum(collection: &'static str, document: &Document) -> Result<UsageSum, DocumentError> {
    let fields = Fields { collection, document };
    Ok(UsageSum {
        starts_at: fields.time("starts_at")?,
        service: Service::parse(fields.text("service")?).map_err(|e| fields.malformed("service", e))?,
        cell: fields.optional("cell", |fields, field| fields.text(field).map(str::to_owned))?,
        events: fields.count("events")?,
        usage_total: fields.money("usage_total")?,
        amount: fields.money("amount")?,
        unrated: fields.count("unrated")?,
        version: fields.count("version")?,
    })
}
