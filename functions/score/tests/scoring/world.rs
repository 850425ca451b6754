//! A database, documents and objects of a test's own, with models made by hand.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use millrace_churn_model::{
    Artefact, Calibration, Column, Linear, Predictor, Preparation, SCHEMA_VERSION, TrainedOn, checksum,
};
use millrace_local_host::ObjectsServer;
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_mysql::models::NewModel;
use millrace_store_mysql::{MySqlPool, champion, models, pool, schema};
use millrace_store_objects::{ObjectCredentials, ObjectSettings, ObjectStore};
use millrace_test_support::batches::batch;
use millrace_test_support::environment;
use millrace_test_support::mysql::TestDatabase;
use millrace_wire::PartialBatchResponse;
use score::{Answer, Score, ScoredLeft};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) mysql: MySqlPool,
    pub(crate) documents: DocumentStore,
    pub(crate) objects: ObjectStore,
    pub(crate) server: Option<ObjectsServer>,
    pub(crate) score: Score,
    offset: Cell<i64>,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let mysql = pool::with(database.options());
        schema::migrate(&mysql, now()).await.unwrap();
        let documents = documents(&environment::required("MILLRACE_TEST_DOCUMENTS_URL"), database.name()).await;
        let folder = tempfile::tempdir().unwrap();
        let secret = secrecy::SecretString::from("a secret");
        let server = ObjectsServer::start(folder.path(), "127.0.0.1:0".parse().unwrap(), "key", &secret).await.unwrap();
        let settings = ObjectSettings {
            endpoint: Some(format!("http://{}", server.address())),
            region: "eu-west-1".into(),
            bucket: "millrace".into(),
            credentials: Some(ObjectCredentials { access_key: "key".into(), secret_key: secret }),
        };
        let objects = ObjectStore::new(&settings);
        objects.create_bucket().await.unwrap();
        let score = Score::new(mysql.clone(), objects.clone(), documents.clone());
        Self { database, mysql, documents, objects, server: Some(server), score, offset: 0.into(), _folder: folder }
    }

    /// The function in another process, which has loaded nothing yet.
    pub(crate) fn another_process(&self) -> Score {
        Score::new(self.mysql.clone(), self.objects.clone(), self.documents.clone())
    }

    /// Stores a model and returns its version.
    pub(crate) async fn train(&self, artefact: &Artefact) -> u32 {
        let bytes = artefact.to_bytes().unwrap();
        let model =
            NewModel { candidate: &artefact.candidate, schema_version: SCHEMA_VERSION, sha256: &checksum(&bytes) };
        let version = models::register(&self.mysql, &model).await.unwrap();
        self.objects.put_artefact(version, Bytes::from(bytes)).await.unwrap();
        assert!(models::stored(&self.mysql, version).await.unwrap());
        version
    }

    pub(crate) async fn promote(&self, version: u32) {
        let before = champion::current(&self.mysql).await.unwrap().map(|champion| champion.model.version);
        champion::promote(&self.mysql, version, before, "a test", "").await.unwrap();
    }

    /// Delivers records that were not delivered before.
    pub(crate) async fn deliver(&self, values: &[Vec<u8>]) {
        let first = self.offset.replace(self.offset.get() + values.len() as i64);
        self.deliver_at(&self.score, first, values).await;
    }

    /// Delivers records that begin at an offset, to a process of the function.
    pub(crate) async fn deliver_at(&self, score: &Score, first_offset: i64, values: &[Vec<u8>]) {
        self.offset.set(self.offset.get().max(first_offset + values.len() as i64));
        let payload = batch("customers", 1, first_offset, now(), values);
        assert_eq!(score.handle(&payload).await.unwrap(), Answer::Batch(PartialBatchResponse::default()));
    }

    pub(crate) async fn score_left(&self) -> ScoredLeft {
        match self.score.handle(r#"{"task":"score-left"}"#).await.unwrap() {
            Answer::Left(left) => left,
            Answer::Batch(answer) => panic!("{answer:?}"),
        }
    }

    /// Customer, hour of the observation, model version, probability in percent, decision.
    pub(crate) async fn scores(&self) -> Vec<String> {
        self.database
            .texts(
                "SELECT CONCAT_WS(' ', customer_id, HOUR(observed_at), model_version, ROUND(100 * probability), churn_predicted) \
                 FROM churn_scores ORDER BY customer_id, observed_at, model_version",
            )
            .await
    }

    pub(crate) async fn count(&self, table: &str) -> String {
        self.database.texts(&format!("SELECT CAST(COUNT(*) AS CHAR) FROM {table}")).await.remove(0)
    }
}

pub(crate) async fn documents(url: &str, name: &str) -> DocumentStore {
    let settings = DocumentSettings {
        url: url.to_owned(),
        database: name.to_owned(),
        user: None,
        password: None,
        timeout: Duration::from_secs(2),
    };
    DocumentStore::connect(&settings).await.unwrap()
}

/// Documents that do not answer.
pub(crate) async fn documents_away() -> DocumentStore {
    documents(&format!("mongodb://{}/?retryWrites=false", environment::nowhere()), "millrace").await
}

pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 23, 0, 0).unwrap()
}

/// An hour of the day of the observations.
pub(crate) fn at(hour: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 0, 0, 0).unwrap() + TimeDelta::hours(hour)
}

/// A customer as observed at an hour, with minutes by day; `label` as the topic has it.
pub(crate) fn snapshot(customer: &str, hour: i64, day_minutes: f64, label: Option<bool>) -> Vec<u8> {
    let label = label.map(|left| format!(r#","churn":{left}"#)).unwrap_or_default();
    format!(
        r#"{{"customer_id":"{customer}","observed_at":"{}","state":"KS","account_length":128,"area_code":415,
        "international_plan":"No","voice_mail_plan":"Yes","number_vmail_messages":25,"total_day_minutes":{day_minutes},
        "total_day_calls":110,"total_day_charge":45.07,"total_eve_minutes":"197.4","total_eve_calls":99,"total_eve_charge":16.78,
        "total_night_minutes":244.7,"total_night_calls":91,"total_night_charge":11.01,"total_intl_minutes":10.0,
        "total_intl_calls":3,"total_intl_charge":2.7,"customer_service_calls":1{label}}}"#,
        at(hour).to_rfc3339()
    )
    .into_bytes()
}

/// Says 50 % at 200 of a column, and more above it; the threshold is 50 %.
pub(crate) fn model(column: &str, coefficient: f64) -> Artefact {
    let columns = [(column, 200.0), ("account_length", 128.0)];
    Artefact {
        schema_version: SCHEMA_VERSION,
        candidate: "logistic".into(),
        library: "by hand".into(),
        trained_on: TrainedOn { from: at(0), to: at(1), rows: 2, churned: 1 },
        preparation: Preparation {
            columns: columns.map(|(name, missing)| Column { name: name.into(), missing }).into(),
            states: BTreeMap::new(),
            unseen_state: 0.0,
        },
        predictor: Predictor::Logistic(Linear {
            intercept: 0.0,
            means: vec![200.0, 128.0],
            coefficients: vec![coefficient, 0.001],
        }),
        calibration: Calibration::None,
        threshold: 0.5,
    }
}

/// By the minutes of the snapshot.
pub(crate) fn by_day_minutes() -> Artefact {
    model("total_day_minutes", 0.02)
}
