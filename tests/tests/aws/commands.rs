//! `millrace` on a machine that reaches an account: it works on a database beside which no stack runs.

use std::path::PathBuf;
use std::process::{Command, Output};

use chrono::{TimeDelta, Utc};
use millrace_test_support::batches::batch;
use millrace_test_support::mysql::TestDatabase;
use millrace_test_support::stack::project_root;
use serde_json::Value;
use tempfile::TempDir;

use crate::emulator::REGION;
use crate::functions::Functions;
use crate::scenario::{Place, call, user_of_functions};

const OPERATOR: &str = r#"{"name": "Atlas Mobile", "address": ["1 rue de la Gare"], "currency": "MAD",
    "timezone": "Africa/Casablanca", "tax_rate": "0.20", "invoice_prefix": "AT", "payment_days": 30}"#;

/// The command, in a home without a stack.
pub(crate) struct Commands<'a> {
    place: &'a Place,
    home: TempDir,
    /// What names the database.
    options: [String; 4],
}

impl<'a> Commands<'a> {
    /// Commands on this database as this user.
    pub(crate) fn of(place: &'a Place, user: &str, database: &TestDatabase, secret_arn: &str) -> Self {
        let url = place.address(user, database);
        let options = ["--mysql-url".into(), url, "--secret-arn".into(), secret_arn.to_owned()];
        Self { place, home: tempfile::tempdir().expect("a temporary folder"), options }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, content).expect("a file is written");
        path
    }

    /// The command with these arguments and no others.
    fn plain(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(project_root().join("target/release/millrace"));
        command.args(arguments).env("MILLRACE_HOME", self.home.path());
        command.env("AWS_REGION", REGION).envs(self.place.aws.environment());
        command.output().expect("target/release/millrace runs: scripts/test builds it")
    }

    /// The command with these arguments and, behind them, the database.
    fn run(&self, arguments: &[&str]) -> Output {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        self.plain(&[arguments, &options].concat())
    }

    /// The answer of a command that must succeed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
    }

    /// Sees that a command fails with this exit status and these words.
    pub(crate) fn fail(&self, arguments: &[&str], status: i32, words: &str) {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{arguments:?}: {output:?}");
    }
}

/// `millrace import` brings the operator's data into a database beside which no stack runs.
pub(crate) async fn reference_data_is_imported_by_a_secret(place: &Place, database: &TestDatabase) {
    let (user, arn) = user_of_functions(place, database).await;
    let commands = Commands::of(place, &user, database, &arn);
    let cells = commands.file("cells.csv", "cell,site,latitude,longitude\nAWS-1,Rabat-1,34.02,-6.83\n");
    let import = ["import", "cells", cells.to_str().expect("its path is text")];
    let imported = commands.run(&import);
    assert_eq!(String::from_utf8_lossy(&imported.stdout), "1 added, 0 changed, 0 unchanged\n", "{imported:?}");
    assert_eq!(database.texts("SELECT cell FROM cells WHERE cell = 'AWS-1'").await, ["AWS-1"]);

    let nowhere = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nowhere-abcdef";
    let elsewhere = Commands::of(place, &user, database, nowhere);
    elsewhere.fail(&import, 1, &format!("--secret-arn: cannot read the secret {nowhere}"));
    let alone = commands.plain(&[&import[..], &["--mysql-url", &place.address(&user, database)]].concat());
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--secret-arn"), "{alone:?}");
    database.run(&format!("DROP USER '{user}'@'%'")).await;
}

/// What a person does about refused records, wrong prices and wrong invoices works on such a database too, by the rights that the
/// functions' user has.
pub(crate) async fn rejects_prices_and_invoices_are_reached_by_a_secret(place: &Place, database: &TestDatabase) {
    let (user, arn) = user_of_functions(place, database).await;
    let rate = Functions::start(&["rate"], place.mysql(&user, database, &arn));
    let now = Utc::now();
    let records = [call(77, now).into_bytes(), b"{\"wrong\":1}".to_vec()];
    let answer = rate.invoke("rate", &batch("usage-events", 1, 0, now, &records)).await;
    assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
    rate.stop().await;

    let commands = Commands::of(place, &user, database, &arn);
    let listed = commands.json(&["rejects", "list", "--json"]);
    let rejects = listed["rejects"].as_array().expect("a list");
    assert_eq!(rejects.len(), 1, "{listed}");
    let place_of = (&rejects[0]["topic"], &rejects[0]["partition"], &rejects[0]["offset"]);
    assert_eq!(place_of, (&"usage-events".into(), &1.into(), &1.into()));
    let id = rejects[0]["reject_id"].to_string();
    let [url_option, url, secret_option, secret] = commands.options.each_ref().map(String::as_str);
    let before = commands.plain(&["rejects", url_option, url, secret_option, secret, "show", &id]);
    assert!(String::from_utf8_lossy(&before.stdout).contains("{\"wrong\":1}"), "{before:?}");
    commands.fail(&["rejects", "replay"], 2, "--cluster-arn is missing");

    let operator = commands.file("operator.json", OPERATOR);
    let imported = commands.run(&["import", "operator", operator.to_str().expect("its path is text")]);
    assert!(imported.status.success(), "{imported:?}");
    let (from, to) = (now - TimeDelta::days(1), now + TimeDelta::days(2));
    let (from, to) = (from.date_naive().to_string(), to.date_naive().to_string());
    let arguments = ["rerate", "--from", &from, "--to", &to, "--subscriber", "212612345677", "--json"];
    let priced = commands.json(&arguments);
    assert_eq!((&priced["events"], &priced["currency"]), (&1.into(), &"MAD".into()), "{priced}");
    for command in ["credit", "invoice"] {
        commands.fail(&[command, "AT1999-00000001"], 2, "there is no invoice AT1999-00000001");
    }
    database.run(&format!("DROP USER '{user}'@'%'")).await;
}
