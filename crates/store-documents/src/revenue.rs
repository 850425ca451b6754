//! How billing cycles stand.

use millrace_domain::aggregates::CycleRevenue;
use millrace_domain::cycles::Cycle;
use mongodb::bson::{Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, count, money};
use crate::replace::Replaced;

pub(crate) const COLLECTION: &str = "revenue_by_cycle";

impl DocumentStore {
    /// Writes how cycles stand over the stored documents of a smaller version.
    pub async fn put_revenue(&self, cycles: &[CycleRevenue]) -> Result<Replaced, DocumentError> {
        let documents = cycles.iter().map(document).collect::<Result<_, _>>()?;
        self.replace_newer(COLLECTION, "version", documents).await
    }

    /// How the cycles stand, by cycle.
    pub async fn revenue(&self) -> Result<Vec<CycleRevenue>, DocumentError> {
        let documents = self.find(COLLECTION, doc! {}, doc! {"_id": 1}, 0).await?;
        documents.iter().map(revenue).collect()
    }
}

fn document(revenue: &CycleRevenue) -> Result<Document, DocumentError> {
    let amount = |field, value| money(COLLECTION, field, value);
    Ok(doc! {
        "_id": revenue.cycle.to_string(),
        "version": count(revenue.version),
        "invoices": count(revenue.invoices),
        "net": amount("net", revenue.net)?,
        "tax": amount("tax", revenue.tax)?,
        "total": amount("total", revenue.total)?,
        "open_charges": amount("open_charges", revenue.open_charges)?,
        "currency": &revenue.currency,
    })
}

fn revenue(document: &Document) -> Result<CycleRevenue, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    Ok(CycleRevenue {
        cycle: Cycle::parse(fields.text("_id")?).map_err(|e| fields.malformed("_id", e))?,
        invoices: fields.count("invoices")?,
        net: fields.money("net")?,
        tax: fields.money("tax")?,
        total: fields.money("total")?,
        open_charges: fields.money("open_charges")?,
        currency: fields.text("currency")?.to_owned(),
        version: fields.count("version")?,
    })
}
