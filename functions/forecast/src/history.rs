//! The series that are forecast, from the documents that the cache keeps.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use millrace_domain::aggregates::UsageSum;
use millrace_domain::usage::Service;
use millrace_store_documents::{DocumentStore, UsageGrain};
use rust_decimal::prelude::ToPrimitive;

/// How far back is looked.
const HISTORY: TimeDelta = TimeDelta::weeks(10);
/// From where on a sensor is critical that has no threshold of its own, in degrees Celsius.
const CRITICAL_C: f64 = 80.0;

/// The watermarks of what the cache keeps: every record committed by their time is in the documents.
const USAGE: &str = "usage-events";
const TEMPERATURES: &str = "sensor-hours";

/// What is to be forecast.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    /// Usage of a service.
    Usage(Service),
    /// All charges.
    Revenue,
    /// The hottest sensor of a site; a sensor without a site stands for itself.
    Site {
        /// The site.
        name: String,
        /// Its sensors.
        sensors: Vec<String>,
    },
}

impl Subject {
    /// The series' name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Usage(service) => format!("usage/{}", service.as_str()),
            Self::Revenue => "revenue".into(),
            Self::Site { name, .. } => format!("temperature/{name}"),
        }
    }
}

/// Hours and their values, with the threshold that a value must not rise above.
pub(crate) struct History {
    pub(crate) observations: Vec<(DateTime<Utc>, f64)>,
    pub(crate) highest: Option<f64>,
}

/// The documents as of one moment.
pub(crate) struct Source<'a> {
    documents: &'a DocumentStore,
    now: DateTime<Utc>,
    usage: Vec<UsageSum>,
    /// Temperatures are whole until then.
    temperatures_until: DateTime<Utc>,
}

impl<'a> Source<'a> {
    /// Reads what all series of usage need.
    pub(crate) async fn open(documents: &'a DocumentStore, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let usage_until = whole_until(documents, USAGE, now).await?;
        let temperatures_until = whole_until(documents, TEMPERATURES, now).await?;
        let mut usage = documents.usage(UsageGrain::HourByService, now - HISTORY).await.context("hours of usage")?;
        usage.retain(|sum| sum.starts_at < usage_until);
        Ok(Self { documents, now, usage, temperatures_until })
    }

    /// Everything that can be forecast.
    pub(crate) async fn subjects(&self) -> anyhow::Result<Vec<Subject>> {
        let mut sites: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for sensor in self.documents.sensors(0).await.context("sensors")? {
            let site = if sensor.site.is_empty() { &sensor.sensor_id } else { &sensor.site };
            sites.entry(site.clone()).or_default().push(sensor.sensor_id);
        }
        let usage = Service::ALL.into_iter().map(Subject::Usage).chain([Subject::Revenue]);
        Ok(usage.chain(sites.into_iter().map(|(name, sensors)| Subject::Site { name, sensors })).collect())
    }

    /// The past of one series.
    pub(crate) async fn history(&self, subject: &Subject) -> anyhow::Result<History> {
        let observations = match subject {
            Subject::Usage(service) => {
                self.usage_by_hour(|sum| if sum.service == *service { sum.usage_total.to_f64() } else { None })
            }
            Subject::Revenue => self.usage_by_hour(|sum| sum.amount.to_f64()),
            Subject::Site { sensors, .. } => return self.temperatures(sensors).await,
        };
        Ok(History { observations, highest: None })
    }

    /// Sums by hour. An hour without any event at all is one in which nothing was recorded, not one without usage.
    fn usage_by_hour(&self, value: impl Fn(&UsageSum) -> Option<f64>) -> Vec<(DateTime<Utc>, f64)> {
        let mut hours: BTreeMap<DateTime<Utc>, f64> = BTreeMap::new();
        for sum in &self.usage {
            *hours.entry(sum.starts_at).or_default() += value(sum).unwrap_or_default();
        }
        if hours.values().all(|value| *value == 0.0) { Vec::new() } else { hours.into_iter().collect() }
    }

    async fn temperatures(&self, sensors: &[String]) -> anyhow::Result<History> {
        let hours = self.documents.sensor_hours(sensors, self.now - HISTORY).await.context("hours of sensors")?;
        let mut hottest: BTreeMap<DateTime<Utc>, f64> = BTreeMap::new();
        let mut thresholds: BTreeMap<String, f64> = BTreeMap::new();
        for hour in hours.into_iter().filter(|hour| hour.hour < self.temperatures_until) {
            let value = hottest.entry(hour.hour).or_insert(hour.mean_c);
            *value = value.max(hour.mean_c);
            thresholds.insert(hour.sensor_id, hour.critical_c.unwrap_or(CRITICAL_C));
        }
        let highest = thresholds.into_values().min_by(f64::total_cmp);
        Ok(History { observations: hottest.into_iter().collect(), highest })
    }
}

/// The end of the last hour of which every record is in the documents.
async fn whole_until(documents: &DocumentStore, feed: &str, now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let mark = documents.watermark(feed).await.context("watermarks of the documents")?;
    let as_of = mark.and_then(|mark| mark.as_of).unwrap_or(DateTime::UNIX_EPOCH).min(now);
    as_of.duration_trunc(TimeDelta::hours(1)).context("the watermark's time")
}

/// The names of subjects, to see what is still forecast.
pub(crate) fn names(subjects: &[Subject]) -> BTreeSet<String> {
    subjects.iter().map(Subject::name).collect()
}
