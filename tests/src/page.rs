//! The dashboard as a person sees it.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use millrace_test_support::environment;
use millrace_test_support::stack::{Stack, project_root};
use serde_json::Value;

/// A headless Chromium with the dashboard signed in.
pub struct Page {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Page {
    /// Opens a stack's dashboard and signs in.
    pub fn open(stack: &Stack) -> Self {
        let settings = std::fs::read(stack.home().join("stack.json")).expect("a stack has its settings in a file");
        let settings: Value = serde_json::from_slice(&settings).expect("stack.json is JSON");
        let password = settings["dashboard"]["password"].as_str().expect("stack.json holds the sign-in password");
        let screenshot = PathBuf::from(environment::required("MILLRACE_TEST_SCREENSHOTS")).join("dashboard.png");
        // The script is copied beside the modules that scripts/test installed, where node looks for them.
        let modules = PathBuf::from(environment::required("MILLRACE_TEST_NODE"));
        let script = modules.join("live_tail.mjs");
        std::fs::copy(project_root().join("tests/page/live_tail.mjs"), &script).expect("the script is copied");
        let mut child = Command::new("node")
            .arg(script)
            .args([&stack.dashboard(), password, &environment::required("MILLRACE_TEST_CHROMIUM")])
            .arg(screenshot)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let input = child.stdin.take().expect("it was piped");
        let output = BufReader::new(child.stdout.take().expect("it was piped"));
        let mut page = Self { child, input, output };
        assert_eq!(page.answer()["ready"], true);
        page
    }

    /// Has the script of the page (`tests/page/live_tail.mjs`) do what a line says; its answer.
    pub fn ask(&mut self, line: &str) -> Value {
        writeln!(self.input, "{line}").expect("the page's script listens");
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the page's script answers");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the page's script ended: {:?}", self.child.wait()))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
