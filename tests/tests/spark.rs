//! The Spark jobs on local Spark, over the archive that `archive` wrote: they give what the single machine does.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use millrace_churn_model::features::{NUMBERS, Observation, PlatformUsage};
use millrace_domain::aggregates::CustomerUsage;
use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::identity::CustomerId;
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_test_support::environment::required;
use millrace_test_support::stack::{Stack, project_root};
use millrace_tests::database::Views;
use millrace_tests::one_stack_at_a_time;
use millrace_tests::operator::{Operator, TIMEZONE};
use serde_json::Value;

/// Runs a script of infra/spark and answers its standard output, or its errors when it failed.
fn spark(script: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(required("MILLRACE_TEST_SPARK_PYTHON"))
        .arg("-B")
        .arg(project_root().join("infra/spark").join(script))
        .args(arguments)
        .env("PYSPARK_SUBMIT_ARGS", SUBMIT)
        .env("PYSPARK_PYTHON", required("MILLRACE_TEST_SPARK_PYTHON"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(String::from_utf8(output.stdout).unwrap()) } else { Err(errors) }
}

/// Room beside everything else on a laptop.
const SUBMIT: &str = "--master local[2] --driver-memory 1g --conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=2 \
    --conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1 pyspark-shell";

/// A JSON document on each line, by its identity.
fn by_key(lines: &str, keys: &[&str]) -> BTreeMap<String, Value> {
    let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (keys.iter().map(|key| row[key].as_str().unwrap()).collect::<Vec<_>>().join(" "), row)).collect()
}

/// Has all that was stored until now be stored on days that are closed: yesterday is not yet, within a quarter of an hour after
/// midnight.
fn move_to_past_days(stack: &Stack) {
    let admin = Views::connect_as_administrator(stack);
    admin.execute("UPDATE usage_events SET stored_at = stored_at - INTERVAL (2 + seq MOD 2) DAY");
    admin.execute("UPDATE customer_snapshots SET stored_at = stored_at - INTERVAL 2 DAY");
    admin.execute("UPDATE adjustments SET adjusted_at = adjusted_at - INTERVAL 2 DAY");
}

fn archive_of(stack: &Stack) -> PathBuf {
    stack.home().join("objects/millrace/archive")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn bulk_re_rating_and_training_on_spark_agree_with_the_single_machine() {
    let _one = one_stack_at_a_time();
    let stack = Stack::start();
    let operator = Operator::of_two_cycle_days();
    operator.import(&stack);
    let events = operator.folder().join("events.jsonl");
    stack.succeed(["replay", "--topic", "usage-events", "--wait", text(&events)]);
    let customers = operator.folder().join("customers.jsonl");
    stack.succeed(["replay", "--topic", "customers", "--wait", text(&customers)]);
    move_to_past_days(&stack);
    let archived: Value = serde_json::from_str(&stack.succeed(["invoke", "archive"])).unwrap();
    assert_eq!(archived["finished"], true, "{archived}");

    let work = tempfile::tempdir().unwrap();
    re_rated_charges_equal_the_stored_ones(&stack, &operator, work.path());
    training_rows_equal_the_stored_ones(&stack, work.path());
    a_changed_file_is_refused(&stack, work.path());
}

/// With the tariff that was in force the cluster's charges are those that were stored; with another one, those of `millrace rate`.
fn re_rated_charges_equal_the_stored_ones(stack: &Stack, operator: &Operator, work: &Path) {
    let (archive, millrace) = (archive_of(stack), project_root().join("target/release/millrace"));
    let tariff = operator.folder().join("tariff.json");
    let output = work.join("same");
    let arguments =
        ["--archive", text(&archive), "--millrace", text(&millrace), "--checksums", "--output", text(&output)];
    let printed = spark("rerate.py", &[&arguments[..], &["--tariff", text(&tariff)][..]].concat()).unwrap();
    let summary: Value = serde_json::from_str(&printed).unwrap();
    let views = Views::connect(&stack.mysql_url());
    let count = |condition: &str| views.integer(&format!("SELECT COUNT(*) FROM bi_usage_events WHERE {condition}"));
    assert_eq!(summary["events"], count("1 = 1"), "{summary}");
    assert_eq!(summary["priced"], count("account_id <> ''"), "{summary}");
    assert_eq!(summary["unrated"], count("rating_error = 'no_rate'"), "{summary}");
    assert_eq!(summary["changed"], 0, "{summary}");
    assert_eq!(summary["difference"], "0.0000", "{summary}");
    for seen in ["rating_error = 'no_rate'", "account_id = ''", "amount = 0", "amount > 0"] {
        assert!(count(seen) > 0, "{seen}");
    }

    let dearer = operator.folder().join("dearer.json");
    let output = work.join("dearer");
    let arguments = ["--archive", text(&archive), "--millrace", text(&millrace), "--output", text(&output)];
    spark("rerate.py", &[&arguments[..], &["--tariff", text(&dearer)][..]].concat()).unwrap();
    let rows = spark("tests/rows.py", &[text(&output.join("charges"))]).unwrap();
    let cluster = by_key(&rows, &["event_id"]);
    let mut compared = 0;
    for (cycle_day, lines) in operator.events_in_stored_order(&Views::connect_as_administrator(stack)) {
        for (event_id, alone) in by_key(&rate(&millrace, &dearer, &cycle_day, &lines), &["event_id"]) {
            let together = &cluster[&event_id];
            let amount = alone["amount"].as_str().map(|amount| amount.parse::<f64>().unwrap());
            let expected = together["amount"].as_str().map(|amount| amount.parse::<f64>().unwrap());
            assert_eq!(amount, expected, "{alone}\n{together}");
            for (here, there) in [("allowance_used", "allowance_used"), ("zone", "zone"), ("error", "rating_error")] {
                assert_eq!(alone[here], together[there], "{alone}\n{together}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, cluster.len());
    assert!(cluster.values().any(|charge| charge["amount"] != charge["stored_amount"]));
}

/// `millrace rate` on this machine alone.
fn rate(millrace: &Path, tariff: &Path, cycle_day: &str, lines: &str) -> String {
    let mut filter = Command::new(millrace)
        .args(["rate", "--tariff", text(tariff), "--cycle-day", cycle_day])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = filter.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = filter.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The rows that models are trained on are those of the documents, and of the platform's own usage by cycle.
fn training_rows_equal_the_stored_ones(stack: &Stack, work: &Path) {
    let (archive, output) = (archive_of(stack), work.join("churn"));
    let arguments = ["--archive", text(&archive), "--output", text(&output), "--timezone", TIMEZONE];
    let printed = spark("train_churn.py", &[&arguments[..], &["--trees", "5", "--folds", "2"][..]].concat()).unwrap();
    let rows = by_key(&spark("tests/rows.py", &[text(&output.join("features"))]).unwrap(), &["customer_id"]);

    let labelled = documents(stack);
    assert_eq!(labelled.len(), rows.len());
    assert_eq!(labelled.len(), 160);
    let columns: BTreeSet<&str> =
        rows.values().flat_map(|row| row.as_object().unwrap().keys()).map(String::as_str).collect();
    let others = ["customer_id", "observed_at", "state", "label"];
    let named: BTreeSet<&str> = NUMBERS.iter().map(|feature| feature.name).chain(others).collect();
    assert_eq!(columns, named, "the columns are those that models read here");
    let mut with_usage = 0;
    for (customer, usage) in &labelled {
        let row = &rows[customer.customer_id.as_str()];
        let platform = usage.as_ref().map(PlatformUsage::from);
        with_usage += usize::from(platform.is_some());
        for feature in NUMBERS {
            let expected = (feature.value)(&Observation { customer, platform });
            let found = row[feature.name].as_f64().unwrap_or(f64::NAN);
            let equal = found == expected || found.is_nan() && expected.is_nan();
            assert!(equal, "{} of {}: {found}, not {expected}", feature.name, customer.customer_id);
        }
        assert_eq!(row["state"], customer.state.as_str());
        assert_eq!(row["label"].as_f64(), customer.churn.map(|churn| f64::from(u8::from(churn))));
        assert_eq!(row["observed_at"], customer.observed_at.timestamp_millis());
    }
    assert!(with_usage > 5, "some of them are customers of the platform");
    let both =
        labelled.iter().find(|(customer, _)| customer.customer_id.as_str() == "C-0").unwrap().1.as_ref().unwrap();
    assert!(both.ends_at - both.starts_at > chrono::TimeDelta::days(40), "two accounts with other cycles: {both:?}");

    let metrics: Value = serde_json::from_str(&printed).unwrap();
    let counted = |part: &str| metrics["rows"][part].as_u64().unwrap();
    assert_eq!(counted("train") + counted("test"), 160, "{metrics}");
    for candidate in metrics["candidates"].as_array().unwrap() {
        let auc = candidate["roc_auc"].as_f64().unwrap();
        assert!(auc > 0.9, "who calls often about trouble leaves: {metrics}");
    }
    assert!(output.join("model/metadata").is_dir() && output.join("metrics.json").is_file());
}

/// The labelled customers of the documents, which `cache` keeps, and what the platform measured of each: what `train` reads.
fn documents(stack: &Stack) -> Vec<(CustomerSnapshot, Option<CustomerUsage>)> {
    let printed = stack.succeed(["test-environment"]);
    let url = printed.lines().find_map(|line| line.strip_prefix("MILLRACE_TEST_DOCUMENTS_URL=")).unwrap().to_owned();
    let settings = DocumentSettings {
        url,
        database: "millrace".into(),
        user: None,
        password: None,
        timeout: Duration::from_secs(20),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(DocumentStore::connect(&settings)).unwrap();
    let mut labelled = Vec::new();
    stack.wait_until("every labelled customer", Duration::from_secs(120), |stack| {
        stack.millrace(["invoke", "cache"]);
        labelled = runtime.block_on(store.labelled_features()).unwrap();
        labelled.len() == 160
    });
    let customers: Vec<CustomerId> = labelled.iter().map(|snapshot| snapshot.customer_id.clone()).collect();
    let times = || labelled.iter().map(|snapshot| snapshot.observed_at);
    let (from, to) = (times().min().unwrap(), times().max().unwrap());
    let usage = runtime.block_on(store.usage_of_customers(&customers, from, to)).unwrap();
    let measured = |snapshot: CustomerSnapshot| {
        let before = usage.before(&snapshot.customer_id, snapshot.observed_at);
        (snapshot, before)
    };
    labelled.into_iter().map(measured).collect()
}

fn a_changed_file_is_refused(stack: &Stack, work: &Path) {
    let (archive, output) = (archive_of(stack), work.join("never"));
    let days = std::fs::read_dir(archive.join("customers")).unwrap();
    let part = days.flatten().map(|day| day.path().join("part-00000.parquet")).find(|part| part.is_file()).unwrap();
    let mut bytes = std::fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let arguments = ["--archive", text(&archive), "--output", text(&output), "--timezone", TIMEZONE, "--checksums"];
    let error = spark("train_churn.py", &arguments).unwrap_err();
    assert!(error.contains("part-00000.parquet is not what was written: its SHA-256 differs"), "{error}");
    assert!(!output.exists(), "nothing is trained on it");
}
