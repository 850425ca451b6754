use std::process::Command;

use millrace_test_support::stack::project_root;
use serde_json::Value;

use crate::{Bench, Said};

pub(crate) fn without_a_stack_says_so_with_exit_status_1() {
    let home = tempfile::tempdir().unwrap();
    let status = |options: &[&str]| {
        let mut command = Command::new(project_root().join("target/release/millrace"));
        Said::of(&command.arg("status").args(options).env("MILLRACE_HOME", home.path()).output().unwrap())
    };
    let said = status(&[]);
    assert!(said.exit == 1 && said.out.contains("no stack runs"), "{said:?}");
    let said = status(&["--json"]);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert!(said.exit == 1 && document["ready"] == false, "{said:?}");
}

pub(crate) fn has_every_field(bench: &Bench) {
    let status = bench.json(&["status", "--json"]);
    assert_eq!(status["ready"], true, "{status}");
    let topics = status["topics"].as_array().unwrap();
    let names: Vec<_> = topics.iter().map(|topic| topic["topic"].as_str().unwrap()).collect();
    assert_eq!(names, ["usage-events", "sensor-readings", "customers"]);
    for topic in topics {
        let count = |what: &str| topic[what].as_u64().unwrap_or_else(|| panic!("{what} in {topic}"));
        let accounted = ["stored", "duplicates", "rejects", "given_up", "lag"].map(count);
        assert_eq!(accounted.iter().sum::<u64>(), count("produced"), "{topic}");
        assert!(count("produced") > 0 && count("lag") == 0, "{topic}");
    }
    let functions = status["functions"].as_array().unwrap();
    for name in ["rate", "watch", "score", "cache", "dashboard", "migrate"] {
        let function = functions.iter().find(|function| function["name"] == name).unwrap_or_else(|| panic!("{name}"));
        assert!(function["invocations"].is_u64() && function["failures"].is_u64(), "{function}");
        let duration = &function["duration_ms"];
        if function["invocations"] != 0 && name != "score" {
            let (p50, p99) = (duration["p50"].as_f64().unwrap(), duration["p99"].as_f64().unwrap());
            assert!(0.0 < p50 && p50 <= p99, "{function}");
        }
    }
    let score = functions.iter().find(|function| function["name"] == "score").unwrap();
    assert!(score["failures"].as_u64().unwrap() > 0, "{score}");

    let base = bench.stack.port_base();
    let address = |what: &str| status["addresses"][what].as_str().unwrap_or_else(|| panic!("{what} in {status}"));
    assert_eq!(address("dashboard"), format!("http://127.0.0.1:{base}"));
    assert_eq!(address("kafka"), format!("127.0.0.1:{}", base + 1));
    assert!(address("mysql").starts_with("mysql://bi:") && address("mysql").contains(&format!(":{}/", base + 3)));
    assert!(address("documents").starts_with(&format!("mongodb://127.0.0.1:{}", base + 4)));
    assert_eq!(address("objects"), format!("http://127.0.0.1:{}", base + 5));
    assert!(status["startup_seconds"].as_f64().unwrap() > 0.0, "{status}");
    assert!(status["memory_mb"]["total"].as_f64().unwrap() > 0.0, "{status}");

    // The same for people.
    let text = bench.succeed(&["status"]);
    for word in ["is ready", "MiB of memory", "usage-events", "kafka", "mysql", "documents", "objects", "rate"] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}
