//! What must hold whichever emulator and database stand there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_mysql::accounts::{self, Account, Role};
use millrace_store_mysql::pool;
use millrace_test_support::batches::batch;
use millrace_test_support::mysql::TestDatabase;
use millrace_tests::customers::churn_file;
use millrace_wire::Topic;
use millrace_wire::csv_records::{CsvRecords, CustomerDefaults};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, ConnectOptions};
use uuid::Uuid;

use crate::cloudwatch::Alarm;
use crate::commands::Commands;
use crate::emulator::Aws;
use crate::functions::Functions;

/// Where everything is.
pub(crate) struct Place {
    /// The administrator's address, `mysql://user:password@host:port/`.
    pub(crate) mysql_url: String,
    pub(crate) documents_url: String,
    pub(crate) aws: Aws,
}

impl Place {
    pub(crate) async fn database(&self) -> TestDatabase {
        TestDatabase::create_on(&self.mysql_url).await
    }

    /// The administrator's name and password, and `host:port`.
    fn administrator(&self) -> (&str, &str, &str) {
        let parts = self.mysql_url.strip_prefix("mysql://").and_then(|rest| rest.split_once('@'));
        let (user, server) = parts.expect("mysql://user:password@host:port/");
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        (user, password, server.trim_end_matches('/'))
    }

    /// A database's address for one of its users, without the password.
    pub(crate) fn address(&self, user: &str, database: &TestDatabase) -> String {
        format!("mysql://{user}@{}/{}", self.administrator().2, database.name())
    }

    /// The variables of the group `mysql`, with the password as a secret.
    pub(crate) fn mysql(&self, user: &str, database: &TestDatabase, secret_arn: &str) -> BTreeMap<String, String> {
        let mut variables = self.aws.environment();
        variables.insert("MILLRACE_MYSQL_URL".into(), self.address(user, database));
        variables.insert("MILLRACE_MYSQL_PASSWORD_SECRET_ARN".into(), secret_arn.into());
        variables
    }

    /// Those and the variables of the group `documents`.
    fn with_documents(&self, user: &str, database: &TestDatabase, secret_arn: &str) -> BTreeMap<String, String> {
        let mut variables = self.mysql(user, database, secret_arn);
        variables.insert("MILLRACE_DOCUMENTS_URL".into(), self.documents_url.clone());
        variables.insert("MILLRACE_DOCUMENTS_DATABASE".into(), database.name().to_owned());
        variables
    }
}

/// `migrate` signs in by the administrator's secret, makes the schema, and the users that secrets name.
pub(crate) async fn users_are_made_of_their_secrets(place: &Place, database: &TestDatabase) {
    const USERS: &str =
        "SELECT CONCAT(user, '@', host) FROM mysql.user WHERE user IN ('bi', 'millrace') AND host = '%' ORDER BY 1";
    let name = |what: &str| format!("{}/mysql/{what}", database.name());
    let (user, password, _) = place.administrator();
    let admin = place.aws.create_secret(&name("admin"), user, password).await;
    let bi = place.aws.create_secret(&name("bi"), "bi", "bipassword").await;
    let functions = place.aws.create_secret(&name("functions"), "millrace", "functionspassword").await;
    let mut variables = place.mysql(user, database, &admin);
    variables.insert("MILLRACE_MYSQL_USER_SECRET_ARNS".into(), format!("{bi},{functions}"));
    let migrate = Functions::start(&["migrate"], variables);
    let first = migrate.invoke("migrate", "{}").await;
    assert_eq!((&first["applied"], &first["users"]), (&first["known"], &2.into()), "{first}");
    assert_eq!(database.texts(USERS).await, ["bi@%", "millrace@%"]);
    let rights = "SELECT COUNT(*) FROM information_schema.table_privileges WHERE privilege_type = 'SELECT' \
                  AND table_schema = DATABASE() AND table_name LIKE 'bi\\_%' AND grantee = '\\'bi\\'@\\'%\\''";
    assert_ne!(database.texts(&format!("SELECT CAST(({rights}) AS CHAR)")).await, ["0"]);
    let second = migrate.invoke("migrate", "{}").await;
    assert_eq!((&second["applied"], &second["users"]), (&0.into(), &2.into()), "{second}");
    migrate.stop().await;
    database.run("DROP USER 'bi'@'%'; DROP USER 'millrace'@'%'").await;
}

/// A process whose connections are lost after its password was changed goes on with the new one, without a failed batch. While
/// the secret still has the old one, its batches are asked for again, by topic and offset, instead of failing as a whole.
pub(crate) async fn a_changed_password_is_read_again(place: &Place, database: &TestDatabase) {
    let (user, arn) = user_of_functions(place, database).await;
    let rate = Functions::start(&["rate"], place.mysql(&user, database, &arn));
    assert_eq!(rate.invoke("rate", &event(0)).await["batchItemFailures"], serde_json::json!([]));

    place.aws.change_secret(&arn, &user, "second").await;
    change_password(database, &user, "second").await;
    assert_eq!(rate.invoke("rate", &event(1)).await["batchItemFailures"], serde_json::json!([]));
    assert_eq!(database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM usage_events").await, ["2"]);
    let log = rate.log("rate");
    assert!(log.contains("password was changed"), "{log}");
    assert!(!log.contains("\"BatchesFailed\":1"), "{log}");

    change_password(database, &user, "third").await;
    let batch = event(2);
    let refused = rate.invoke("rate", &batch).await;
    let again = serde_json::json!([{"itemIdentifier": {"topic-partition": "usage-events-0", "offset": 2}}]);
    assert_eq!(refused["batchItemFailures"], again);
    place.aws.change_secret(&arn, &user, "third").await;
    // A secret that was read is read again at most every ten seconds.
    let begun = Instant::now();
    while rate.invoke("rate", &batch).await["batchItemFailures"] != serde_json::json!([]) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", rate.log("rate"));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM usage_events").await, ["3"]);
    let log = rate.log("rate");
    assert!(log.contains("\"BatchesFailed\":1"), "the failure is counted: {log}");
    for password in ["first", "second", "third"] {
        assert!(!log.contains(&format!("\"{password}\"")), "{log}");
    }
    rate.stop().await;
    database.run(&format!("DROP USER '{user}'@'%'")).await;
}

/// Gives a user of the database another password and ends its connections: new ones need it.
async fn change_password(database: &TestDatabase, user: &str, password: &str) {
    database.run(&format!("ALTER USER '{user}'@'%' IDENTIFIED BY '{password}'")).await;
    let connections = format!("SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE user = '{user}'");
    let mut administrator = database.admin().connect().await.unwrap();
    for connection in database.texts(&connections).await {
        // It may have ended by itself.
        let _ = sqlx::raw_sql(AssertSqlSafe(format!("KILL {connection}"))).execute(&mut administrator).await;
    }
}

/// A function whose secret is not there says which, and where that is set.
pub(crate) async fn a_missing_secret_is_named(place: &Place, database: &TestDatabase) {
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nowhere-abcdef";
    let rate = Functions::start(&["rate"], place.mysql("nobody", database, arn));
    rate.fail("rate", &event(0)).await;
    let log = rate.log("rate");
    let expected =
        format!("MILLRACE_MYSQL_PASSWORD_SECRET_ARN: cannot read the secret {arn}: ResourceNotFoundException");
    assert!(log.contains(&expected), "{log}");
    rate.stop().await;
}

/// `train` writes the model's artefact and card to the bucket that it finds by `AWS_ENDPOINT_URL`, and `millrace models` finds both
/// there.
pub(crate) async fn a_model_is_trained_into_s3(place: &Place, database: &TestDatabase) {
    let (user, arn) = user_of_functions(place, database).await;
    let bucket = format!("models-{}", Uuid::new_v4().simple());
    let objects = place.aws.create_bucket(&bucket).await;
    let settings = DocumentSettings {
        url: place.documents_url.clone(),
        database: database.name().to_owned(),
        user: None,
        password: None,
        timeout: Duration::from_secs(20),
    };
    let documents = DocumentStore::connect(&settings).await.unwrap();
    documents.create_indexes().await.unwrap();
    documents.put_features(&customers()).await.unwrap();

    let mut variables = place.with_documents(&user, database, &arn);
    variables.insert("MILLRACE_OBJECTS_BUCKET".into(), bucket.clone());
    let train = Functions::start(&["train"], variables);
    let answer = train.invoke("train", "{}").await;
    assert_eq!(answer["outcome"], "promoted", "{answer}");
    train.stop().await;
    let keys: Vec<String> = objects.list("models/1/").await.unwrap().into_iter().map(|object| object.key).collect();
    assert_eq!(keys, ["models/1/artefact.json", "models/1/card.json"]);

    let commands = Commands::of(place, &user, database, &arn);
    assert_eq!(commands.json(&["models", "list", "--json"])["champion"], 1);
    let shown = commands.json(&["models", "show", "1", "--json", "--bucket", &bucket]);
    assert!(shown["card"].is_object(), "{shown}");
    commands.fail(&["models", "show", "1"], 2, "--bucket is missing");
    // The artefact is read and checked before that is found.
    commands.fail(&["models", "promote", "1", "--bucket", &bucket], 1, "is the champion already");
    commands.fail(&["models", "promote", "1", "--bucket", "nowhere"], 1, "models/1/artefact.json is missing");
    database.run(&format!("DROP USER '{user}'@'%'")).await;
}

/// A record that the ledger loses is found by `cache`, and what it then writes into its log raises the alarm: a metric is made of
/// the log and asked for by its name, unit and dimensions as the alarm's definition says them.
pub(crate) async fn a_lost_record_raises_its_alarm(place: &Place, database: &TestDatabase) {
    let (user, arn) = user_of_functions(place, database).await;
    let cache = Functions::start(&["cache"], place.with_documents(&user, database, &arn));
    let cloudwatch = place.aws.cloudwatch();
    let alarm = Alarm::put(&cloudwatch, "conservation-broken", "cache");
    assert_eq!(alarm.judge(), "INSUFFICIENT_DATA", "nothing was measured yet");
    let mut taken = 0;
    for (lost, state) in [(0, "OK"), (1, "ALARM")] {
        let lose =
            format!("UPDATE ledger SET stored = stored - {lost} WHERE topic = 'usage-events' AND partition_no = 0");
        database.run(&lose).await;
        let answer = cache.invoke("cache", "{}").await;
        assert_eq!(answer["conservation_difference"], lost, "{answer}");
        let begun = Instant::now();
        // The host writes the log beside the answer.
        let log = loop {
            let log = cache.log("cache");
            if log[taken..].contains("\"ConservationDifference\":") && log.ends_with('\n') {
                break log;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the metric is not emitted: {log}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        cloudwatch.take_log(&log[taken..]);
        taken = log.len();
        assert_eq!(alarm.judge(), state, "{lost} lost: {log}");
    }
    cache.stop().await;
    database.run(&format!("DROP USER '{user}'@'%'")).await;
}

/// A user of this test's own that may do what functions do in a database with its schema; its name and its secret's ARN.
pub(crate) async fn user_of_functions(place: &Place, database: &TestDatabase) -> (String, String) {
    let user = format!("f{}", &Uuid::new_v4().simple().to_string()[..12]);
    let account = [Account {
        role: Role::Functions,
        user: user.clone(),
        host: "%".into(),
        password: SecretString::from("first"),
    }];
    let admin = pool::with(database.options());
    accounts::create(&admin, &account).await.expect("a user is made");
    accounts::grant(&admin, &account).await.expect("it is given its rights");
    admin.close().await;
    let arn = place.aws.create_secret(&user, &user, "first").await;
    (user, arn)
}

pub(crate) async fn variables_of(place: &Place, database: &TestDatabase) -> BTreeMap<String, String> {
    let (user, arn) = user_of_functions(place, database).await;
    place.mysql(&user, database, &arn)
}

/// A call that began just now.
pub(crate) fn call(number: i64, now: DateTime<Utc>) -> String {
    let started_at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    serde_json::json!({
        "event_id": Uuid::new_v4(), "service": "voice", "subscriber": format!("2126123456{number:02}"),
        "destination": "+212522000001", "started_at": started_at, "usage": 95,
    })
    .to_string()
}

/// A batch of the call at this offset.
fn event(offset: i64) -> String {
    let now = Utc::now();
    batch("usage-events", 0, offset, now, &[call(offset, now).into_bytes()])
}

/// Labelled customers whose reasons to leave can be learnt.
fn customers() -> Vec<millrace_domain::customers::CustomerSnapshot> {
    let file = churn_file(600, 7, true);
    let defaults = CustomerDefaults { stem: "customer".into(), observed_at: Utc::now() };
    let rows = CsvRecords::new(file.as_bytes(), Topic::Customers, defaults).expect("the file has its columns");
    rows.map(|row| millrace_wire::customers::decode(&row.expect("a row").json, Utc::now()).expect("a customer"))
        .collect()
}
