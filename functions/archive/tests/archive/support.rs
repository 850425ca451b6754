//! An operator whose numbers cost a quarter a call, and its archive.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use archive::{Answer, Archive, ArchiveError, Archived, Limits, Manifest, Request, key, part_key};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use millrace_domain::identity::{Destination, Msisdn};
use millrace_domain::usage::{Service, UsageEvent};
use millrace_local_host::ObjectsServer;
use millrace_store_mysql::archive::{Dataset, Month};
use millrace_store_mysql::batch::{Incoming, Original, Originals, Record, Source};
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::{MySqlPool, pool, schema, usage};
use millrace_store_objects::{ObjectCredentials, ObjectSettings, ObjectStore};
use millrace_test_support::kill;
use millrace_test_support::mysql::TestDatabase;
use millrace_wire::tariff;
use parquet::file::reader::{FileReader, SerializedFileReader};
use uuid::Uuid;

/// A number of account A-1, whose cycles begin on the first.
pub(crate) const NUMBER: &str = "46700000001";

const SECRET: &str = "a secret";

const TARIFF: &str = r#"{"currency":"EUR","timezone":"UTC","timings":{"any":{}},"rates":[
    {"service":"voice","prefix":"","timing":"any","weight":1,"connect_fee":"0","zone":"national","rounding":"up","decimals":4,
     "steps":[{"from":0,"price":"0.25","per":60,"increment":60}]}],"allowances":[]}"#;

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) pool: MySqlPool,
    pub(crate) objects: ObjectStore,
    server: ObjectsServer,
    _folder: tempfile::TempDir,
    next: AtomicU64,
}

struct NoRejects;

impl Originals for NoRejects {
    fn original(&self, offset: u64) -> Original {
        panic!("the record at {offset} was refused")
    }
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

fn object_settings(server: &ObjectsServer) -> ObjectSettings {
    ObjectSettings {
        endpoint: Some(format!("http://{}", server.address())),
        region: "eu-west-1".to_owned(),
        bucket: "millrace".to_owned(),
        credentials: Some(ObjectCredentials { access_key: "key".to_owned(), secret_key: SECRET.to_owned().into() }),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let pool = pool::with(database.options());
        // Partitions from 14 months before this.
        schema::migrate(&pool, "2026-04-01T00:00:00Z".parse().unwrap()).await.unwrap();
        database
            .run(&format!(
                "INSERT INTO operator (id, name, address, currency, timezone, tax_rate, invoice_prefix, payment_days, close_after_hours)
                 VALUES (1, 'Atlas', '', 'EUR', 'UTC', 0, 'MR', 30, 48);
                 INSERT INTO tariffs (tariff_no, name, valid_from, body) VALUES (1, 'flat', '2000-01-01', '{TARIFF}');
                 INSERT INTO plans (plan, description, fee, tariff) VALUES ('basic', '', 0, 'flat');
                 INSERT INTO accounts (account_no, account_id, name, segment, city, cycle_day, tax_exempt)
                 VALUES (1, 'A-1', '', '', '', 1, FALSE);
                 INSERT INTO subscriptions (msisdn, active_from, account_no, plan) VALUES ('{NUMBER}', '2000-01-01', 1, 'basic')"
            ))
            .await;
        let folder = tempfile::tempdir().unwrap();
        let secret = secrecy::SecretString::from(SECRET);
        let server = ObjectsServer::start(folder.path(), "127.0.0.1:0".parse().unwrap(), "key", &secret).await.unwrap();
        let objects = ObjectStore::new(&object_settings(&server));
        objects.create_bucket().await.unwrap();
        Self { database, pool, objects, server, _folder: folder, next: AtomicU64::new(0) }
    }

    /// Archives March's first day as [`World::run`] does, but is killed after `limit`: true when it came to its end before.
    pub(crate) async fn run_for(&self, limit: Duration) -> bool {
        let (archive, options, settings) = (
            self.archive(Limits { part_rows: 3, ..Limits::default() }),
            self.database.options(),
            object_settings(&self.server),
        );
        let run = async move || {
            let archive = Archive { pool: pool::with(options), objects: ObjectStore::new(&settings), ..archive };
            let request = Request::Archive { through: Some(day("2026-03-01")) };
            match archive.run(&request, Utc::now(), Instant::now() + Duration::from_secs(60)).await {
                Ok(Answer::Archived(archived)) => assert!(archived.finished),
                other => panic!("{other:?}"),
            }
        };
        kill::after(limit, run).await.is_some()
    }

    /// Stores calls of a minute that began at some times.
    pub(crate) async fn store(&self, subscriber: &str, times: &[&str]) {
        let from = self.next.fetch_add(times.len() as u64, Ordering::SeqCst);
        let records = times.iter().zip(from..).map(|(started_at, offset)| Record {
            offset,
            recorded_at: "2026-04-01T00:00:00Z".parse().unwrap(),
            content: Ok(UsageEvent {
                event_id: Uuid::new_v4(),
                service: Service::Voice,
                subscriber: Msisdn::parse(subscriber).unwrap(),
                destination: Some(Destination::parse("33700000000").unwrap()),
                started_at: started_at.parse().unwrap(),
                usage: 60,
                cell: None,
                roaming: false,
            }),
        });
        let source = Source { topic: "usage-events", partition: 0, records: times.len() };
        let reference = ReferenceCache::new(tariff::parse_stored);
        let records = Incoming::ready(records.collect());
        let stored = usage::store(&self.pool, &reference, source, records, &NoRejects).await.unwrap();
        assert_eq!(stored.stored.counts.stored, times.len() as u64);
    }

    /// Stores a snapshot.
    pub(crate) async fn observe(&self, customer: &str, churn: Option<bool>) {
        let churn = churn.map_or("NULL".to_owned(), |churn| churn.to_string());
        let sql = format!(
            "INSERT INTO customer_snapshots (observed_at, customer_id, state, account_length, area_code, international_plan, \
             voice_mail_plan, number_vmail_messages, total_day_minutes, total_day_calls, total_day_charge, total_eve_minutes, \
             total_eve_calls, total_eve_charge, total_night_minutes, total_night_calls, total_night_charge, total_intl_minutes, \
             total_intl_calls, total_intl_charge, customer_service_calls, churn) VALUES ('2026-03-01', '{customer}', 'OH', 3, 415, \
             TRUE, FALSE, 0, 1.5, 2, 0.25, 2.5, 3, 0.5, 3.5, 4, 0.75, 4.5, 5, 1, 1, {churn})"
        );
        self.database.run(&sql).await;
    }

    /// Corrects the tariff's price of a minute.
    pub(crate) async fn reprice(&self, from: &str, to: &str) {
        self.database
            .run(&format!(
                "UPDATE tariffs SET body = REPLACE(body, '\"{from}\"', '\"{to}\"'); \
                 UPDATE reference_version SET version = version + 1"
            ))
            .await;
    }

    /// Has rows that were stored just now be stored at another time.
    pub(crate) async fn stored_at(&self, time: &str) {
        for (table, column) in
            [("usage_events", "stored_at"), ("customer_snapshots", "stored_at"), ("adjustments", "adjusted_at")]
        {
            let recent = format!("{column} >= UTC_TIMESTAMP() - INTERVAL 1 HOUR");
            self.database.run(&format!("UPDATE {table} SET {column} = '{time}' WHERE {recent}")).await;
        }
    }

    fn archive(&self, limits: Limits) -> Archive {
        Archive {
            pool: self.pool.clone(),
            objects: self.objects.clone(),
            holder: format!("test {}", Uuid::new_v4()),
            retention: TimeDelta::days(400),
            limits,
        }
    }

    /// Archives the days up to one, three rows to a file.
    pub(crate) async fn run(&self, through: &str) -> Archived {
        self.try_run(through, 3, Instant::now() + Duration::from_secs(60)).await.unwrap()
    }

    pub(crate) async fn try_run(
        &self,
        through: &str,
        part_rows: u64,
        deadline: Instant,
    ) -> Result<Archived, ArchiveError> {
        self.try_run_within(through, Limits { part_rows, ..Limits::default() }, deadline).await
    }

    pub(crate) async fn try_run_within(
        &self,
        through: &str,
        limits: Limits,
        deadline: Instant,
    ) -> Result<Archived, ArchiveError> {
        let request = Request::Archive { through: Some(day(through)) };
        match self.archive(limits).run(&request, Utc::now(), deadline).await? {
            Answer::Archived(archived) => Ok(archived),
            Answer::Dropped(_) => panic!("it was to archive"),
        }
    }

    pub(crate) async fn drop(&self, text: &str, now: &str) -> Result<u64, String> {
        let request = Request::Drop { month: month(text) };
        let now: DateTime<Utc> = now.parse().unwrap();
        match self.archive(Limits::default()).run(&request, now, Instant::now()).await {
            Ok(Answer::Dropped(dropped)) => Ok(dropped.rows),
            Ok(Answer::Archived(_)) => panic!("it was to drop"),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) async fn manifest(&self, dataset: Dataset, stored: &str) -> Manifest {
        let object = self.objects.get(&key(dataset, day(stored))).await.unwrap();
        serde_json::from_slice(&object.body).unwrap()
    }

    /// The rows of a day, each as its cells that are not empty.
    pub(crate) async fn rows(&self, dataset: Dataset, stored: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for part in 0..self.manifest(dataset, stored).await.parts.len() {
            let object = self.objects.get(&part_key(dataset, day(stored), part as u32)).await.unwrap();
            let reader = SerializedFileReader::new(object.body).unwrap();
            for row in reader.get_row_iter(None).unwrap() {
                let row = row.unwrap();
                let cells = row.get_column_iter().map(|(name, cell)| (name, cell.to_string()));
                let shown: Vec<String> =
                    cells.filter(|(_, cell)| cell != "null").map(|(name, cell)| format!("{name}={cell}")).collect();
                rows.push(shown.join(" "));
            }
        }
        rows
    }

    /// What the archive has, and what MySQL has noted of it.
    pub(crate) async fn everything(&self) -> (Vec<(String, u64)>, Vec<Vec<String>>) {
        let objects = self.objects.list("archive/").await.unwrap();
        let mut tables = Vec::new();
        for sql in [
            "SELECT CONCAT_WS(' ', dataset, stored_day, row_count, part_count, next_seq, reach_seq, manifest_sha256, archived_at) \
             FROM archived_days ORDER BY 1",
            "SELECT CONCAT_WS(' ', dataset, stored_day, part_no, first_seq, last_seq, row_count, sha256) FROM archived_parts ORDER BY 1",
        ] {
            tables.push(self.database.texts(sql).await);
        }
        (objects.into_iter().map(|object| (object.key, object.size)).collect(), tables)
    }
}
