//! Runs of the function over documents as the cache writes them, on the real services.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;
use forecast::{Forecaster, Settings, Summary};
use millrace_domain::aggregates::{SensorHour, SensorLatest, UsageSum};
use millrace_domain::forecasts::{ForecastOutcome, SeriesForecast};
use millrace_domain::usage::Service;
use millrace_local_host::ObjectsServer;
use millrace_store_documents::{DocumentSettings, DocumentStore, UsageGrain, Watermark};
use millrace_store_mysql::{leases, pool, schema};
use millrace_store_objects::{ObjectCredentials, ObjectSettings, ObjectStore};
use millrace_test_support::environment::required;
use millrace_test_support::mysql::TestDatabase;
use tokio::time::Instant;
use uuid::Uuid;

struct World {
    forecaster: Forecaster,
    database: TestDatabase,
    now: DateTime<Utc>,
    _server: ObjectsServer,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let mysql = pool::with(database.options());
        schema::migrate(&mysql, Utc::now()).await.unwrap();
        let documents = DocumentSettings {
            url: required("MILLRACE_TEST_DOCUMENTS_URL"),
            database: database.name().to_owned(),
            user: None,
            password: None,
            timeout: Duration::from_secs(20),
        };
        let folder = tempfile::tempdir().unwrap();
        let secret = secrecy::SecretString::from("a secret");
        let server = ObjectsServer::start(folder.path(), "127.0.0.1:0".parse().unwrap(), "key", &secret).await.unwrap();
        let objects = ObjectSettings {
            endpoint: Some(format!("http://{}", server.address())),
            region: "us-east-1".into(),
            bucket: "millrace".into(),
            credentials: Some(ObjectCredentials { access_key: "key".into(), secret_key: secret }),
        };
        let objects = ObjectStore::new(&objects);
        objects.create_bucket().await.unwrap();
        let forecaster = Forecaster {
            mysql,
            documents: DocumentStore::connect(&documents).await.unwrap(),
            objects,
            settings: Settings { horizon: 24, revenue_plan: None, timezone: Tz::UTC },
            holder: Uuid::new_v4().to_string(),
        };
        let now: DateTime<Utc> = "2026-11-21T08:05:00Z".parse().unwrap();
        Self { forecaster, database, now, _server: server, _folder: folder }
    }

    /// The cache has caught up with everything until `self.now`.
    async fn caught_up(&self) {
        for feed in ["usage-events", "sensor-hours"] {
            let mark = Watermark { origin: "test".into(), position: 1, as_of: Some(self.now) };
            self.forecaster.documents.set_watermark(feed, &mark).await.unwrap();
        }
    }

    /// A sensor of a site whose temperature is `mean` of the hour of the day, for some days until now.
    async fn sensor(&self, id: &str, site: &str, days: i64, critical_c: Option<f64>, mean: impl Fn(i64) -> f64) {
        let end = self.now.duration_trunc(TimeDelta::hours(1)).unwrap();
        let hour = |ago: i64| SensorHour {
            sensor_id: id.into(),
            site: site.into(),
            hour: end - TimeDelta::hours(ago),
            readings: 1800,
            mean_c: mean((end - TimeDelta::hours(ago)).timestamp() / 3600),
            max_c: 99.0,
            critical_c,
            // Later versions stand over earlier ones, as when an hour goes on.
            version: self.now.timestamp() as u64,
        };
        let hours: Vec<_> = (0..=days * 24).map(hour).collect();
        self.forecaster.documents.put_sensor_hours(&hours).await.unwrap();
        let latest = SensorLatest {
            sensor_id: id.into(),
            site: site.into(),
            measured_at: self.now,
            temperature_c: 50.0,
            humidity_pct: None,
            latitude: None,
            longitude: None,
            state: None,
            alarm: None,
        };
        self.forecaster.documents.put_sensors(&[latest]).await.unwrap();
        self.caught_up().await;
    }

    /// Voice calls of one amount an hour, for some days until now.
    async fn calls(&self, days: i64, amount: i64) {
        let end = self.now.duration_trunc(TimeDelta::hours(1)).unwrap();
        let sum = |ago: i64| UsageSum {
            starts_at: end - TimeDelta::hours(ago),
            service: Service::Voice,
            cell: None,
            events: 10,
            usage_total: (600 + (end - TimeDelta::hours(ago)).timestamp() / 3600 % 24).into(),
            amount: amount.into(),
            unrated: 0,
            version: self.now.timestamp() as u64,
        };
        let sums: Vec<_> = (1..=days * 24).map(sum).collect();
        self.forecaster.documents.put_usage(UsageGrain::HourByService, &sums).await.unwrap();
        self.caught_up().await;
    }

    async fn run(&self) -> Summary {
        let summary = self.forecaster.run(self.now, Instant::now() + Duration::from_secs(300)).await.unwrap();
        assert!(summary.ran);
        summary
    }

    async fn forecast(&self, series: &str) -> SeriesForecast {
        let forecasts = self.forecaster.documents.forecasts().await.unwrap();
        forecasts.into_iter().find(|forecast| forecast.series == series).unwrap()
    }

    async fn alerts(&self) -> Vec<String> {
        self.database
            .texts(
                "SELECT CONCAT(series, ' ', direction, ' ', threshold, ' ', closed_at IS NULL) FROM forecast_alerts ORDER BY alert_id",
            )
            .await
    }
}

/// Warm by day, at most `peak`.
fn daily(peak: f64) -> impl Fn(i64) -> f64 {
    move |hour| peak - 10.0 + 10.0 * (std::f64::consts::TAU * hour as f64 / 24.0).sin()
}

#[tokio::test]
async fn a_site_that_is_expected_to_be_critical_raises_an_alert_that_a_cooler_forecast_closes() {
    let mut world = World::new().await;
    world.sensor("A-1", "A", 14, None, daily(60.0)).await;
    world.sensor("A-2", "A", 14, None, daily(84.0)).await;
    world.sensor("B-1", "B", 14, Some(70.0), daily(72.0)).await;
    world.sensor("C-1", "C", 14, None, daily(78.0)).await;
    let summary = world.run().await;
    assert_eq!((summary.alerts.opened, summary.alerts.open, summary.left.len()), (2, 2, 0), "{summary:?}");
    assert_eq!(world.alerts().await, ["temperature/A above 80 1", "temperature/B above 70 1"]);
    let site = world.forecast("temperature/A").await;
    let ForecastOutcome::Made { points, candidates, coverage, .. } = &site.outcome else { panic!("{site:?}") };
    assert_eq!((points.len(), site.threshold), (24, Some(80.0)));
    assert_eq!(
        points[0].time,
        "2026-11-21T08:00:00Z".parse::<DateTime<Utc>>().unwrap(),
        "the hour that goes on is the first"
    );
    assert!(candidates.len() >= 4 && coverage.is_some(), "{site:?}");

    let again = world.run().await;
    assert_eq!((again.alerts.opened, again.alerts.closed, again.alerts.open), (0, 0, 2), "run twice, nothing changes");

    world.now += TimeDelta::hours(1);
    world.sensor("A-2", "A", 14, None, daily(62.0)).await;
    let cooler = world.run().await;
    assert_eq!((cooler.alerts.opened, cooler.alerts.closed, cooler.alerts.open), (0, 1, 1));
    assert_eq!(world.alerts().await, ["temperature/A above 80 0", "temperature/B above 70 1"]);
}

#[tokio::test]
async fn a_forecast_has_bands_and_backtest_its_alert_comes_before_the_crossing_and_a_second_run_changes_nothing() {
    let world = World::new().await;
    // Cool at 8:00, above 80 °C from the afternoon on, with a shake that looks random and is not.
    let shake = |hour: i64| (hour * 7919 % 101) as f64 / 101.0 - 0.5;
    world.sensor("A-1", "A", 28, None, |hour| daily(84.0)(hour + 12) + shake(hour)).await;
    world.run().await;
    let site = world.forecast("temperature/A").await;
    let ForecastOutcome::Made { method, candidates, coverage, points } = &site.outcome else { panic!("{site:?}") };
    assert_eq!((site.made_at, site.history_hours, site.filled_hours), (world.now, 28 * 24, 0));
    assert!(points.iter().all(|point| point.low <= point.value && point.value <= point.high), "{points:?}");
    assert_eq!(&candidates[0].0, method, "the method is the one that was off least");
    assert!(candidates.is_sorted_by(|one, other| one.1 <= other.1) && candidates.len() == 5, "{candidates:?}");
    assert!(coverage.is_some_and(|share| (0.6..=1.0).contains(&share)), "{coverage:?}");

    let rows = "SELECT CONCAT_WS(' ', series, DATE_FORMAT(expected_at, '%Y-%m-%dT%H:%i:%sZ'), expected_at > opened_at, \
                expected_value > threshold, low <= expected_value AND expected_value <= high, opened_at = forecast_at, \
                closed_at IS NULL) FROM forecast_alerts ORDER BY alert_id";
    let alerts = world.database.texts(rows).await;
    let crossing = points.iter().find(|point| point.value > 80.0).unwrap();
    let expected_at = crossing.time.format("%Y-%m-%dT%H:%M:%SZ");
    assert_eq!(alerts, [format!("temperature/A {expected_at} 1 1 1 1 1")]);
    assert!(points[0].value < 80.0 && crossing.time > world.now, "{crossing:?}");

    world.run().await;
    assert_eq!(world.forecast("temperature/A").await, site);
    assert_eq!(world.database.texts(rows).await, alerts);
    assert_eq!(world.forecaster.objects.list("forecasts/").await.unwrap().len(), 1);
}

#[tokio::test]
async fn revenue_that_is_expected_below_plan_raises_an_alert() {
    let mut world = World::new().await;
    world.forecaster.settings.revenue_plan = Some(500.0);
    world.calls(14, 20).await;
    assert_eq!(world.run().await.alerts.opened, 1);
    assert_eq!(world.alerts().await, ["revenue below 500 1"]);
    let usage = world.forecast("usage/voice").await;
    assert!(matches!(usage.outcome, ForecastOutcome::Made { .. }), "{usage:?}");
    let revenue = world.forecast("revenue").await;
    let ForecastOutcome::Made { points, .. } = revenue.outcome else { panic!("{revenue:?}") };
    assert!((points.iter().map(|point| point.value).sum::<f64>() - 480.0).abs() < 1.0);
}

#[tokio::test]
async fn too_little_history_is_said_and_is_no_failure() {
    let world = World::new().await;
    world.sensor("A-1", "A", 3, None, daily(60.0)).await;
    let summary = world.run().await;
    assert_eq!(summary.to_json()["made"], 0);
    let site = world.forecast("temperature/A").await;
    let ForecastOutcome::NotMade { reason } = &site.outcome else { panic!("{site:?}") };
    assert!(reason.contains("needs at least 192"), "{reason}");
}

#[tokio::test]
async fn forecasts_are_held_against_what_came_and_their_originals_are_objects() {
    let mut world = World::new().await;
    world.sensor("A-1", "A", 14, None, daily(60.0)).await;
    world.run().await;
    assert_eq!(world.forecast("temperature/A").await.realised, None);
    world.now += TimeDelta::days(1);
    world.sensor("A-1", "A", 14, None, daily(60.0)).await;
    let summary = world.run().await;
    let realised = world.forecast("temperature/A").await.realised.unwrap();
    assert_eq!(realised.hours, 24);
    assert!(realised.mae < 0.5, "{realised:?}");
    assert!(summary.realised_coverage().is_some());
    let keys: Vec<_> =
        world.forecaster.objects.list("forecasts/").await.unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["forecasts/2026-11-21/080500.json", "forecasts/2026-11-22/080500.json"]);
}

#[tokio::test]
async fn a_second_run_at_once_leaves_the_first_its_turn_and_one_out_of_time_goes_on_next_time() {
    let world = World::new().await;
    world.sensor("A-1", "A", 14, None, daily(60.0)).await;
    assert!(leases::take(&world.forecaster.mysql, "forecast", "other", Duration::from_secs(60)).await.unwrap());
    let summary = world.forecaster.run(world.now, Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert!(!summary.ran);
    leases::release(&world.forecaster.mysql, "forecast", "other").await.unwrap();
    let summary = world.forecaster.run(world.now, Instant::now()).await.unwrap();
    assert_eq!(summary.forecasts.len(), 0);
    let all = ["usage/voice", "usage/sms", "usage/data", "revenue", "temperature/A"];
    assert_eq!(summary.left, all, "each series that is left is named");
    assert_eq!(summary.to_json()["left_for_next_run"].as_array().map(Vec::len), Some(all.len()));
    assert!(world.run().await.left.is_empty());
}
