//! Learning on a whole stack: labelled customers stream in, a model is trained and scores those that follow, and people change the
//! champion.
#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use millrace_churn_model::CustomerScore;
use millrace_domain::identity::CustomerId;
use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_test_support::stack::Stack;
use millrace_tests::customers::churn_file;
use millrace_tests::database::Views;
use millrace_tests::page::Page;
use millrace_tests::relay::Relay;
use millrace_tests::{cache_caught_up, manifests, one_stack_at_a_time, processes};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(90);
/// The object server's place among the ports of a stack.
const OBJECTS: u16 = 5;

struct World {
    stack: Stack,
    views: Views,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn of(stack: Stack) -> Self {
        let views = Views::connect(&stack.mysql_url());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { stack, views, runtime }
    }

    /// Streams a file of customers, whose ids begin with its name.
    fn stream(&self, name: &str, rows: usize, seed: u64, labelled: bool) {
        let file = self.stack.home().join(format!("{name}.csv"));
        std::fs::write(&file, churn_file(rows, seed, labelled)).unwrap();
        self.stack.succeed(["replay", "--topic", "customers", "--wait", file.to_str().unwrap()]);
    }

    /// Streams labelled customers and trains the first champion.
    fn learn(&self) {
        self.stream("learnt", 1_500, 2, true);
        cache_caught_up(&self.stack);
        let answer = self.json(&["invoke", "train"]);
        assert_eq!((&answer["outcome"], &answer["rows"]), (&"promoted".into(), &1_500.into()), "{answer}");
        assert_eq!(self.champion(), 1);
    }

    /// Runs the schedule's task that scores what waits; its answer.
    fn score_left(&self) -> Value {
        let event = self.stack.home().join("left.json");
        std::fs::write(&event, r#"{"task": "score-left"}"#).unwrap();
        self.json(&["invoke", "score", "--event", event.to_str().unwrap()])
    }

    /// Streams customers without a label and waits for their scores; the versions that scored them.
    fn scored(&self, name: &str, rows: usize, seed: u64) -> Vec<i64> {
        self.stream(name, rows, seed, false);
        let scores = |what: &str| format!("SELECT {what} FROM bi_churn_scores WHERE customer_id LIKE '{name}-%'");
        self.stack.wait_until("the scores", SOON, |_| self.views.integer(&scores("COUNT(*)")) == rows as i64);
        self.views.integers(&scores("CAST(MIN(model_version) AS SIGNED), CAST(MAX(model_version) AS SIGNED)"))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.stack.succeed(arguments);
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    fn exit(&self, arguments: &[&str]) -> Option<i32> {
        self.stack.millrace(arguments).status.code()
    }

    fn champion(&self) -> Value {
        self.json(&["models", "list", "--json"])["champion"].clone()
    }

    fn documents<T>(&self, ask: impl AsyncFnOnce(DocumentStore) -> T) -> T {
        let printed = self.stack.succeed(["test-environment"]);
        let url = printed.lines().find_map(|line| line.strip_prefix("MILLRACE_TEST_DOCUMENTS_URL=")).unwrap();
        let settings = DocumentSettings {
            url: url.to_owned(),
            database: "millrace".into(),
            user: None,
            password: None,
            timeout: Duration::from_secs(20),
        };
        self.runtime.block_on(async { ask(DocumentStore::connect(&settings).await.unwrap()).await })
    }

    /// The latest score of a customer as a document: its version and its reasons.
    fn document(&self, customer: &str) -> Option<(u32, usize)> {
        let customer = CustomerId::parse(customer).unwrap();
        let score = self.documents(async |documents| documents.score(&customer).await.unwrap())?;
        Some((score.model_version, score.reasons.len()))
    }

    /// The customer most probable to leave.
    fn riskiest(&self) -> CustomerScore {
        self.documents(async |documents| documents.highest_scores(1).await.unwrap()).remove(0)
    }

    /// The sum of what `score` measured by a metric, as its log has it.
    fn measured(&self, metric: &str) -> i64 {
        let log = std::fs::read_to_string(self.stack.home().join("logs/score.log")).unwrap();
        let lines = log.lines().filter(|line| line.starts_with(r#"{"_aws""#));
        lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()?[metric].as_i64()).sum()
    }

    fn artefact(&self, version: u32) -> PathBuf {
        self.stack.home().join(format!("objects/millrace/models/{version}/artefact.json"))
    }
}

#[test]
fn customers_are_learnt_from_and_scored_and_the_champion_can_be_changed() {
    let _one = one_stack_at_a_time();
    let world = World::of(Stack::start());

    // Before there is a model, customers are stored and wait for their score.
    world.stream("early", 50, 1, false);
    let answer = world.json(&["invoke", "train"]);
    assert_eq!(answer["outcome"], "too_little_data", "{answer}");
    assert_eq!(world.champion(), Value::Null);

    world.learn();
    let card = world.json(&["models", "show", "1", "--json"])["card"].clone();
    assert_eq!(card["promoted"], true, "{card}");

    // Those that follow are scored in their batch, with reasons, in MySQL and in documents; those before, by the schedule's task.
    assert_eq!(world.scored("first", 200, 3), [1, 1]);
    let reasons = "SELECT CAST(MIN(JSON_LENGTH(reasons)) AS SIGNED) FROM bi_churn_scores";
    assert!(world.views.integer(reasons) > 0);
    world.stack.wait_until("the score as a document", SOON, |_| world.document("first-1").is_some());
    let (version, reasons) = world.document("first-1").unwrap();
    assert!(version == 1 && reasons > 0);
    let mut page = Page::open(&world.stack);
    world.stack.wait_until("the score on the page", SOON, |_| {
        let CustomerScore { customer_id, reasons, .. } = world.riskiest();
        let told = page.ask("text");
        assert_eq!(told["faults"], serde_json::json!([]), "the page has errors in its console");
        let text = told["text"].as_str().unwrap();
        let reason = reasons[0].feature.replace('_', " ");
        [customer_id.as_str(), reason.as_str(), "model 1"].iter().all(|shown| text.contains(shown))
    });
    drop(page);
    world.stack.wait_until("the scores of those before", SOON, |_| world.score_left()["waiting"] == 0);
    let early = "SELECT COUNT(*) FROM bi_churn_scores WHERE customer_id LIKE 'early-%'";
    assert_eq!(world.views.integer(early), 50);
    // The labels that the file would have had: the model has learnt what makes customers leave.
    let predicted = "SELECT CAST(SUM(churn_predicted) AS SIGNED) FROM bi_churn_scores WHERE customer_id LIKE 'first-%'";
    let risky = world.views.integer(predicted);
    assert!((40..110).contains(&risky), "about a third of them leave");
    let administrator = Views::connect_as_administrator(&world.stack);
    let alerts = "SELECT COUNT(*) FROM churn_alerts WHERE customer_id LIKE 'first-%' AND closed_at IS NULL";
    assert_eq!(administrator.integer(alerts), risky, "each of them has an alert");
    let opened = administrator.integer("SELECT COUNT(*) FROM churn_alerts");
    world.stack.wait_until("the metric of the alerts", SOON, |_| world.measured("ChurnAlertsOpened") == opened);

    // A second model, which people put in the first one's place and take back.
    world.stream("learnt-later", 500, 4, true);
    cache_caught_up(&world.stack);
    let answer = world.json(&["invoke", "train"]);
    assert_eq!(answer["version"], 2, "{answer}");
    if answer["outcome"] != "promoted" {
        world.stack.succeed(["models", "promote", "2", "--reason", "a try"]);
    }
    assert_eq!(world.scored("second", 50, 5), [2, 2], "at once, well within a minute");
    assert_eq!(world.json(&["models", "rollback", "--json"])["champion"], 1);
    assert_eq!(world.scored("third", 50, 6), [1, 1]);

    // What must not score is refused, and the champion stays.
    assert_eq!(world.exit(&["models", "promote", "99"]), Some(2));
    assert_eq!(world.exit(&["models", "promote", "two"]), Some(2));
    assert_eq!(world.exit(&["models", "rollback"]), Some(1), "there is none before the first");
    let whole = std::fs::read(world.artefact(2)).unwrap();
    let mut corrupt = whole.clone();
    corrupt[whole.len() / 2] ^= 1;
    std::fs::write(world.artefact(2), &corrupt).unwrap();
    assert_eq!(world.exit(&["models", "promote", "2"]), Some(1));
    assert_eq!(world.champion(), 1);
    std::fs::write(world.artefact(2), &whole).unwrap();

    // A champion that goes corrupt while it scores goes on: it is in the process. Documents that are away hold nobody up.
    std::fs::write(world.artefact(1), "{}").unwrap();
    let documents = processes::service(&world.stack, "documents");
    processes::signal(documents, "STOP");
    let scored = world.scored("fourth", 50, 7);
    processes::signal(documents, "CONT");
    assert_eq!(scored, [1, 1]);
    world.stack.wait_until("the documents", SOON, |stack| stack.status()["ready"] == true);
    cache_caught_up(&world.stack);
    assert_eq!(world.document("fourth-50").map(|(version, _)| version), Some(1), "what was missed is made up for");
}

#[test]
fn without_the_object_store_the_loaded_champion_scores_and_a_new_process_leaves_customers_for_later() {
    let _one = one_stack_at_a_time();
    let root = tempfile::tempdir().unwrap();
    let stack = Stack::prepare(root.path().to_owned());
    let relay = Relay::to(SocketAddr::from(([127, 0, 0, 1], stack.port_base() + OBJECTS)));
    manifests::copy_to(root.path(), |name, manifest| {
        if name == "score" {
            manifest["environment"]["MILLRACE_OBJECTS_ENDPOINT"] = format!("http://{}", relay.address()).into();
        }
    });
    stack.up(["--empty"]);
    let world = World::of(stack);
    world.learn();
    assert_eq!(world.scored("first", 100, 3), [1, 1]);
    relay.go_away();
    assert_eq!(world.scored("second", 100, 4), [1, 1]);

    processes::kill_all(&processes::instances(&world.stack, "score"));
    world.stream("third", 150, 5, false);
    let administrator = Views::connect_as_administrator(&world.stack);
    let waiting = || administrator.integer("SELECT COUNT(*) FROM unscored_snapshots");
    world.stack.wait_until("the customers that wait", SOON, |_| waiting() == 150);
    let third = "SELECT COUNT(DISTINCT customer_id), COUNT(*), CAST(COALESCE(MIN(JSON_LENGTH(reasons)), 0) AS SIGNED) \
                 FROM bi_churn_scores WHERE customer_id LIKE 'third-%'";
    assert_eq!(world.views.integers(third), [0, 0, 0]);
    let left = world.score_left();
    assert_eq!((&left["scored"], &left["waiting"]), (&0.into(), &150.into()), "{left}");

    // The process asks for its champion again after some seconds.
    relay.come_back();
    world.stack.wait_until("the scores of those that waited", SOON, |_| world.score_left()["waiting"] == 0);
    assert_eq!(waiting(), 0);
    assert_eq!(world.views.integers(third), [150, 150, 5], "each is scored once, with its reasons");
    assert_eq!(world.document("third-150"), Some((1, 5)));
    let topic = world.stack.topic("customers");
    assert_eq!((&topic["stored"], &topic["rejects"], &topic["lag"]), (&1_850.into(), &0.into(), &0.into()), "{topic}");
}
