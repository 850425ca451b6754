//! A platform of one test's own.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::CustomerId;
use millrace_local_host::ObjectsServer;
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_mysql::champion::{self, Change};
use millrace_store_mysql::models::{self, Model};
use millrace_store_mysql::{pool, schema};
use millrace_store_objects::{ObjectCredentials, ObjectSettings, ObjectStore};
use millrace_test_support::mysql::TestDatabase;
use millrace_test_support::{environment, kill};
use secrecy::SecretString;
use train::{Answer, Settings, Train};

const SECRET: &str = "secret";

pub(crate) struct World {
    pub(crate) train: Train,
    pub(crate) database: TestDatabase,
    folder: tempfile::TempDir,
    pub(crate) server: Option<ObjectsServer>,
}

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn document_settings(database: &TestDatabase) -> DocumentSettings {
    DocumentSettings {
        url: environment::required("MILLRACE_TEST_DOCUMENTS_URL"),
        database: database.name().to_owned(),
        user: None,
        password: None,
        timeout: Duration::from_secs(20),
    }
}

fn object_settings(server: &ObjectsServer) -> ObjectSettings {
    ObjectSettings {
        endpoint: Some(format!("http://{}", server.address())),
        region: "eu-west-1".into(),
        bucket: "models".into(),
        credentials: Some(ObjectCredentials { access_key: "key".into(), secret_key: SECRET.to_owned().into() }),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let mysql = pool::with(database.options());
        schema::migrate(&mysql, noon()).await.unwrap();
        let documents = DocumentStore::connect(&document_settings(&database)).await.unwrap();
        documents.create_indexes().await.unwrap();

        let folder = tempfile::tempdir().unwrap();
        let secret = SecretString::from(SECRET);
        let server = ObjectsServer::start(folder.path(), "127.0.0.1:0".parse().unwrap(), "key", &secret).await.unwrap();
        let objects = ObjectStore::new(&object_settings(&server));
        objects.create_bucket().await.unwrap();
        let settings = Settings { contact_cost: 10.0, value_kept: 100.0, seed: 42, max_rows: 100_000 };
        let train = Train { mysql, documents, objects, holder: "a test".into(), settings, clock: Utc::now };
        Self { train, database, folder, server: Some(server) }
    }

    pub(crate) async fn run(&self) -> Answer {
        self.train.run().await.unwrap()
    }

    /// Another process of the function, on the same platform.
    pub(crate) fn another(&self, holder: &str) -> Train {
        Train {
            mysql: self.train.mysql.clone(),
            documents: self.train.documents.clone(),
            objects: self.train.objects.clone(),
            holder: holder.to_owned(),
            settings: self.train.settings.clone(),
            clock: self.train.clock,
        }
    }

    /// Trains in a process that is killed after `limit`.
    pub(crate) async fn run_for(&self, limit: Duration) {
        let train = self.another(&format!("killed after {limit:?}"));
        let (options, documents) = (self.database.options(), document_settings(&self.database));
        let objects = object_settings(self.server.as_ref().expect("a running server"));
        let run = async move || {
            let mysql = pool::with(options);
            let documents = DocumentStore::connect(&documents).await.unwrap();
            let objects = ObjectStore::new(&objects);
            Train { mysql, documents, objects, ..train }.run().await
        };
        kill::after(limit, run).await;
    }

    pub(crate) async fn champion(&self) -> Option<u32> {
        champion::current(&self.train.mysql).await.unwrap().map(|champion| champion.model.version)
    }

    pub(crate) async fn models(&self) -> Vec<Model> {
        models::newest(&self.train.mysql, 100).await.unwrap()
    }

    pub(crate) async fn changes(&self) -> Vec<Change> {
        champion::history(&self.train.mysql, 100).await.unwrap()
    }

    pub(crate) async fn put(&self, customers: &[CustomerSnapshot]) {
        self.train.documents.put_features(customers).await.unwrap();
    }

    pub(crate) fn artefact(&self, version: u32) -> PathBuf {
        self.folder.path().join(format!("models/models/{version}/artefact.json"))
    }
}

/// Customers whose reasons to leave can be learnt: many minutes by day, and calls to the service. One in fifty does not do as the
/// others. `labelled` tells whether it is known what became of them.
pub(crate) fn customers(
    name: &str,
    count: usize,
    seed: u64,
    observed_at: DateTime<Utc>,
    labelled: bool,
) -> Vec<CustomerSnapshot> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count)
        .map(|n| {
            let mut period = |scale: f64| {
                let minutes = (600.0 * draw()).round() / 2.0;
                PeriodUsage { minutes, calls: 40 + (80.0 * draw()) as u32, charge: minutes * scale }
            };
            let (day, eve, night, intl) = (period(0.17), period(0.085), period(0.045), period(0.27));
            let customer_service_calls = (6.0 * draw()) as u32;
            let left = (day.minutes > 240.0 || customer_service_calls >= 5) != (draw() < 0.02);
            CustomerSnapshot {
                customer_id: CustomerId::parse(&format!("{name}-{n}")).unwrap(),
                observed_at: observed_at + TimeDelta::seconds(n as i64),
                state: ["KS", "OH", "NJ"][n % 3].into(),
                account_length: (200.0 * draw()) as u32,
                area_code: 415,
                international_plan: draw() < 0.1,
                voice_mail_plan: draw() < 0.3,
                number_vmail_messages: 0,
                day,
                eve,
                night,
                intl,
                customer_service_calls,
                churn: labelled.then_some(left),
            }
        })
        .collect()
}
