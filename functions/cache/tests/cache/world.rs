//! A world that has what the cache reads: batches stored as the functions store them.

use std::time::Duration;

use cache::{Cache, Summary};
use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::aggregates::CustomerUsage;
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::{CellId, CustomerId, Msisdn, SensorId};
use millrace_domain::sensors::SensorReading;
use millrace_domain::tariffs::{RateSpec, Rounding, StepSpec, Tariff, TariffSpec, TimingSpec};
use millrace_domain::usage::{Service, UsageEvent};
use millrace_store_documents::{DocumentSettings, DocumentStore, UsageGrain};
use millrace_store_mysql::batch::{Incoming, Original, Originals, Record, Source};
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::sensors::LimitsCache;
use millrace_store_mysql::{customers, pool, schema, sensors, usage};
use millrace_test_support::environment;
use millrace_test_support::mysql::TestDatabase;
use tokio::time::Instant;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) cache: Cache,
    offset: std::cell::Cell<u64>,
    pub(crate) database: TestDatabase,
}

struct NoRejects;

impl Originals for NoRejects {
    fn original(&self, offset: u64) -> Original {
        panic!("the record at {offset} was refused")
    }
}

/// One number, whose events cost a quarter each.
const A_QUARTER_EACH: &str = "
    INSERT INTO operator (id, name, address, currency, timezone, tax_rate, invoice_prefix, payment_days, close_after_hours)
    VALUES (1, 'Atlas', '', 'EUR', 'UTC', 0, 'MR', 30, 48);
    INSERT INTO tariffs (tariff_no, name, valid_from, body) VALUES (1, 'flat', '2000-01-01', '');
    INSERT INTO plans (plan, description, fee, tariff) VALUES ('basic', '', 0, 'flat');
    INSERT INTO accounts (account_no, account_id, name, segment, city, cycle_day, tax_exempt) VALUES (1, 'A-1', '', '', '', 1, FALSE);
    INSERT INTO subscriptions (msisdn, active_from, account_no, plan) VALUES ('46700000001', '2000-01-01', 1, 'basic')";

fn a_quarter_each(_: &str) -> Result<Tariff, String> {
    let rate = |service| RateSpec {
        service,
        prefix: String::new(),
        timing: "any".into(),
        roaming: None,
        weight: 1,
        connect_fee: "0.25".parse().unwrap(),
        steps: vec![StepSpec { from: 0, price: "0".parse().unwrap(), per: 1, increment: 1 }],
        max: None,
        zone: None,
        rounding: Rounding::HalfUp,
        decimals: 4,
    };
    let spec = TariffSpec {
        currency: "EUR".into(),
        timezone: "UTC".parse().unwrap(),
        timings: vec![("any".into(), TimingSpec::default())],
        rates: Service::ALL.map(rate).into(),
        allowances: Vec::new(),
    };
    Ok(Tariff::new(spec).unwrap())
}

pub(crate) async fn documents(name: &str) -> DocumentStore {
    let settings = DocumentSettings {
        url: environment::required("MILLRACE_TEST_DOCUMENTS_URL"),
        database: name.to_owned(),
        user: None,
        password: None,
        timeout: Duration::from_secs(20),
    };
    DocumentStore::connect(&settings).await.unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let mysql = pool::with(database.options());
        schema::migrate(&mysql, Utc::now()).await.unwrap();
        database.run(A_QUARTER_EACH).await;
        let documents = documents(database.name()).await;
        let cache = Cache { mysql, documents, holder: Uuid::new_v4().to_string() };
        Self { cache, offset: 0.into(), database }
    }

    pub(crate) async fn run(&self) -> Summary {
        let summary = self.cache.run(Instant::now() + Duration::from_secs(60)).await.unwrap();
        assert!(summary.ran && summary.complete, "{summary:?}");
        summary
    }

    fn batch<'a, T>(&self, topic: &'a str, records: Vec<T>) -> (Source<'a>, Incoming<T>) {
        let first_offset = self.offset.get();
        self.offset.set(first_offset + records.len() as u64);
        let source = Source { topic, partition: 0, records: records.len() };
        let record = |(offset, content)| Record { offset, recorded_at: Utc::now(), content: Ok(content) };
        (source, Incoming::ready((first_offset..).zip(records).map(record).collect()))
    }

    pub(crate) async fn events(&self, events: Vec<UsageEvent>) {
        let (source, incoming) = self.batch("usage-events", events);
        let reference = ReferenceCache::new(a_quarter_each);
        usage::store(&self.cache.mysql, &reference, source, incoming, &NoRejects).await.unwrap();
    }

    pub(crate) async fn readings(&self, readings: Vec<SensorReading>) {
        let (source, incoming) = self.batch("sensor-readings", readings);
        sensors::store(&self.cache.mysql, &LimitsCache::default(), source, incoming, &NoRejects).await.unwrap();
    }

    pub(crate) async fn snapshots(&self, snapshots: Vec<CustomerSnapshot>) {
        let (source, incoming) = self.batch("customers", snapshots);
        customers::store(&self.cache.mysql, Vec::new(), source, incoming, &NoRejects).await.unwrap();
    }

    /// The calls of the only account's customer over the last cycle of these days.
    pub(crate) async fn calls(&self) -> Option<CustomerUsage> {
        let (customer, later) = (CustomerId::parse("A-1").unwrap(), Utc::now() + TimeDelta::days(40));
        let customers = std::slice::from_ref(&customer);
        let usage = self.cache.documents.usage_of_customers(customers, DateTime::UNIX_EPOCH, later).await.unwrap();
        usage.before(&customer, later)
    }

    /// Everything that is in the documents, as text to compare.
    pub(crate) async fn all_documents(&self) -> String {
        let documents = &self.cache.documents;
        let epoch = DateTime::UNIX_EPOCH;
        let mut all = Vec::new();
        for grain in [UsageGrain::HourByCell, UsageGrain::HourByService, UsageGrain::DayByCell] {
            let sums = documents.usage(grain, epoch).await.unwrap();
            // Versions say when a sum was folded, which differs between two ways to the same sum.
            all.extend(sums.into_iter().map(|sum| {
                format!(
                    "{grain:?} {:?}",
                    (sum.starts_at, sum.service, sum.cell, sum.events, sum.usage_total, sum.amount)
                )
            }));
        }
        all.extend(documents.revenue().await.unwrap().into_iter().map(|cycle| {
            format!("{} {:?}", cycle.cycle, (cycle.invoices, cycle.net, cycle.open_charges, cycle.currency))
        }));
        all.extend(documents.sensors(1000).await.unwrap().into_iter().map(|sensor| format!("{sensor:?}")));
        all.extend(documents.labelled_features().await.unwrap().into_iter().map(|features| format!("{features:?}")));
        all.extend(documents.unlabelled_features().await.unwrap().into_iter().map(|features| format!("{features:?}")));
        all.extend(self.calls().await.map(|calls| format!("{:?}", CustomerUsage { version: 0, ..calls })));
        all.sort();
        all.join("\n")
    }
}

pub(crate) fn hour() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp(now.timestamp() / 3600 * 3600, 0).unwrap() - TimeDelta::hours(2)
}

pub(crate) fn event(started_at: DateTime<Utc>, service: Service, cell: &str, usage: u64) -> UsageEvent {
    UsageEvent {
        event_id: Uuid::new_v4(),
        service,
        subscriber: Msisdn::parse("46700000001").unwrap(),
        destination: None,
        started_at,
        usage,
        cell: Some(CellId::parse(cell).unwrap()),
        roaming: false,
    }
}

pub(crate) fn reading(sensor: &str, measured_at: DateTime<Utc>, temperature_c: f64) -> SensorReading {
    SensorReading {
        sensor_id: SensorId::parse(sensor).unwrap(),
        measured_at,
        temperature_c,
        humidity_pct: Some(30.0),
        latitude: None,
        longitude: None,
    }
}

pub(crate) fn snapshot(customer: &str, observed_at: DateTime<Utc>, churn: Option<bool>) -> CustomerSnapshot {
    let period = PeriodUsage { minutes: 12.5, calls: 3, charge: 0.25 };
    CustomerSnapshot {
        customer_id: CustomerId::parse(customer).unwrap(),
        observed_at,
        state: "KS".into(),
        account_length: 128,
        area_code: 415,
        international_plan: false,
        voice_mail_plan: true,
        number_vmail_messages: 25,
        day: period,
        eve: period,
        night: period,
        intl: period,
        customer_service_calls: 1,
        churn,
    }
}
