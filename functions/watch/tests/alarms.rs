//! Readings and the alarms that follow from them, on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Duration, TimeZone, Utc};
use millrace_domain::identity::SensorId;
use millrace_domain::reference::{PartialThresholds, Sensor};
use millrace_domain::sensors::SensorReading;
use millrace_store_mysql::batch::{Incoming, Original, Originals, Record, Source};
use millrace_store_mysql::sensors::{self, LimitsCache};
use millrace_store_mysql::{MySqlPool, import, pool, schema, silence};
use millrace_test_support::batches::batch;
use millrace_test_support::mysql::TestDatabase;
use millrace_wire::PartialBatchResponse;
use millrace_wire::sensors::encode;
use watch::{Answer, Watch};

const TOPIC: &str = "sensor-readings";

struct Fixture {
    database: TestDatabase,
    pool: MySqlPool,
    watch: Watch,
}

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap()
}

/// A reading so many seconds after noon.
fn reading(sensor: &str, second: i64, temperature_c: f64) -> Vec<u8> {
    encode(&SensorReading {
        sensor_id: SensorId::parse(sensor).unwrap(),
        measured_at: noon() + Duration::seconds(second),
        temperature_c,
        humidity_pct: Some(40.5),
        latitude: None,
        longitude: None,
    })
}

impl Fixture {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let pool = pool::with(database.options());
        schema::migrate(&pool, noon()).await.unwrap();
        let watch = Watch::new(pool.clone(), Duration::seconds(60));
        Self { database, pool, watch }
    }

    async fn deliver(&self, first_offset: i64, values: &[Vec<u8>]) {
        let at = noon() + Duration::hours(1);
        let answer = self.watch.handle(&batch(TOPIC, 0, first_offset, at, values), at).await.unwrap();
        assert_eq!(answer, Answer::Batch(PartialBatchResponse::default()));
    }

    async fn silent(&self, second: i64) -> (u64, u64) {
        match self.watch.handle(r#"{"task":"silent"}"#, noon() + Duration::seconds(second)).await.unwrap() {
            Answer::Silence { opened, silent } => (opened, silent),
            Answer::Batch(_) => panic!("a schedule is not answered as a batch"),
        }
    }

    async fn import(&self, sensor: &str, limits: PartialThresholds) {
        let sensor_id = SensorId::parse(sensor).unwrap();
        let sensor = Sensor { sensor_id, site: "s".into(), latitude: 33.5, longitude: -7.6, limits };
        import::sensors(&self.pool, &[sensor]).await.unwrap();
    }

    /// `sensor kind severity opened escalated closed peak`, times in seconds after noon.
    async fn alarms(&self) -> Vec<String> {
        let second = |column: &str| format!("COALESCE(TIMESTAMPDIFF(SECOND, '2026-11-20 12:00:00', {column}), '-')");
        let sql = format!(
            "SELECT CONCAT_WS(' ', sensor_id, kind, severity, {}, {}, {}, ROUND(peak_value, 1)) FROM bi_alarms ORDER BY alarm_id",
            second("opened_at"),
            second("escalated_at"),
            second("closed_at")
        );
        self.database.texts(&sql).await
    }

    async fn states(&self) -> Vec<String> {
        self.database
            .texts("SELECT CONCAT_WS(' ', sensor_id, state) FROM bi_sensor_readings ORDER BY sensor_id, measured_at")
            .await
    }
}

#[tokio::test]
async fn an_alarm_opens_escalates_once_and_closes_below_the_hysteresis() {
    let fixture = Fixture::new().await;
    let values: Vec<_> = [60.0, 71.0, 79.0, 81.0, 75.0, 85.5, 69.0, 68.0, 67.9, 60.0]
        .into_iter()
        .zip(0..)
        .map(|(temperature, second)| reading("S-1", second, temperature))
        .collect();
    fixture.deliver(0, &values[..2]).await;
    assert_eq!(fixture.alarms().await, ["S-1 temperature warning 1 - - 71.0"]);
    fixture.deliver(2, &values[2..6]).await;
    assert_eq!(fixture.alarms().await, ["S-1 temperature critical 1 3 - 85.5"]);
    fixture.deliver(6, &values[6..8]).await;
    assert_eq!(fixture.alarms().await, ["S-1 temperature critical 1 3 - 85.5"], "68 is not below 70 - 2");
    fixture.deliver(8, &values[8..]).await;
    assert_eq!(fixture.alarms().await, ["S-1 temperature critical 1 3 8 85.5"]);
    let states = fixture.states().await;
    assert_eq!(states[1], "S-1 warning");
    assert_eq!(states[3], "S-1 critical");
    assert_eq!(states[6], "S-1 normal");
}

#[tokio::test]
async fn one_batch_may_hold_whole_alarms_and_is_judged_in_order_of_time() {
    let fixture = Fixture::new().await;
    let mut values = vec![
        reading("S-1", 1, 75.0),
        reading("S-1", 2, 60.0),
        reading("S-1", 3, 90.0),
        reading("S-2", 1, 85.0),
        reading("S-1", 4, 91.0),
    ];
    values.reverse();
    fixture.deliver(0, &values).await;
    let expected = [
        "S-1 temperature warning 1 - 2 75.0",
        "S-1 temperature critical 3 - - 91.0",
        "S-2 temperature critical 1 - - 85.0",
    ];
    assert_eq!(fixture.alarms().await, expected);
    fixture.deliver(0, &values).await;
    assert_eq!(fixture.alarms().await, expected, "a batch that is delivered again changes no alarm");
}

#[tokio::test]
async fn a_reading_older_than_the_last_judged_one_is_stored_and_not_judged() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, &[reading("S-1", 10, 75.0)]).await;
    fixture.deliver(1, &[reading("S-1", 5, 20.0), reading("S-1", 6, 99.0)]).await;
    assert_eq!(fixture.alarms().await, ["S-1 temperature warning 10 - - 75.0"]);
    assert_eq!(fixture.states().await.len(), 3);
    fixture.deliver(3, &[reading("S-1", 11, 20.0), reading("S-1", 9, 99.0)]).await;
    assert_eq!(fixture.alarms().await, ["S-1 temperature warning 10 - 11 75.0"]);
}

#[tokio::test]
async fn a_sensor_has_its_own_thresholds_from_the_next_batch_on() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, &[reading("S-1", 1, 50.0)]).await;
    fixture.import("S-1", PartialThresholds { warning_c: Some(40.0), critical_c: None, hysteresis_c: Some(5.0) }).await;
    fixture.deliver(1, &[reading("S-1", 2, 50.0), reading("S-2", 2, 50.0), reading("S-1", 3, 36.0)]).await;
    assert_eq!(fixture.alarms().await, ["S-1 temperature warning 2 - - 50.0"]);
    fixture.deliver(4, &[reading("S-1", 4, 34.9)]).await;
    assert_eq!(fixture.alarms().await, ["S-1 temperature warning 2 - 4 50.0"]);
}

#[tokio::test]
async fn a_silent_sensor_raises_an_alarm_that_its_next_reading_ends() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, &[reading("S-1", 0, 20.0), reading("S-2", 0, 20.0)]).await;
    assert_eq!(fixture.silent(60).await, (0, 0));
    fixture.deliver(2, &[reading("S-2", 30, 20.0)]).await;
    assert_eq!(fixture.silent(80).await, (1, 1));
    assert_eq!(fixture.alarms().await, ["S-1 silent warning 60 - - 80.0"]);
    assert_eq!(fixture.silent(85).await, (0, 1), "an alarm is opened once");
    assert_eq!(fixture.alarms().await, ["S-1 silent warning 60 - - 85.0"]);
    fixture.deliver(3, &[reading("S-1", 100, 20.0), reading("S-1", 101, 20.0)]).await;
    assert_eq!(fixture.alarms().await, ["S-1 silent warning 60 - 100 100.0"]);
    assert_eq!(fixture.silent(150).await, (1, 1), "now the other one is silent");
    assert_eq!(fixture.alarms().await[1], "S-2 silent warning 90 - - 120.0");
    assert_eq!(fixture.silent(400).await, (1, 2));
    assert_eq!(fixture.alarms().await.last().unwrap(), "S-1 silent warning 161 - - 299.0");
}

#[tokio::test]
async fn a_sensor_that_never_sent_anything_is_waited_for_from_when_it_is_first_found() {
    let fixture = Fixture::new().await;
    fixture.import("S-9", PartialThresholds::default()).await;
    assert_eq!(fixture.silent(0).await, (0, 0));
    assert_eq!(fixture.silent(60).await, (0, 0));
    assert_eq!(fixture.silent(61).await, (1, 1));
    assert_eq!(fixture.alarms().await, ["S-9 silent warning 60 - - 61.0"]);
    fixture.deliver(0, &[reading("S-9", 70, 20.0)]).await;
    assert_eq!(fixture.alarms().await, ["S-9 silent warning 60 - 70 70.0"]);
}

#[tokio::test]
async fn a_reading_known_already_is_a_duplicate_and_a_bad_one_a_reject() {
    let fixture = Fixture::new().await;
    let values = [reading("S-1", 1, 20.0), reading("S-1", 1, 99.0), br#"{"sensor_id":"S-1"}"#.to_vec()];
    fixture.deliver(0, &values).await;
    let ledger = fixture.database.texts("SELECT CONCAT_WS(' ', stored, duplicates, rejects) FROM ledger").await;
    assert_eq!(ledger, ["1 1 1"]);
    assert!(fixture.alarms().await.is_empty(), "a duplicate raises no alarm");
}

#[tokio::test]
async fn a_reading_from_before_the_first_year_is_refused_by_itself() {
    let fixture = Fixture::new().await;
    let ancient = br#"{"sensor_id":"S-1","measured_at":"0000-01-01T00:00:00Z","temperature_c":20}"#.to_vec();
    fixture.deliver(0, &[reading("S-1", 1, 20.0), ancient]).await;
    let ledger =
        fixture.database.texts("SELECT CONCAT_WS(' ', stored + rejects, duplicates, next_offset) FROM ledger").await;
    assert_eq!(ledger, ["2 0 2"], "whatever the database makes of such a year, the batch goes on");
}

#[tokio::test]
async fn an_event_that_is_neither_a_batch_nor_a_known_task_is_an_error() {
    let fixture = Fixture::new().await;
    let error = fixture.watch.handle(r#"{"task":"dance"}"#, noon()).await.unwrap_err();
    assert_eq!(error.to_string(), "task: expected silent, not dance");
}

struct NoRejects;

impl Originals for NoRejects {
    fn original(&self, offset: u64) -> Original {
        panic!("the record at {offset} was refused")
    }
}

#[tokio::test]
async fn a_search_tells_how_many_sensors_are_too_hot() {
    let fixture = Fixture::new().await;
    let hot = async || silence::find(&fixture.pool, noon(), Duration::seconds(60)).await.unwrap().hot;
    assert_eq!(hot().await, 0);
    fixture.deliver(0, &[reading("S-1", 0, 75.0), reading("S-2", 0, 90.0), reading("S-3", 0, 20.0)]).await;
    assert_eq!((hot().await, hot().await), (2, 2), "as long as they are");
    fixture.deliver(3, &[reading("S-1", 1, 20.0), reading("S-2", 1, 71.0)]).await;
    assert_eq!(hot().await, 1, "71 is not below 70 - 2");
}

#[tokio::test]
async fn a_batch_tells_how_many_alarms_it_opened() {
    let fixture = Fixture::new().await;
    let store = async |first_offset: u64, values: &[(&str, i64, f64)]| {
        let record = |(offset, (sensor, second, celsius)): (u64, &(&str, i64, f64))| {
            let value = reading(sensor, *second, *celsius);
            let reading = millrace_wire::sensors::decode(&value, noon()).unwrap();
            Record { offset, recorded_at: noon(), content: Ok(reading) }
        };
        let records: Vec<_> = (first_offset..).zip(values).map(record).collect();
        let source = Source { topic: TOPIC, partition: 0, records: records.len() };
        let limits = LimitsCache::default();
        let outcome = sensors::store(&fixture.pool, &limits, source, Incoming::ready(records), &NoRejects).await;
        outcome.unwrap().alarms_opened
    };
    let first = [("S-1", 0, 75.0), ("S-1", 1, 20.0), ("S-1", 2, 85.0), ("S-2", 0, 71.0), ("S-3", 0, 20.0)];
    assert_eq!(store(0, &first).await, 3, "one that it closed again is among them");
    assert_eq!(store(0, &first).await, 0, "delivered again");
    assert_eq!(store(5, &[("S-1", 3, 86.0), ("S-2", 1, 90.0), ("S-3", 1, 75.0)]).await, 1, "open ones go on");
}
