//! `millrace rerate`: prices stored events again by what is in force now.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use millrace_domain::identity::Msisdn;
use millrace_domain::time::{cut_to_millis, first_instant};
use millrace_store_mysql::import;
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::rerate::{self, Outcome, Pace, Period, Progress, ServiceChange};
use millrace_wire::tariff;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::arguments::time;
use super::database::Database;
use super::output::{print, print_json, table};
use crate::CommandError;

/// The options of `rerate`.
#[derive(Debug, Args)]
pub struct Rerate {
    /// Events that started from here on: a time, or a date, which is its first instant in the operator's time zone
    #[arg(long, value_name = "T", value_parser = moment)]
    from: Moment,
    /// Until here, exclusive
    #[arg(long, value_name = "T", value_parser = moment)]
    to: Moment,
    /// Only this number's
    #[arg(long, value_name = "S", value_parser = subscriber)]
    subscriber: Option<Msisdn>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

/// A time, or a day of the operator's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Time(DateTime<Utc>),
    Date(NaiveDate),
}

fn moment(text: &str) -> Result<Moment, String> {
    let is_date = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    match text.parse() {
        Ok(day) if is_date => Ok(Moment::Date(day)),
        _ => time(text)
            .map(|at| Moment::Time(cut_to_millis(at)))
            .map_err(|_| "expected a time such as 2026-11-21T08:00:00Z, or a date such as 2026-11-21".to_owned()),
    }
}

fn subscriber(text: &str) -> Result<Msisdn, String> {
    Msisdn::parse(text).map_err(|error| error.to_string())
}

impl Moment {
    fn at(self, timezone: Tz) -> Option<DateTime<Utc>> {
        match self {
            Self::Time(at) => Some(at),
            Self::Date(day) => first_instant(day, timezone),
        }
    }
}

impl Rerate {
    /// Runs the command: prints what changed.
    ///
    /// # Errors
    /// When the period is empty, there is no operator or no stack, bill is at work, or the database fails; what was done until then
    /// stays, and the same command goes on from there.
    pub async fn run(self) -> Result<(), CommandError> {
        let pool = self.database.pool().await?;
        let operator = import::stored_operator(&pool).await?;
        let operator = operator.ok_or_else(|| anyhow::anyhow!("there is no operator yet: import one first"))?;
        let period = self.period(operator.timezone)?;
        let bar = progress_bar();
        let mut progress = |Progress { done, all }: Progress| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let reference = ReferenceCache::new(tariff::parse_stored);
        let outcome = rerate::run(&pool, &reference, &period, Pace::default(), &mut progress).await;
        bar.finish_and_clear();
        let outcome = outcome?;
        match self.json {
            true => print_json(&document(&outcome, &period, &operator.currency)),
            false => print(&text(&outcome, &operator.currency)),
        }
    }

    fn period(&self, timezone: Tz) -> Result<Period, CommandError> {
        let at = |option: &str, moment: Moment| {
            moment.at(timezone).ok_or_else(|| CommandError::input(format!("{option} is out of range")))
        };
        let (from, to) = (at("--from", self.from)?, at("--to", self.to)?);
        if to <= from {
            return Err(CommandError::input("--to must be after --from"));
        }
        Ok(Period { from, to, subscriber: self.subscriber.clone() })
    }
}

/// A bar over the events, which indicatif shows on a terminal only.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} events {elapsed}, {eta} to go");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(outcome: &Outcome, currency: &str) -> String {
    let Outcome { run_id, events, changed, .. } = outcome;
    let continued = if outcome.continued { ", the interrupted one" } else { "" };
    let mut text = format!("{events} events priced again, {changed} changed (run {run_id}{continued})\n");
    if outcome.services.is_empty() {
        return text;
    }
    let header =
        ["SERVICE", "CHANGED", "NEWLY RATED", "NO LONGER RATED", "BEFORE", "AFTER", "DIFFERENCE", "LATER INVOICES"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(outcome.services.iter().map(|service| {
        [
            service.service.as_str().to_owned(),
            service.events.to_string(),
            service.newly_rated.to_string(),
            service.no_longer_rated.to_string(),
            service.before.to_string(),
            service.after.to_string(),
            format!("{} {currency}", service.after - service.before),
            format!("{} {currency}", service.credited),
        ]
    }));
    text.push_str(&table(&rows));
    text
}

fn document(outcome: &Outcome, period: &Period, currency: &str) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let sum = |of: fn(&ServiceChange) -> Decimal| outcome.services.iter().map(of).sum::<Decimal>().to_string();
    let count = |of: fn(&ServiceChange) -> u64| outcome.services.iter().map(of).sum::<u64>();
    json!({
        "run": outcome.run_id,
        "continued": outcome.continued,
        "from": time(period.from),
        "to": time(period.to),
        "subscriber": period.subscriber.as_ref().map(ToString::to_string),
        "events": outcome.events,
        "changed": outcome.changed,
        "newly_rated": count(|service| service.newly_rated),
        "no_longer_rated": count(|service| service.no_longer_rated),
        "before": sum(|service| service.before),
        "after": sum(|service| service.after),
        "difference": sum(|service| service.after - service.before),
        "credited": sum(|service| service.credited),
        "currency": currency,
        "services": outcome.services.iter().map(|service| json!({
            "service": service.service.as_str(),
            "changed": service.events,
            "newly_rated": service.newly_rated,
            "no_longer_rated": service.no_longer_rated,
            "before": service.before.to_string(),
            "after": service.after.to_string(),
            "difference": (service.after - service.before).to_string(),
            "credited": service.credited.to_string(),
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn rerate(from: &str, to: &str) -> Rerate {
        let (from, to) = (moment(from).unwrap(), moment(to).unwrap());
        Rerate { from, to, subscriber: None, json: false, database: Database::default() }
    }

    #[test]
    fn a_date_is_its_first_instant_where_the_operator_is() {
        let period = rerate("2026-11-01", "2026-12-01T00:00:00.5+01:00").period(Tz::Africa__Casablanca).unwrap();
        assert_eq!(period.from.to_rfc3339(), "2026-10-31T23:00:00+00:00");
        assert_eq!(period.to.to_rfc3339(), "2026-11-30T23:00:00.500+00:00");
    }

    #[test]
    fn an_empty_period_is_refused_by_its_options() {
        for (from, to) in [("2026-11-02", "2026-11-01"), ("2026-11-01", "2026-11-01")] {
            let error = rerate(from, to).period(Tz::UTC).unwrap_err();
            assert_eq!((error.exit_status(), error.to_string()), (2, "--to must be after --from".to_owned()));
        }
    }

    #[test]
    fn bad_options_are_named_with_what_was_expected() {
        let parse = |arguments: &[&str]| Cli::try_parse_from([&["millrace", "rerate"], arguments].concat());
        let good = ["--from", "2026-11-01", "--to", "2026-12-01", "--subscriber", "212600000001", "--json"];
        assert!(parse(&good).is_ok());
        for (arguments, option, expected) in [
            (vec!["--from", "yesterday", "--to", "2026-12-01"], "--from", "expected a time"),
            (vec!["--from", "2026-11-01", "--to", "2026-13-01"], "--to", "or a date"),
            (vec!["--from", "2026-11-01", "--to", "2026-1-1"], "--to", "or a date"),
            (vec!["--from", "2026-11-01"], "--to", "required"),
            ([&good[..4], &["--subscriber", "+212"]].concat(), "--subscriber", "expected 6 to 15 digits"),
        ] {
            let error = parse(&arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let text = error.to_string();
            assert!(text.contains(option) && text.contains(expected), "{text}");
        }
    }
}
