//! Customers' features: what models learn from and score.
//!
//! A labelled example is kept for each customer and time; of the observations without a label only a customer's latest is kept, so
//! that the collection does not grow with every observation.

use std::time::Duration;

use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::identity::CustomerId;
use mongodb::Cursor;
use mongodb::bson::{Document, doc};

use crate::connection::{DocumentStore, limited};
use crate::error::DocumentError;
use crate::read::{Fields, time};
use crate::replace::Replaced;

pub(crate) const COLLECTION: &str = "customer_features";

pub(crate) const INDEXES: &[(&str, &[&str])] =
    &[(COLLECTION, &["label"]), (COLLECTION, &["customer_id", "observed_at"]), (COLLECTION, &["observed_at", "_id"])];

/// Documents that are read together.
const PIECE: u32 = 1_000;

/// Customers' features as they are read from the server, the newest first.
pub struct NewestFeatures {
    cursor: Cursor<Document>,
    timeout: Duration,
}

impl NewestFeatures {
    /// The next of them, at most 1,000; empty at the end.
    pub async fn next(&mut self) -> Result<Vec<CustomerSnapshot>, DocumentError> {
        let mut features = Vec::new();
        while features.len() < PIECE as usize && limited(self.timeout, self.cursor.advance()).await? {
            features.push(snapshot(&self.cursor.deserialize_current()?)?);
        }
        Ok(features)
    }
}

impl DocumentStore {
    /// Writes features over those of an earlier observation.
    pub async fn put_features(&self, snapshots: &[CustomerSnapshot]) -> Result<Replaced, DocumentError> {
        self.replace_newer(COLLECTION, "observed_at", snapshots.iter().map(document).collect()).await
    }

    /// Every labelled example, by customer and time.
    pub async fn labelled_features(&self) -> Result<Vec<CustomerSnapshot>, DocumentError> {
        self.features(doc! {"label": {"$in": [true, false]}}).await
    }

    /// The latest observation without a label of each customer, by customer.
    pub async fn unlabelled_features(&self) -> Result<Vec<CustomerSnapshot>, DocumentError> {
        self.features(doc! {"label": null}).await
    }

    /// How many labelled examples there are.
    pub async fn labelled_count(&self) -> Result<u64, DocumentError> {
        let labelled = doc! {"label": {"$in": [true, false]}};
        self.within(self.collection(COLLECTION)?.count_documents(labelled)).await
    }

    /// The newest labelled examples, or latest observations without a label, at most `limit`.
    pub async fn newest_features(&self, labelled: bool, limit: u64) -> Result<NewestFeatures, DocumentError> {
        let query = if labelled {
            doc! {"label": {"$in": [true, false]}}
        } else {
            doc! {"label": null}
        };
        let collection = self.collection(COLLECTION)?;
        let found = collection
            .find(query)
            .sort(doc! {"observed_at": -1, "_id": -1})
            .limit(i64::try_from(limit.max(1)).unwrap_or(i64::MAX))
            .batch_size(PIECE);
        Ok(NewestFeatures { cursor: self.within(found).await?, timeout: self.timeout() })
    }

    async fn features(&self, query: Document) -> Result<Vec<CustomerSnapshot>, DocumentError> {
        let documents = self.find(COLLECTION, query, doc! {"customer_id": 1, "observed_at": 1}, 0).await?;
        documents.iter().map(snapshot).collect()
    }
}

fn document(snapshot: &CustomerSnapshot) -> Document {
    let id = match snapshot.churn {
        Some(_) => format!("{}@{}", snapshot.customer_id, snapshot.observed_at.timestamp_millis()),
        None => format!("{}@latest", snapshot.customer_id),
    };
    let CustomerSnapshot { day, eve, night, intl, .. } = snapshot;
    let mut document = doc! {
        "_id": id,
        "customer_id": snapshot.customer_id.as_str(),
        "observed_at": time(snapshot.observed_at),
        "state": &snapshot.state,
        "account_length": i64::from(snapshot.account_length),
        "area_code": i64::from(snapshot.area_code),
        "international_plan": snapshot.international_plan,
        "voice_mail_plan": snapshot.voice_mail_plan,
        "number_vmail_messages": i64::from(snapshot.number_vmail_messages),
        "total_day_minutes": day.minutes, "total_day_calls": i64::from(day.calls), "total_day_charge": day.charge,
        "total_eve_minutes": eve.minutes, "total_eve_calls": i64::from(eve.calls), "total_eve_charge": eve.charge,
        "total_night_minutes": night.minutes, "total_night_calls": i64::from(night.calls), "total_night_charge": night.charge,
        "total_intl_minutes": intl.minutes, "total_intl_calls": i64::from(intl.calls), "total_intl_charge": intl.charge,
        "customer_service_calls": i64::from(snapshot.customer_service_calls),
    };
    if let Some(churn) = snapshot.churn {
        document.insert("label", churn);
    }
    document
}

fn snapshot(document: &Document) -> Result<CustomerSnapshot, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    let period = |minutes, calls, charge| fields.period(minutes, calls, charge);
    Ok(CustomerSnapshot {
        customer_id: CustomerId::parse(fields.text("customer_id")?).map_err(|e| fields.malformed("customer_id", e))?,
        observed_at: fields.time("observed_at")?,
        state: fields.text("state")?.to_owned(),
        account_length: fields.small_count("account_length")?,
        area_code: fields.small_count("area_code")?,
        international_plan: fields.flag("international_plan")?,
        voice_mail_plan: fields.flag("voice_mail_plan")?,
        number_vmail_messages: fields.small_count("number_vmail_messages")?,
        day: period("total_day_minutes", "total_day_calls", "total_day_charge")?,
        eve: period("total_eve_minutes", "total_eve_calls", "total_eve_charge")?,
        night: period("total_night_minutes", "total_night_calls", "total_night_charge")?,
        intl: period("total_intl_minutes", "total_intl_calls", "total_intl_charge")?,
        customer_service_calls: fields.small_count("customer_service_calls")?,
        churn: fields.optional("label", Fields::flag)?,
    })
}
