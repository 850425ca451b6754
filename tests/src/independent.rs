//! Worlds made by the scripts of `tests/independent`, taken through a stack step by step, and what the second computation says that
//! must come out.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use millrace_test_support::stack::{Stack, project_root};
use serde_json::Value;

use crate::database::Views;
use crate::manifests;

/// A folder with reference files, events and the list of steps.
pub struct World {
    folder: tempfile::TempDir,
    /// What to do with them, in order.
    pub steps: Vec<Value>,
}

impl World {
    /// Has a script make it.
    pub fn made_by(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        succeed(script, start(script, folder.path()));
        let steps = std::fs::read(folder.path().join("steps.json")).expect("the script lists its steps");
        Self { folder, steps: serde_json::from_slice(&steps).expect("steps.json is JSON") }
    }

    /// Does one step by the command for it.
    pub fn take(&self, stack: &Stack, step: &Value) {
        let output = self.command(stack, step).output().expect("the command runs");
        let [said, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "{step}: {said}\n{errors}");
    }

    /// The command of a step.
    pub fn command(&self, stack: &Stack, step: &Value) -> Command {
        let text = |name: &str| step[name].as_str().unwrap_or_else(|| panic!("{name} in {step}"));
        let file = || self.folder.path().join(text("file")).into_os_string();
        let mut command = stack.command([text("do")]);
        match text("do") {
            "import" => command.arg(text("kind")).arg(file()),
            "replay" => command.args(["--topic", "usage-events", "--wait"]).arg(file()),
            "rerate" => {
                command.args(["--from", text("from"), "--to", text("to")]);
                match step["subscriber"].as_str() {
                    Some(subscriber) => command.args(["--subscriber", subscriber]),
                    None => &mut command,
                }
            }
            "bill" => command.args(["--cycle", text("cycle"), "--as-of", text("as_of")]),
            other => panic!("there is no step {other}"),
        };
        command
    }

    /// Starts the second computation, which takes its time.
    pub fn compute(&self) -> Computation {
        Computation { script: start("billing.py", self.folder.path()), folder: self.folder.path().join("expected") }
    }
}

/// Starts an empty stack that takes events of any age: a made world stays where it is while the years pass.
pub fn stack_for_old_events() -> (tempfile::TempDir, Stack) {
    let root = tempfile::tempdir().expect("a temporary folder");
    manifests::copy_to(root.path(), |name, manifest| {
        if name == "rate" {
            manifest["environment"]["MILLRACE_RETENTION_DAYS"] = "36500".into();
        }
    });
    let stack = Stack::start_at(root.path().to_owned());
    (root, stack)
}

/// The second computation at work.
pub struct Computation {
    script: Child,
    folder: PathBuf,
}

impl Computation {
    /// Waits for its outcome.
    pub fn finish(self) -> Expected {
        succeed("billing.py", self.script);
        Expected { folder: self.folder }
    }
}

/// What the second computation says.
pub struct Expected {
    folder: PathBuf,
}

impl Expected {
    /// Holds the invoices against those of the views; how many there are.
    pub fn check_invoices(&self, views: &Views) -> usize {
        let numbers = views.lines(
            "SELECT DISTINCT CONCAT(LEFT(invoice_number, 2), SUBSTR(invoice_number, 7, 1), LENGTH(invoice_number)), \
             SUBSTR(invoice_number, 3, 4) FROM bi_invoices",
        );
        let year = views
            .lines("SELECT DISTINCT LEFT(CAST(CONVERT_TZ(issued_at, '+00:00', '+01:00') AS CHAR), 4) FROM bi_invoices");
        assert_eq!(numbers, [format!("GM-15|{}", year.join("|"))], "numbers are GM, the year of issue, - and 8 digits");
        self.check(
            "invoices",
            views.lines(
                "SELECT RIGHT(invoice_number, 8), account_id, customer, cycle, CAST(cycle_start AS CHAR), CAST(cycle_end AS CHAR), \
                 CAST(net AS CHAR), CAST(tax AS CHAR), CAST(total AS CHAR), CAST(rounding AS CHAR), currency FROM bi_invoices",
            ),
        )
    }

    /// Holds the invoices' lines against those of the views; how many there are.
    pub fn check_lines(&self, views: &Views) -> usize {
        assert_eq!(
            views.integer(
                "SELECT COUNT(*) FROM (SELECT COUNT(*) AS n, MIN(line_no) AS low, MAX(line_no) AS high FROM bi_invoice_lines \
                 GROUP BY invoice_number) l WHERE low <> 1 OR high <> n"
            ),
            0,
            "lines are numbered from 1 without gaps"
        );
        assert_eq!(
            views.integer(
                "SELECT COUNT(*) FROM bi_invoice_lines WHERE own_cycle <> '' AND description NOT LIKE CONCAT('%', own_cycle, '%')"
            ),
            0,
            "late usage and credits name their cycle"
        );
        // What the quantity of a credit is has not been laid down.
        self.check(
            "lines",
            views.lines(
                "SELECT RIGHT(invoice_number, 8), kind, msisdn, service, zone, own_cycle, \
                 IF(kind = 'credit', '', CAST(quantity AS CHAR)), CAST(net AS CHAR) FROM bi_invoice_lines",
            ),
        )
    }

    /// Holds the stored events' charges against those of the views; how many there are.
    pub fn check_events(&self, views: &Views) -> usize {
        self.check(
            "events",
            views.lines(
                "SELECT event_id, account_id, zone, COALESCE(CAST(amount AS CHAR), ''), rating_error FROM bi_usage_events",
            ),
        )
    }

    fn check(&self, what: &str, mut found: Vec<String>) -> usize {
        let text = std::fs::read_to_string(self.folder.join(format!("{what}.txt"))).expect("the script's outcome");
        let mut expected: Vec<&str> = text.lines().collect();
        expected.sort_unstable();
        found.sort_unstable();
        if found != expected {
            let (all_found, all_expected): (HashSet<&str>, HashSet<&str>) =
                (found.iter().map(String::as_str).collect(), expected.iter().copied().collect());
            let missing: Vec<&&str> = expected.iter().filter(|line| !all_found.contains(**line)).collect();
            let surplus: Vec<&String> = found.iter().filter(|line| !all_expected.contains(line.as_str())).collect();
            panic!(
                "{what}: {} of {} are missing, such as {:#?}\nand {} of {} should not be, such as {:#?}",
                missing.len(),
                expected.len(),
                &missing[..missing.len().min(20)],
                surplus.len(),
                found.len(),
                &surplus[..surplus.len().min(20)],
            );
        }
        found.len()
    }
}

fn start(script: &str, folder: &Path) -> Child {
    let path = project_root().join("tests/independent").join(script);
    // Nothing is left in the clone.
    Command::new("python3").arg("-B").arg(path).arg(folder).spawn().expect("python3 runs: scripts/test installs it")
}

fn succeed(script: &str, mut child: Child) {
    assert!(child.wait().expect("python3 ends").success(), "{script} failed");
}
