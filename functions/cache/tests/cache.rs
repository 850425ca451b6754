//! Runs of the cache over batches that were stored as the functions store them, on the real databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use cache::{Cache, Summary};
use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::aggregates::CycleRevenue;
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::{CellId, CustomerId, Msisdn, SensorId};
use millrace_domain::sensors::SensorReading;
use millrace_domain::tariffs::{RateSpec, Rounding, StepSpec, Tariff, TariffSpec, TimingSpec};
use millrace_domain::usage::{Service, UsageEvent};
use millrace_store_documents::{DocumentSettings, DocumentStore, UsageGrain};
use millrace_store_mysql::batch::{Incoming, Original, Originals, Record, Source};
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::sensors::LimitsCache;
use millrace_store_mysql::{customers, leases, pool, schema, sensors, usage};
use millrace_test_support::environment;
use millrace_test_support::mysql::TestDatabase;
use tokio::time::Instant;
use uuid::Uuid;

struct World {
    cache: Cache,
    offset: std::cell::Cell<u64>,
    database: TestDatabase,
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

async fn documents(name: &str) -> DocumentStore {
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
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let mysql = pool::with(database.options());
        schema::migrate(&mysql, Utc::now()).await.unwrap();
        database.run(A_QUARTER_EACH).await;
        let documents = documents(database.name()).await;
        let cache = Cache { mysql, documents, holder: Uuid::new_v4().to_string() };
        Self { cache, offset: 0.into(), database }
    }

    async fn run(&self) -> Summary {
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

    async fn events(&self, events: Vec<UsageEvent>) {
        let (source, incoming) = self.batch("usage-events", events);
        let reference = ReferenceCache::new(a_quarter_each);
        usage::store(&self.cache.mysql, &reference, source, incoming, &NoRejects).await.unwrap();
    }

    async fn readings(&self, readings: Vec<SensorReading>) {
        let (source, incoming) = self.batch("sensor-readings", readings);
        sensors::store(&self.cache.mysql, &LimitsCache::default(), source, incoming, &NoRejects).await.unwrap();
    }

    async fn snapshots(&self, snapshots: Vec<CustomerSnapshot>) {
        let (source, incoming) = self.batch("customers", snapshots);
        customers::store(&self.cache.mysql, source, incoming, &NoRejects).await.unwrap();
    }

    /// Everything that is in the documents, as text to compare.
    async fn all_documents(&self) -> String {
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
        all.sort();
        all.join("\n")
    }
}

fn hour() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp(now.timestamp() / 3600 * 3600, 0).unwrap() - TimeDelta::hours(2)
}

fn event(started_at: DateTime<Utc>, service: Service, cell: &str, usage: u64) -> UsageEvent {
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

fn reading(sensor: &str, measured_at: DateTime<Utc>, temperature_c: f64) -> SensorReading {
    SensorReading {
        sensor_id: SensorId::parse(sensor).unwrap(),
        measured_at,
        temperature_c,
        humidity_pct: Some(30.0),
        latitude: None,
        longitude: None,
    }
}

fn snapshot(customer: &str, observed_at: DateTime<Utc>, churn: Option<bool>) -> CustomerSnapshot {
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

#[tokio::test]
async fn usage_becomes_documents_by_hour_and_day_and_late_events_are_added() {
    let world = World::new().await;
    world
        .events(vec![
            event(hour(), Service::Voice, "C-1", 60),
            event(hour(), Service::Voice, "C-2", 30),
            event(hour(), Service::Data, "C-1", 1),
        ])
        .await;
    world.run().await;
    let documents = &world.cache.documents;
    let by_cell = documents.usage(UsageGrain::HourByCell, hour()).await.unwrap();
    assert_eq!(by_cell.len(), 3);
    let voice = |sums: Vec<millrace_domain::aggregates::UsageSum>| {
        sums.into_iter()
            .filter(|sum| sum.service == Service::Voice && sum.starts_at == hour())
            .map(|s| (s.events, s.usage_total.to_string(), s.amount.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        voice(documents.usage(UsageGrain::HourByService, hour()).await.unwrap()),
        [(2, "90".into(), "0.5000".into())]
    );

    world
        .events(vec![
            event(hour() - TimeDelta::days(30), Service::Sms, "C-9", 1),
            event(hour() + TimeDelta::minutes(59), Service::Voice, "C-1", 10),
        ])
        .await;
    let summary = world.run().await;
    assert_eq!(summary.usage.written, 6, "an hour, its total and its day, of the two that changed: {summary:?}");
    assert_eq!(
        voice(documents.usage(UsageGrain::HourByService, hour()).await.unwrap()),
        [(3, "100".into(), "0.7500".into())]
    );
    let days = documents.usage(UsageGrain::DayByCell, hour() - TimeDelta::days(31)).await.unwrap();
    assert_eq!(
        days.iter().filter(|day| day.cell.as_deref() == Some("C-9")).map(|day| day.events).collect::<Vec<_>>(),
        [1]
    );
    documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_run_without_news_writes_no_document() {
    let world = World::new().await;
    world.events(vec![event(hour(), Service::Voice, "C-1", 60)]).await;
    world.readings(vec![reading("S-1", hour(), 20.0)]).await;
    world.snapshots(vec![snapshot("a", hour(), None)]).await;
    let first = world.run().await;
    assert_eq!((first.usage.written, first.revenue.written), (3, 1));
    assert_eq!((first.sensors.written, first.features.written), (1, 1));
    let second = world.run().await;
    assert_eq!(second.written(), 0);
    assert_eq!((second.usage, second.revenue, second.sensors, second.features), Default::default());
    assert!(second.as_of > first.as_of, "what the documents say is true of a later time");
    assert!(second.age(Utc::now()).unwrap() < 5.0);
    world.cache.documents.clear().await.unwrap();
}

/// What the document of each cycle says.
async fn revenue(world: &World) -> Vec<String> {
    let told = |cycle: &CycleRevenue| {
        let sums = [cycle.net, cycle.tax, cycle.total, cycle.open_charges].map(|sum| sum.normalize().to_string());
        format!("{} {} {} {}", cycle.cycle, cycle.invoices, sums.join(" "), cycle.currency)
    };
    world.cache.documents.revenue().await.unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn a_cycles_document_shows_what_is_open_and_then_what_was_invoiced() {
    let world = World::new().await;
    let june: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().unwrap();
    let events = (0..6).map(|n| event(june + TimeDelta::days(4 * n), Service::Voice, "C-1", 60)).collect();
    world.events(events).await;
    world.run().await;
    assert_eq!(revenue(&world).await, ["2026-06 0 0 0 0 1.5 EUR"]);

    world
        .database
        .run(
            "INSERT INTO closed_cycles (account_no, cycle, starts_at, ends_at, closed_at, invoiced)
                 VALUES (1, 202606, '2026-06-01', '2026-07-01', '2026-07-03', TRUE);
             SET sql_mode = '';
             INSERT INTO invoices (invoice_number, account_no, cycle, net, tax, total, currency)
                 VALUES ('MR2026-00000001', 1, 202606, 1.50, 0.30, 1.80, 'EUR')",
        )
        .await;
    let summary = world.run().await;
    assert_eq!((summary.usage.written, summary.revenue.written), (0, 1));
    assert_eq!(revenue(&world).await, ["2026-06 1 1.5 0.3 1.8 0 EUR"]);
    let view =
        "SELECT CONCAT_WS(' ', cycle, invoices, net, tax, total, open_charges, currency) FROM bi_revenue_by_cycle";
    assert_eq!(world.database.texts(view).await, ["2026-06 1 1.5000 0.3000 1.8000 0.0000 EUR"]);

    // A difference by re-rating goes on the next invoice.
    world
        .database
        .run(
            "UPDATE usage_events SET amount = 0.10 ORDER BY started_at LIMIT 1;
             INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, old_account_no,
                 old_bill_cycle, old_amount, new_account_no, new_bill_cycle, new_amount, credit_account_no, credit_cycle, own_cycle,
                 difference)
             SELECT 1, started_at, event_id, service, subscriber, cell, usage_amount, 1, 202606, 0.25, 1, 202606, 0.10, 1, 202607,
                 202606, -0.15 FROM usage_events WHERE amount = 0.10",
        )
        .await;
    world.run().await;
    assert_eq!(revenue(&world).await, ["2026-06 1 1.5 0.3 1.8 0 EUR", "2026-07 0 0 0 0 -0.15 EUR"]);
    let sums = world.cache.documents.usage(UsageGrain::HourByCell, june).await.unwrap();
    assert_eq!((sums.len(), sums[0].amount.to_string().as_str()), (6, "0.1000"));
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_sensors_document_shows_its_latest_reading_and_open_alarm() {
    let world = World::new().await;
    let minute = TimeDelta::minutes(1);
    world
        .readings(vec![
            reading("S-1", hour(), 20.0),
            reading("S-1", hour() + minute, 85.0),
            reading("S-2", hour(), 30.0),
        ])
        .await;
    world.run().await;
    world.readings(vec![reading("S-1", hour() - minute, 25.0), reading("S-2", hour() + minute, 31.0)]).await;
    world.run().await;
    let sensors = world.cache.documents.sensors(10).await.unwrap();
    let seen: Vec<_> =
        sensors.iter().map(|s| (s.sensor_id.as_str(), s.temperature_c, s.measured_at, s.alarm.is_some())).collect();
    assert_eq!(
        seen,
        [("S-1", 85.0, hour() + minute, true), ("S-2", 31.0, hour() + minute, false)],
        "a late reading changes nothing"
    );
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn documents_that_are_lost_are_computed_again_as_they_were() {
    let world = World::new().await;
    for n in 0..3 {
        let at = hour() - TimeDelta::hours(n * 20);
        world
            .events((0..50).map(|i| event(at, Service::ALL[i % 3], &format!("C-{}", i % 7), i as u64)).collect())
            .await;
        world
            .readings(
                (0..20)
                    .map(|i| reading(&format!("S-{}", i % 4), at + TimeDelta::seconds(i), 60.0 + i as f64))
                    .collect(),
            )
            .await;
        world
            .snapshots((0..10).map(|i| snapshot(&format!("c{i}"), at, (i % 2 == 0).then_some(i % 4 == 0))).collect())
            .await;
        world.run().await;
    }
    let before = world.all_documents().await;
    world.cache.documents.clear().await.unwrap();
    world.run().await;
    assert_eq!(world.all_documents().await, before);
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn documents_of_another_database_are_thrown_away() {
    let old = World::new().await;
    old.events((0..20).map(|i| event(hour(), Service::Voice, &format!("old-{i}"), 1)).collect()).await;
    old.run().await;
    old.events(vec![event(hour(), Service::Voice, "C-1", 1000)]).await;
    old.run().await;
    let new = World::new().await;
    new.events(vec![event(hour(), Service::Voice, "C-1", 1)]).await;
    let cache =
        Cache { mysql: new.cache.mysql.clone(), documents: documents(old.database.name()).await, holder: "h".into() };
    cache.run(Instant::now() + Duration::from_secs(60)).await.unwrap();
    let sums = cache.documents.usage(UsageGrain::HourByCell, DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(
        sums.iter().map(|sum| (sum.cell.as_deref(), sum.usage_total)).collect::<Vec<_>>(),
        [(Some("C-1"), 1.into())]
    );
    cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_run_that_is_out_of_time_goes_on_next_time() {
    let world = World::new().await;
    world.events(vec![event(hour(), Service::Voice, "C-1", 60)]).await;
    world.snapshots(vec![snapshot("a", hour(), Some(true))]).await;
    let summary = world.cache.run(Instant::now()).await.unwrap();
    assert!(summary.ran && !summary.complete && summary.as_of.is_none(), "{summary:?}");
    let summary = world.run().await;
    assert_eq!((summary.usage.written, summary.features.written), (3, 1));
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn two_runs_at_once_follow_one_another() {
    let world = World::new().await;
    world.events((0..500).map(|i| event(hour(), Service::Voice, &format!("C-{}", i % 50), 1)).collect()).await;
    let other =
        Cache { mysql: world.cache.mysql.clone(), documents: world.cache.documents.clone(), holder: "other".into() };
    let deadline = Instant::now() + Duration::from_secs(60);
    let (a, b) = tokio::join!(world.cache.run(deadline), other.run(deadline));
    assert_eq!(a.unwrap().usage.written + b.unwrap().usage.written, 101);
    let sums = world.cache.documents.usage(UsageGrain::HourByService, hour()).await.unwrap();
    assert_eq!(sums.iter().map(|sum| sum.events).sum::<u64>(), 500);
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_run_that_does_not_get_its_turn_says_so() {
    let world = World::new().await;
    assert!(leases::take(&world.cache.mysql, "cache", "someone else", Duration::from_secs(60)).await.unwrap());
    let summary = world.cache.run(Instant::now()).await.unwrap();
    assert!(!summary.ran && !summary.complete);
    assert_eq!(summary.to_json(Utc::now())["ran"], false);
}
