//! `millrace bill`: closes a billing cycle and issues its invoices, by the function `bill`.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use millrace_domain::cycles::Cycle;
use millrace_store_mysql::{MySqlPool, billing};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arguments::time;
use super::database;
use super::output::{print, print_json};
use crate::CommandError;
use crate::control::{Control, Invoked};
use crate::home::Home;

/// How often the progress is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The options of `bill`.
#[derive(Debug, Args)]
pub struct Bill {
    /// The cycle
    #[arg(long, value_name = "YYYY-MM", value_parser = cycle)]
    cycle: Cycle,
    /// Bill the accounts whose cycle has ended by then (default: now)
    #[arg(long, value_name = "T", value_parser = time)]
    as_of: Option<DateTime<Utc>>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

fn cycle(text: &str) -> Result<Cycle, String> {
    Cycle::parse(text).map_err(|error| error.to_string())
}

impl Bill {
    /// Runs the command: prints what was closed and issued.
    ///
    /// # Errors
    /// When no stack runs, there is no operator, or the function fails; what was issued until then stays, and the same command goes
    /// on from there.
    pub async fn run(self) -> Result<(), CommandError> {
        let stack = Home::find()?.stack()?;
        let control = Control::new(&stack);
        let mut event = json!({"cycle": self.cycle.to_string()});
        if let Some(as_of) = self.as_of {
            event["as_of"] = Value::from(as_of.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        }
        let event = event.to_string().into_bytes();
        let pool = database::of_stack(&stack)?;
        let work = async {
            let mut billed = Billed::new(self.cycle);
            // What a function can't finish in its time, the same event goes on with.
            while !billed.add(answer(control.invoke("bill", event.clone()).await?)?)? {}
            Ok::<_, CommandError>(billed)
        };
        let billed = tokio::select! {
            billed = work => billed?,
            never = show_progress(&pool, self.cycle) => match never {},
        };
        if self.json { print_json(&billed) } else { print(&billed.text()) }
    }
}

/// Shows a terminal how far the function is.
async fn show_progress(pool: &MySqlPool, cycle: Cycle) -> std::convert::Infallible {
    if !std::io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} accounts {elapsed}");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    loop {
        tokio::time::sleep(LOOK).await;
        // The database's faults are the function's to tell.
        if let Ok(progress) = billing::progress(pool, cycle).await {
            bar.set_length(progress.all);
            bar.set_position(progress.done);
        }
    }
}

/// What the function answers.
#[derive(Debug, Deserialize)]
struct Answer {
    cycles: Vec<Billed>,
    finished: bool,
}

fn answer(invoked: Invoked) -> Result<Answer, CommandError> {
    if invoked.function_error.is_some() {
        let said: Value = serde_json::from_slice(&invoked.payload).unwrap_or_default();
        let message = said["errorMessage"].as_str().unwrap_or("the function bill failed");
        return Err(CommandError::Work(anyhow::anyhow!("{message}")));
    }
    Ok(serde_json::from_slice(&invoked.payload).context("the function's answer is not understood")?)
}

/// What was done for a cycle: by one invocation, or by all of them together.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Billed {
    cycle: String,
    closed: u64,
    not_ended: u64,
    invoices: u64,
    without_lines: u64,
    first: Option<String>,
    last: Option<String>,
    net: Decimal,
    tax: Decimal,
    total: Decimal,
    currency: String,
}

impl Billed {
    fn new(cycle: Cycle) -> Self {
        let nothing = Decimal::new(0, 2);
        Self { cycle: cycle.to_string(), net: nothing, tax: nothing, total: nothing, ..Self::default() }
    }

    /// Adds an answer, and tells whether all is done.
    fn add(&mut self, answer: Answer) -> Result<bool, CommandError> {
        for part in answer.cycles {
            self.closed += part.closed;
            self.not_ended = part.not_ended;
            self.invoices += part.invoices;
            self.without_lines += part.without_lines;
            self.first = self.first.take().or(part.first);
            self.last = part.last.or(self.last.take());
            self.net += part.net;
            self.tax += part.tax;
            self.total += part.total;
            self.currency = part.currency;
        }
        Ok(answer.finished)
    }

    fn text(&self) -> String {
        let Self { cycle, closed, not_ended, invoices, without_lines, net, tax, total, currency, .. } = self;
        let mut text = format!("cycle {cycle}: closed for {closed} accounts, {invoices} invoices issued");
        if let (Some(first), Some(last)) = (&self.first, &self.last) {
            text.push_str(&format!(" ({first} to {last})"));
        }
        text.push('\n');
        if *invoices > 0 {
            text.push_str(&format!("net {net}, tax {tax}, total {total} {currency}\n"));
        }
        if *without_lines > 0 {
            text.push_str(&format!("{without_lines} accounts have nothing to bill\n"));
        }
        if *not_ended > 0 {
            text.push_str(&format!("{not_ended} accounts are left out, as their cycle has not ended\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn part(json: &str) -> Answer {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_several_invocations_did_is_told_as_one() {
        let mut billed = Billed::new(Cycle::parse("2026-03").unwrap());
        let first = r#"{"cycles":[{"cycle":"2026-03","closed":3,"not_ended":1,"invoices":1,"without_lines":0,"first":"MR2026-00000001",
            "last":"MR2026-00000001","net":"10.00","tax":"2.00","total":"12.00","currency":"MAD"}],"finished":false}"#;
        let second = r#"{"cycles":[{"cycle":"2026-03","closed":0,"not_ended":1,"invoices":1,"without_lines":1,"first":"MR2026-00000002",
            "last":"MR2026-00000002","net":"0.50","tax":"0.10","total":"0.60","currency":"MAD"}],"finished":true}"#;
        assert!(!billed.add(part(first)).unwrap());
        assert!(billed.add(part(second)).unwrap());
        assert_eq!(
            billed.text(),
            "cycle 2026-03: closed for 3 accounts, 2 invoices issued (MR2026-00000001 to MR2026-00000002)\n\
             net 10.50, tax 2.10, total 12.60 MAD\n1 accounts have nothing to bill\n\
             1 accounts are left out, as their cycle has not ended\n"
        );
    }

    #[test]
    fn a_function_that_failed_is_told_by_its_message() {
        let invoked = Invoked {
            payload: br#"{"errorType":"Function.Failed","errorMessage":"there is no operator"}"#.to_vec(),
            function_error: Some("Unhandled".into()),
        };
        assert_eq!(answer(invoked).unwrap_err().to_string(), "there is no operator");
    }
}
