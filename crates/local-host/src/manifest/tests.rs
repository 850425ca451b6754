#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const WHOLE: &str = r#"{
    "description": "rates usage", "timeout_seconds": 60, "memory_mb": 256, "concurrency": 4,
    "needs": ["mysql", "objects"], "objects": {"reads": ["models/", "a-b/c1/"], "writes": ["models/"]}, "environment": {"RUST_LOG": "info"},
    "triggers": [
        {"kafka": {"topic": "usage-events", "consumer_group": "millrace-rate", "batch_size": 10000, "batch_window_ms": 500,
            "starting_position": "TRIM_HORIZON", "report_batch_item_failures": true, "bisect_on_error": true,
            "maximum_retry_attempts": 5, "maximum_record_age_seconds": -1, "on_failure": "failed-batches"}},
        {"schedule": {"name": "fold", "expression": "rate(1 minute)", "timezone": "UTC", "input": {"task": "fold"}}},
        {"http": {"path": "/{proxy+}"}}
    ]
}"#;

fn parse(text: &str) -> Result<Manifest, String> {
    Manifest::parse("rate", Path::new("functions/rate/function.json"), text).map_err(|error| error.to_string())
}

/// The error of the whole manifest with one part replaced.
fn error(part: &str, by: &str) -> String {
    assert!(WHOLE.contains(part), "{part}");
    parse(&WHOLE.replace(part, by)).expect_err(by)
}

#[test]
fn a_whole_manifest_is_read() {
    let manifest = parse(WHOLE).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.concurrency, manifest.triggers.len()), ("rate", 4, 3));
    let Trigger::Kafka(kafka) = &manifest.triggers[0] else { panic!("the first trigger is Kafka's") };
    assert_eq!((kafka.batch_size, kafka.on_failure.as_deref()), (10_000, Some("failed-batches")));
    let Trigger::Schedule(schedule) = &manifest.triggers[1] else { panic!("the second is a schedule") };
    assert_eq!((schedule.input.to_string().as_str(), schedule.maximum_retry_attempts), (r#"{"task":"fold"}"#, 0));
    assert!(schedule.on_empty_stack);
    assert_eq!(manifest.objects.reads, ["models/", "a-b/c1/"]);
    assert_eq!(manifest.objects.writes, ["models/"]);
    let text = WHOLE.replace(r#""timezone": "UTC""#, r#""on_empty_stack": false"#);
    let manifest = parse(&text).unwrap();
    let Trigger::Schedule(schedule) = &manifest.triggers[1] else { panic!("the second is a schedule") };
    assert!(!schedule.on_empty_stack);
}

#[test]
fn what_is_left_out_is_as_lambda_has_it() {
    let text = r#"{"description": "d", "timeout_seconds": 1, "memory_mb": 128, "triggers": [
        {"kafka": {"topic": "t", "consumer_group": "g", "starting_position": "LATEST"}}]}"#;
    let manifest = parse(text).unwrap();
    assert_eq!((manifest.concurrency, manifest.needs.len()), (1, 0));
    let Trigger::Kafka(kafka) = &manifest.triggers[0] else { panic!("it is Kafka's") };
    assert_eq!((kafka.batch_size, kafka.batch_window_ms), (100, 500));
    assert_eq!((kafka.maximum_retry_attempts, kafka.maximum_record_age_seconds), (-1, -1));
    assert!(!kafka.report_batch_item_failures && !kafka.bisect_on_error && kafka.on_failure.is_none());
}

#[test]
fn an_error_names_the_file_the_key_and_what_was_expected() {
    for (part, by, expected) in [
        (r#""memory_mb": 256"#, r#""memory": 256"#, "`memory` unknown field `memory`, expected one of"),
        (r#""timeout_seconds": 60, "#, "", "missing field `timeout_seconds`"),
        ("60", "901", "`timeout_seconds` must be 1 to 900, but is 901"),
        ("256", "64", "`memory_mb` must be 128 to 10240, but is 64"),
        (r#""concurrency": 4"#, r#""concurrency": 0"#, "`concurrency` must be 1 to 1000, but is 0"),
        (
            "\"objects\"],",
            "\"kafka\"],",
            "`objects` must name the prefixes that it reads or writes where it needs `objects`",
        ),
        (
            "\"objects\": {\"reads\": [\"models/\", \"a-b/c1/\"], \"writes\": [\"models/\"]},",
            "",
            "`objects` must name the prefixes",
        ),
        ("\"a-b/c1/\"", "\"a-b/c1\"", "`objects.reads` must be lower-case letters"),
        ("\"a-b/c1/\"", "\"/\"", "`objects.reads` must be lower-case letters"),
        ("\"writes\": [\"models/\"]", "\"writes\": [\"*/\"]", "such as models/, but is `*/`"),
        ("\"writes\"", "\"write\"", "unknown field `write`"),
        ("\"RUST_LOG\"", "\"AWS_REGION\"", "`environment.AWS_REGION` must be"),
        ("\"batch_size\": 10000", "\"batch_size\": 10001", "`triggers[0].kafka.batch_size` must be 1 to 10000"),
        ("\"batch_window_ms\": 500", "\"batch_window_ms\": -1", "`triggers[0].kafka.batch_window_ms` invalid value"),
        ("\"batch_window_ms\": 500", "\"batch_window_ms\": 300001", "must be 0 to 300000, but is 300001"),
        ("TRIM_HORIZON", "EARLIEST", "`triggers[0].kafka.starting_position` unknown variant `EARLIEST`"),
        ("attempts\": 5", "attempts\": 10001", "`triggers[0].kafka.maximum_retry_attempts` must be -1 to 10000"),
        ("age_seconds\": -1", "age_seconds\": 59", "must be 60 to 604800, but is 59, or -1 for no limit"),
        ("bisect_on_error", "bisect_on_eror", "unknown field `bisect_on_eror`"),
        ("rate(1 minute)", "rate(1 minutes)", "`triggers[1].schedule.expression` must be rate("),
        ("\"UTC\"", "\"Mars\"", "`triggers[1].schedule.timezone` must be an IANA time zone"),
        ("/{proxy+}", "proxy", "`triggers[2].http.path` must begin with `/`"),
        ("\"http\"", "\"sqs\"", "unknown variant `sqs`"),
    ] {
        let error = error(part, by);
        assert!(error.starts_with("functions/rate/function.json: "), "{error}");
        assert!(error.contains(expected), "{expected} in {error}");
    }
}

#[test]
fn a_function_without_a_manifest_is_an_error_and_a_folder_of_something_else_is_not() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("notes")).unwrap();
    assert!(Manifest::load_all(folder.path()).unwrap().is_empty());
    std::fs::create_dir_all(folder.path().join("rate")).unwrap();
    std::fs::write(folder.path().join("rate/Cargo.toml"), "").unwrap();
    let error = Manifest::load_all(folder.path()).unwrap_err().to_string();
    assert!(error.contains("rate/function.json"), "{error}");
    std::fs::write(folder.path().join("rate/function.json"), WHOLE).unwrap();
    assert_eq!(Manifest::load_all(folder.path()).unwrap()[0].name, "rate");
}
