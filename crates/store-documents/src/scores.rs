//! Customers' latest churn scores.

use millrace_churn_model::{CustomerScore, Reason, ReasonValue};
use millrace_domain::identity::CustomerId;
use mongodb::bson::{Bson, Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, time};
use crate::replace::Replaced;

pub(crate) const COLLECTION: &str = "churn_scores";

pub(crate) const INDEXES: &[(&str, &[&str])] = &[(COLLECTION, &["probability"])];

impl DocumentStore {
    /// Writes scores over those of earlier observations of the same customers, the latest of each customer.
    pub async fn put_scores(&self, scores: &[CustomerScore]) -> Result<Replaced, DocumentError> {
        let mut latest: Vec<&CustomerScore> = scores.iter().collect();
        latest.sort_by(|a, b| (&a.customer_id, b.observed_at).cmp(&(&b.customer_id, a.observed_at)));
        latest.dedup_by(|later, earlier| later.customer_id == earlier.customer_id);
        self.replace_newer(COLLECTION, "observed_at", latest.into_iter().map(document).collect()).await
    }

    /// The latest score of a customer.
    pub async fn score(&self, customer_id: &CustomerId) -> Result<Option<CustomerScore>, DocumentError> {
        let found = self.find(COLLECTION, doc! {"_id": customer_id.as_str()}, doc! {"_id": 1}, 1).await?;
        found.first().map(score).transpose()
    }

    /// The customers most probable to leave by their latest scores, at most `limit`.
    pub async fn highest_scores(&self, limit: u32) -> Result<Vec<CustomerScore>, DocumentError> {
        let order = doc! {"probability": -1, "_id": 1};
        self.find(COLLECTION, doc! {}, order, limit.into()).await?.iter().map(score).collect()
    }
}

fn document(score: &CustomerScore) -> Document {
    let reason = |reason: &Reason| {
        let value = match &reason.value {
            ReasonValue::Number(Some(number)) => Bson::from(*number),
            ReasonValue::Number(None) => Bson::Null,
            ReasonValue::Text(text) => Bson::from(text),
        };
        doc! {"feature": &reason.feature, "value": value, "contribution": reason.contribution}
    };
    doc! {
        "_id": score.customer_id.as_str(),
        "observed_at": time(score.observed_at),
        "model_version": i64::from(score.model_version),
        "probability": score.probability,
        "churn_predicted": score.churn_predicted,
        "reasons": score.reasons.iter().map(reason).collect::<Vec<_>>(),
        "scored_at": time(score.scored_at),
    }
}

fn score(document: &Document) -> Result<CustomerScore, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    let reasons = document.get_array("reasons").map_err(|error| fields.malformed("reasons", error))?;
    Ok(CustomerScore {
        customer_id: CustomerId::parse(fields.text("_id")?).map_err(|error| fields.malformed("_id", error))?,
        observed_at: fields.time("observed_at")?,
        model_version: fields.small_count("model_version")?,
        probability: fields.number("probability")?,
        churn_predicted: fields.flag("churn_predicted")?,
        reasons: reasons.iter().map(|reason| self::reason(&fields, reason)).collect::<Result<_, _>>()?,
        scored_at: fields.time("scored_at")?,
    })
}

fn reason(fields: &Fields<'_>, stored: &Bson) -> Result<Reason, DocumentError> {
    let document = stored.as_document().ok_or_else(|| fields.malformed("reasons", "expected documents"))?;
    let fields = Fields { collection: COLLECTION, document };
    let value = match document.get("value") {
        Some(Bson::Double(number)) => ReasonValue::Number(Some(*number)),
        Some(Bson::Null) => ReasonValue::Number(None),
        Some(Bson::String(text)) => ReasonValue::Text(text.clone()),
        _ => return Err(fields.malformed("value", "expected a number, a text or null")),
    };
    Ok(Reason { feature: fields.text("feature")?.to_owned(), value, contribution: fields.number("contribution")? })
}
