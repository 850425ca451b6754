//! What the commands' page promises, tried on one stack as a newcomer with data of one's own would.
#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod billing;
mod given_up;
mod import;
mod invoke;
mod options;
mod pause;
mod rejects;
mod replay;
mod simulate;
mod status;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;

use millrace_test_support::stack::Stack;
use millrace_tests::database::Views;
use millrace_tests::{manifests, one_stack_at_a_time};
use serde_json::{Value, json};

/// A stack, a folder for files, and what it takes to look at both.
struct Bench {
    stack: Stack,
    views: Views,
    files: tempfile::TempDir,
}

impl Bench {
    /// Writes a file of one's own.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.files.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs a command that must succeed; what it printed.
    fn succeed<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.exit, 0, "{said:?}");
        said.out
    }

    /// Runs a command that must succeed and print one JSON document.
    fn json<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Value {
        let out = self.succeed(arguments);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Said {
        Said::of(&self.stack.millrace(arguments))
    }

    /// Replays a file to a topic and waits until its records are settled; what it printed.
    fn replay(&self, topic: &str, file: &Path) -> String {
        self.succeed(&["replay".as_ref(), "--topic".as_ref(), topic.as_ref(), "--wait".as_ref(), file.as_os_str()])
    }

    /// The rejects of a topic that come after one, oldest first.
    fn rejects_after(&self, topic: &str, after: u64) -> Vec<Value> {
        let listed = self.json(&["rejects", "list", "--json", "--topic", topic, "--after", &after.to_string()]);
        listed["rejects"].as_array().unwrap().clone()
    }

    /// One reject with its bytes.
    fn reject(&self, listed: &Value) -> Value {
        self.json(&["rejects", "show", "--json", &listed["reject_id"].to_string()])
    }

    fn last_reject(&self) -> u64 {
        self.views.integer("SELECT CAST(COALESCE(MAX(reject_id), 0) AS SIGNED) FROM bi_rejects").try_into().unwrap()
    }
}

/// How a command ended and what it said.
#[derive(Debug)]
struct Said {
    exit: i32,
    out: String,
    err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { exit: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// It ended with this exit status and named each of these on stderr.
    #[track_caller]
    fn names(&self, exit: i32, words: &[&str]) {
        assert_eq!(self.exit, exit, "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word} is not named: {self:?}");
        }
    }
}

#[test]
fn every_command_does_what_its_page_says() {
    let _one = one_stack_at_a_time();
    let root = tempfile::tempdir().unwrap();
    manifests::copy_to(root.path(), |name, manifest| {
        // `score` can't even start, and its batches are given up on at once.
        if name == "score" {
            manifest["environment"]["MILLRACE_MYSQL_URL"] = json!("nowhere");
            let kafka = &mut manifest["triggers"][0]["kafka"];
            kafka["maximum_retry_attempts"] = json!(0);
            kafka["bisect_on_error"] = json!(false);
        }
    });
    let stack = Stack::start_at(root.path().to_owned());
    let bench = Bench { views: Views::connect(&stack.mysql_url()), stack, files: tempfile::tempdir().unwrap() };

    options::wrong_ones_are_named_with_exit_status_2(&bench);
    status::without_a_stack_says_so_with_exit_status_1();
    import::of_every_kind_adds_once_and_a_wrong_file_changes_nothing(&bench);
    import::holds_from_the_next_batch_on(&bench);
    billing::goes_from_a_cycle_to_invoices_payments_and_credit_notes(&bench);
    replay::sends_each_line_unchanged(&bench);
    replay::sends_csv_without_its_empty_cells(&bench);
    replay::keeps_to_a_rate(&bench);
    rejects::are_listed_shown_and_sent_again_as_they_came(&bench);
    pause::lets_records_wait_until_resume(&bench);
    simulate::gives_the_same_records_for_the_same_seed(&bench);
    simulate::counts_what_it_spoils(&bench);
    given_up::batches_are_listed_shown_and_sent_again(&bench);
    status::has_every_field(&bench);
    // Last, as it delivers records that are on no topic.
    invoke::answers_as_lambda_does(&bench);
}
