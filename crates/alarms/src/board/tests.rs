//! The project's own alarms on a small stack, minute by minute.
#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;

use super::*;

fn names(names: &[(&str, &str)]) -> BTreeMap<String, String> {
    names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn function(name: &str) -> Thing {
    Thing {
        kinds: vec!["each-function".into(), format!("function:{name}")],
        key: name.into(),
        names: names(&[("function", name)]),
        timeout_ms: 60_000.0,
    }
}

/// The functions rate, watch and cache, and a database.
fn things() -> Vec<Thing> {
    let mapping = Thing {
        kinds: vec!["each-mapping".into()],
        key: "rate-usage-events".into(),
        names: names(&[
            ("function", "rate"),
            ("topic", "usage-events"),
            ("mapping", "u-1"),
            ("cluster", "kafka"),
            ("consumer_group", "millrace-rate"),
        ]),
        timeout_ms: 60_000.0,
    };
    let database = Thing {
        kinds: vec!["database".into()],
        names: names(&[("database", "mysql"), ("database_dimension", "DBInstanceIdentifier")]),
        ..Thing::default()
    };
    vec![function("rate"), function("watch"), function("cache"), mapping, database]
}

struct Stack {
    board: Board,
    now: DateTime<Utc>,
}

impl Stack {
    fn new() -> Self {
        Self::of(&things())
    }

    fn of(things: &[Thing]) -> Self {
        let definitions = Definitions::parse(include_str!("../../../../terraform/alarms.json")).unwrap();
        Self { board: Board::new(&definitions, things).unwrap(), now: DateTime::UNIX_EPOCH }
    }

    fn measure(&mut self, namespace: &str, metric: &str, dimensions: &[(&str, &str)], value: f64) {
        self.board.measure(&Measurement { namespace, metric, dimensions, value });
    }

    /// A minute in which all is well: records come, the cache runs, the database answers, a sensor is too hot or not.
    fn healthy(&mut self, hot: f64) -> Vec<String> {
        let topic = [("Topic", "usage-events"), ("Function", "rate")];
        for (metric, value) in [("RecordsStored", 10.0), ("BatchesFailed", 0.0), ("LagAge", 0.5)] {
            self.measure("Millrace", metric, &topic, value);
        }
        self.measure("Millrace", "SensorsHot", &[("Function", "watch")], hot);
        self.runs();
        self.measure("AWS/RDS", "CPUUtilization", &[("DBInstanceIdentifier", "mysql")], 3.0);
        self.measure("AWS/Lambda", "Errors", &[("FunctionName", "cache")], 0.0);
        self.minute()
    }

    /// What is scheduled each minute.
    fn runs(&mut self) {
        for function in ["cache", "watch"] {
            self.measure("Millrace", "RunDuration", &[("Function", function)], 80.0);
        }
    }

    fn minute(&mut self) -> Vec<String> {
        self.now += TimeDelta::minutes(1);
        self.board.step(self.now).into_iter().map(|notice| notice.text).collect()
    }

    fn alarm(&self, name: &str) -> AlarmState {
        self.board.report().alarms.into_iter().find(|alarm| alarm.name == name).unwrap()
    }
}

#[test]
fn each_thing_has_its_alarms() {
    let stack = Stack::new();
    let alarms = stack.board.report().alarms;
    for name in ["function-errors-watch", "lag-age-rate-usage-events", "cache-old", "database-away", "events-unrated"] {
        assert!(alarms.iter().any(|alarm| alarm.name == name), "{name}");
    }
    for name in ["cache-old-cache", "documents-away", "billing-stopped", "brokers-away"] {
        assert!(alarms.iter().all(|alarm| alarm.name != name), "{name}");
    }
    let near_timeout = stack.board.watches.iter().find(|watch| watch.name == "function-near-timeout-rate").unwrap();
    assert!((near_timeout.threshold - 57_000.0).abs() < f64::EPSILON, "95 % of a minute");
    assert!(alarms.iter().all(|alarm| alarm.state == State::InsufficientData && alarm.since.is_none()));
}

#[test]
fn a_stack_that_begins_is_not_in_alarm() {
    let mut stack = Stack::new();
    for _ in 0..200 {
        assert_eq!(stack.healthy(0.0), Vec::<String>::new());
    }
    assert!(stack.board.report().alarms.iter().all(|alarm| alarm.state != State::Alarm));
    assert_eq!(stack.alarm("database-away").state, State::Ok);
    assert_eq!(stack.alarm("function-throttles-rate").state, State::Ok, "nothing measured is well");
}

#[test]
fn a_hot_site_is_told_once_for_as_long_as_it_is_hot() {
    let mut stack = Stack::new();
    stack.healthy(0.0);
    assert_eq!(stack.healthy(2.0), ["ALARM sites-warning: site-hot"]);
    let alarm = stack.alarm("site-hot");
    assert_eq!((alarm.state, alarm.since), (State::Alarm, Some(stack.now)));
    assert_eq!(alarm.reason, "1 of the last 1 datapoints of SensorsHot (Maximum over 60 s) was greater than 0: 2");
    assert_eq!(alarm.runbook, "docs/runbook.md#site-hot");
    assert!(stack.healthy(1.0).is_empty());
    assert_eq!(stack.board.report().pages.len(), 1);
    // Nobody looks for a while: the alarm stays as it is.
    for _ in 0..10 {
        assert!(!stack.minute().iter().any(|text| text.contains("site")));
    }
    assert_eq!(stack.alarm("site-hot").state, State::Alarm);
    assert!(stack.healthy(0.0).contains(&"OK sites-warning: site-hot".to_owned()));
}

#[test]
fn a_producer_that_stops_is_told_when_older_records_no_longer_stand_in() {
    let mut stack = Stack::new();
    (0..30).for_each(|_| assert!(stack.healthy(0.0).is_empty()));
    let mut told = Vec::new();
    for minute in 1..=20 {
        stack.runs();
        stack.measure("AWS/RDS", "CPUUtilization", &[("DBInstanceIdentifier", "mysql")], 3.0);
        told.extend(stack.minute().into_iter().map(|text| (minute, text)));
    }
    // Three periods of five minutes without a record, then five minutes for what may explain it.
    assert_eq!(told, [(20, "ALARM ingest-warning: producer-stopped-rate-usage-events".to_owned())]);
    assert_eq!(stack.healthy(0.0), ["OK ingest-warning: producer-stopped-rate-usage-events"]);
}

#[test]
fn a_database_that_is_away_pages_alone() {
    let mut stack = Stack::new();
    (0..30).for_each(|_| assert!(stack.healthy(0.0).is_empty()));
    // It goes in the middle of a minute, which has its last values and the first failures.
    stack.measure("AWS/RDS", "CPUUtilization", &[("DBInstanceIdentifier", "mysql")], 3.0);
    let mut told = Vec::new();
    for _ in 0..12 {
        stack.measure("Millrace", "BatchesFailed", &[("Function", "rate"), ("Topic", "usage-events")], 1.0);
        stack.measure("AWS/Lambda", "Errors", &[("FunctionName", "cache")], 1.0);
        told.extend(stack.minute());
    }
    (0..12).for_each(|_| told.extend(stack.healthy(0.0)));
    assert_eq!(told, ["ALARM database-critical: database-away", "OK database-critical: database-away"]);
}

/// What a scheduled run counts as: 1 for one that failed.
fn run(stack: &mut Stack, failed: f64) -> Vec<String> {
    stack.measure("AWS/Lambda", "Errors", &[("FunctionName", "bill")], failed);
    stack.minute()
}

#[test]
fn a_scheduled_run_that_fails_is_told_once_until_one_succeeds() {
    let mut stack = Stack::of(&[Thing { kinds: vec!["each-scheduled".into()], ..function("bill") }]);
    assert!(run(&mut stack, 0.0).is_empty());
    let mut told = Vec::new();
    for _ in 0..3 {
        told.extend(run(&mut stack, 1.0));
        // Until the next run nothing is measured, for longer than CloudWatch looks back.
        (0..59).for_each(|_| told.extend(stack.minute()));
    }
    assert_eq!(told, ["ALARM runs-warning: run-failed-bill"]);
    told.clear();
    (0..20).for_each(|_| told.extend(run(&mut stack, 0.0)));
    assert_eq!(told, ["OK runs-warning: run-failed-bill"]);
}

#[test]
fn a_run_that_fails_as_the_database_goes_away_does_not_page_beside_it() {
    let bill = Thing { kinds: vec!["each-scheduled".into()], ..function("bill") };
    let mut stack = Stack::of(&[things(), vec![bill]].concat());
    (0..30).for_each(|_| assert!(stack.healthy(0.0).is_empty()));
    // The run fails in the minute in which the last values of the database come.
    stack.measure("AWS/RDS", "CPUUtilization", &[("DBInstanceIdentifier", "mysql")], 3.0);
    stack.runs();
    let mut told = run(&mut stack, 1.0);
    for _ in 0..10 {
        stack.runs();
        told.extend(stack.minute());
    }
    stack.measure("AWS/Lambda", "Errors", &[("FunctionName", "bill")], 0.0);
    (0..12).for_each(|_| told.extend(stack.healthy(0.0)));
    assert_eq!(told, ["ALARM database-critical: database-away", "OK database-critical: database-away"]);
}

#[test]
fn a_daily_run_is_missed_after_a_day_and_two_hours() {
    let mut stack = Stack::of(&[function("archive")]);
    let ended = |stack: &mut Stack| stack.measure("Millrace", "RunDuration", &[("Function", "archive")], 80.0);
    const DAY: u64 = 24 * 60;
    for day in 0..2 {
        ended(&mut stack);
        // The next one takes longer.
        (0..DAY + 15 * day).for_each(|_| assert!(stack.minute().is_empty()));
    }
    ended(&mut stack);
    let missed = (1..2 * DAY).find(|_| !stack.minute().is_empty());
    // And five minutes for what may explain it.
    assert_eq!(missed, Some(DAY + 2 * 60 + 1 + 5));
    ended(&mut stack);
    assert_eq!(stack.minute(), ["OK archive-warning: archive-stopped"]);
}

#[test]
fn what_a_day_s_period_already_shows_is_told_at_once() {
    let mut stack = Stack::of(&[function("train"), function("score")]);
    let train = [("Function", "train")];
    // A champion of 70 days that sees 30 of 100 customers leave: over the one threshold, under the other.
    for (metric, value) in
        [("ChampionAge", 6_048_000.0), ("LiveRecall", 0.3), ("LivePrecision", 0.5), ("RunDuration", 80.0)]
    {
        stack.measure("Millrace", metric, &train, value);
    }
    assert_eq!(stack.minute(), Vec::<String>::new(), "it waits for what may explain it");
    let on = |stack: &Stack| {
        let alarms = stack.board.report().alarms.into_iter();
        alarms.filter(|alarm| alarm.state == State::Alarm).map(|alarm| alarm.name).collect::<Vec<_>>()
    };
    assert_eq!(on(&stack), ["model-old", "model-misses"]);
    (0..200).for_each(|_| drop(stack.minute()));
    assert_eq!(on(&stack), ["score-left-stopped", "model-old", "model-misses"], "a day was not watched yet");
}

#[test]
fn a_disk_that_is_nearly_full_silences_nobody() {
    let broker = Thing {
        kinds: vec!["each-broker".into()],
        key: "1".into(),
        names: names(&[("cluster", "kafka"), ("broker", "1")]),
        ..Thing::default()
    };
    let mut stack = Stack::of(&[things(), vec![broker]].concat());
    let full = |stack: &mut Stack| {
        let dimensions = [("Cluster Name", "kafka"), ("Broker ID", "1")];
        stack.measure("AWS/Kafka", "KafkaDataLogsDiskUsed", &dimensions, 90.0);
    };
    let mut told = Vec::new();
    for _ in 0..30 {
        full(&mut stack);
        told.extend(stack.healthy(0.0));
    }
    assert_eq!(told, ["ALARM disks-critical: broker-disk-1"]);
    for _ in 0..20 {
        full(&mut stack);
        stack.measure("Millrace", "LagAge", &[("Function", "rate"), ("Topic", "usage-events")], 900.0);
        told.extend(stack.healthy(0.0));
    }
    assert_eq!(told[1..], ["ALARM ingest-critical: lag-age-rate-usage-events"]);
}

#[test]
fn dimensions_that_a_thing_has_not_are_an_error() {
    let definitions = Definitions::parse(include_str!("../../../../terraform/alarms.json")).unwrap();
    let nameless = Thing { kinds: vec!["each-function".into()], key: "rate".into(), ..Thing::default() };
    let error = Board::new(&definitions, &[nameless]).unwrap_err().to_string();
    assert_eq!(error, "alarm function-errors: `dimensions` name {function}, which nothing that is each-function has");
}

#[test]
fn a_notice_is_what_a_webhook_is_sent() {
    let mut stack = Stack::new();
    stack.measure("Millrace", "SensorsHot", &[("Function", "watch")], 1.0);
    stack.now += TimeDelta::minutes(1);
    let notices = stack.board.step(stack.now);
    assert_eq!(
        serde_json::to_value(&notices).unwrap(),
        serde_json::json!([{
            "alarm": "sites-warning", "state": "ALARM", "severity": "warning", "at": "1970-01-01T00:01:00.000Z",
            "text": "ALARM sites-warning: site-hot",
            "alarms": [{
                "name": "site-hot", "meaning": "a sensor measures more than its threshold",
                "reason": "1 of the last 1 datapoints of SensorsHot (Maximum over 60 s) was greater than 0: 1",
                "runbook": "docs/runbook.md#site-hot",
            }],
        }])
    );
}
