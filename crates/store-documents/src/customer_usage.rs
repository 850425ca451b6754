//! Customers' calls by billing cycle: the platform's own part of what models learn from.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::aggregates::CustomerUsage;
use millrace_domain::customers::PeriodUsage;
use millrace_domain::cycles::Cycle;
use millrace_domain::identity::CustomerId;
use mongodb::bson::{Document, doc};

use crate::connection::DocumentStore;
use crate::error::DocumentError;
use crate::read::{Fields, count, time};
use crate::replace::Replaced;

pub(crate) const COLLECTION: &str = "customer_usage";

pub(crate) const INDEXES: &[(&str, &[&str])] = &[(COLLECTION, &["customer_id", "ends_at"])];

/// A cycle that ended longer ago than this says nothing of a customer any more: two cycles at the most.
const STALE: TimeDelta = TimeDelta::days(62);
/// Customers of one query.
const CUSTOMERS: usize = 500;

/// The calls of some customers over the cycles that ended within a span of time.
#[derive(Debug, Clone, Default)]
pub struct UsageOfCustomers {
    /// By customer; the cycles in the order in which they ended.
    cycles: HashMap<CustomerId, Vec<CustomerUsage>>,
}

impl UsageOfCustomers {
    /// The customer's calls over the last cycle that was complete at an instant, of all its accounts together: of each account its
    /// last one. `None` where no cycle ended in the 62 days before.
    pub fn before(&self, customer: &CustomerId, at: DateTime<Utc>) -> Option<CustomerUsage> {
        let ended = self.cycles.get(customer)?.iter().filter(|usage| usage.ends_at <= at && at - usage.ends_at < STALE);
        let mut last: HashMap<&str, &CustomerUsage> = HashMap::new();
        for usage in ended {
            last.insert(&usage.account_id, usage);
        }
        let mut accounts: Vec<_> = last.into_values().collect();
        // Sums of decimals depend on their order.
        accounts.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        let (first, others) = accounts.split_first()?;
        Some(others.iter().fold((*first).clone(), |sum, other| CustomerUsage {
            day: both(sum.day, other.day),
            eve: both(sum.eve, other.eve),
            night: both(sum.night, other.night),
            intl: both(sum.intl, other.intl),
            starts_at: sum.starts_at.min(other.starts_at),
            ends_at: sum.ends_at.max(other.ends_at),
            ..sum
        }))
    }
}

fn both(a: PeriodUsage, b: PeriodUsage) -> PeriodUsage {
    PeriodUsage { minutes: a.minutes + b.minutes, calls: a.calls.saturating_add(b.calls), charge: a.charge + b.charge }
}

impl DocumentStore {
    /// Writes calls over the stored documents of a smaller version.
    pub async fn put_customer_usage(&self, usage: &[CustomerUsage]) -> Result<Replaced, DocumentError> {
        self.replace_newer(COLLECTION, "version", usage.iter().map(document).collect()).await
    }

    /// What the customers' calls were before each instant from `from` to `to`.
    pub async fn usage_of_customers(
        &self,
        customers: &[CustomerId],
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<UsageOfCustomers, DocumentError> {
        let mut all = UsageOfCustomers::default();
        for customers in customers.chunks(CUSTOMERS) {
            let ids: Vec<&str> = customers.iter().map(CustomerId::as_str).collect();
            let query = doc! {"customer_id": {"$in": ids}, "ends_at": {"$gt": time(from - STALE), "$lte": time(to)}};
            for document in self.find(COLLECTION, query, doc! {"customer_id": 1, "ends_at": 1}, 0).await? {
                let usage = usage(&document)?;
                all.cycles.entry(usage.customer_id.clone()).or_default().push(usage);
            }
        }
        Ok(all)
    }
}

fn document(usage: &CustomerUsage) -> Document {
    let CustomerUsage { day, eve, night, intl, .. } = usage;
    doc! {
        "_id": format!("{}/{}", usage.account_id, usage.cycle),
        "version": count(usage.version),
        "customer_id": usage.customer_id.as_str(),
        "account_id": &usage.account_id,
        "cycle": usage.cycle.to_string(),
        "starts_at": time(usage.starts_at),
        "ends_at": time(usage.ends_at),
        "day_minutes": day.minutes, "day_calls": i64::from(day.calls), "day_charge": day.charge,
        "eve_minutes": eve.minutes, "eve_calls": i64::from(eve.calls), "eve_charge": eve.charge,
        "night_minutes": night.minutes, "night_calls": i64::from(night.calls), "night_charge": night.charge,
        "intl_minutes": intl.minutes, "intl_calls": i64::from(intl.calls), "intl_charge": intl.charge,
    }
}

fn usage(document: &Document) -> Result<CustomerUsage, DocumentError> {
    let fields = Fields { collection: COLLECTION, document };
    let period = |minutes, calls, charge| fields.period(minutes, calls, charge);
    Ok(CustomerUsage {
        customer_id: CustomerId::parse(fields.text("customer_id")?).map_err(|e| fields.malformed("customer_id", e))?,
        account_id: fields.text("account_id")?.to_owned(),
        cycle: Cycle::parse(fields.text("cycle")?).map_err(|e| fields.malformed("cycle", e))?,
        starts_at: fields.time("starts_at")?,
        ends_at: fields.time("ends_at")?,
        day: period("day_minutes", "day_calls", "day_charge")?,
        eve: period("eve_minutes", "eve_calls", "eve_charge")?,
        night: period("night_minutes", "night_calls", "night_charge")?,
        intl: period("intl_minutes", "intl_calls", "intl_charge")?,
        version: fields.count("version")?,
    })
}
