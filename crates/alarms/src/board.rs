//! All alarms of a stack: what was measured goes in, each minute says how they stand.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::definitions::{Comparison, Definition, DefinitionError, Definitions, Severity, Silence, Statistic};
use crate::evaluation::{Rule, State};
use crate::measurement::Measurement;
use crate::pages::{self, Page};
use crate::series::Series;
use crate::things::Thing;

/// Where the alarms' sections are.
const RUNBOOK: &str = "docs/runbook.md";

/// The alarms of all that there is to watch.
#[derive(Debug)]
pub struct Board {
    watches: Vec<Watch>,
    /// The places of the watches on a metric.
    by_metric: HashMap<String, Vec<usize>>,
    pages: Vec<Page>,
    silence: Silence,
    /// The minute in hand, from 0 on.
    minute: u64,
    stepped_at: Option<DateTime<Utc>>,
}

/// One alarm of one thing.
#[derive(Debug)]
struct Watch {
    name: String,
    definition: Definition,
    dimensions: BTreeMap<String, String>,
    threshold: f64,
    series: Series,
    state: State,
    since: Option<DateTime<Utc>>,
    reason: String,
}

/// A page was raised or cleared: what somebody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The page's name: group and severity.
    pub alarm: String,
    /// `ALARM` when it was raised, `OK` when it cleared.
    pub state: State,
    /// How bad it is.
    pub severity: Severity,
    /// When.
    #[serde(serialize_with = "to_millis")]
    pub at: DateTime<Utc>,
    /// All of it in a line, as chats show it.
    pub text: String,
    /// The alarms that it is about.
    pub alarms: Vec<NoticedAlarm>,
}

/// An alarm of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticedAlarm {
    /// Its name.
    pub name: String,
    /// What it says, for people.
    pub meaning: String,
    /// Why it is as it is.
    pub reason: String,
    /// Its section of the runbook.
    pub runbook: String,
}

/// How all alarms stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When they were looked at last.
    pub at: Option<DateTime<Utc>>,
    /// The pages that are raised.
    pub pages: Vec<RaisedPage>,
    /// Every alarm.
    pub alarms: Vec<AlarmState>,
}

/// A page that is raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedPage {
    /// Its name.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// When it was raised.
    pub since: DateTime<Utc>,
}

/// How an alarm stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmState {
    /// Its name.
    pub name: String,
    /// The group that it pages with.
    pub group: String,
    /// How bad it is.
    pub severity: Severity,
    /// How it stands.
    pub state: State,
    /// Since when; `None` before it was ever judged.
    pub since: Option<DateTime<Utc>>,
    /// What it says, for people.
    pub meaning: String,
    /// Why it stands so.
    pub reason: String,
    /// Its section of the runbook.
    pub runbook: String,
}

impl Board {
    /// The alarms of these things; nothing has been measured yet.
    ///
    /// # Errors
    /// When a definition's dimensions name what the thing has not.
    pub fn new(definitions: &Definitions, things: &[Thing]) -> Result<Self, DefinitionError> {
        let mut watches = Vec::new();
        let mut by_metric: HashMap<String, Vec<usize>> = HashMap::new();
        for definition in &definitions.alarms {
            for thing in things.iter().filter(|thing| thing.is_watched_by(definition)) {
                by_metric.entry(definition.metric.clone()).or_default().push(watches.len());
                watches.push(Watch::new(definition, thing)?);
            }
        }
        let groups: Vec<(&str, Severity)> =
            watches.iter().map(|watch| (watch.definition.group.as_str(), watch.definition.severity)).collect();
        let pages = pages::of(definitions, &groups);
        Ok(Self { watches, by_metric, pages, silence: definitions.silence, minute: 0, stepped_at: None })
    }

    /// Notes what was measured in the minute in hand.
    pub fn measure(&mut self, measurement: &Measurement<'_>) {
        for place in self.by_metric.get(measurement.metric).into_iter().flatten() {
            let watch = &mut self.watches[*place];
            if watch.is_of(measurement) {
                watch.series.add(self.minute, measurement.value);
            }
        }
    }

    /// Ends the minute in hand and judges every alarm; answers the pages that were raised or cleared by that. `at` is now.
    pub fn step(&mut self, at: DateTime<Utc>) -> Vec<Notice> {
        self.minute += 1;
        self.stepped_at = Some(at);
        for watch in &mut self.watches {
            watch.judge(self.minute, at);
        }
        let watches = &self.watches;
        let turns =
            pages::step(&mut self.pages, self.silence, self.minute, at, |place| watches[place].state == State::Alarm);
        turns.into_iter().map(|turn| self.notice(&turn, at)).collect()
    }

    fn notice(&self, turn: &pages::Turn, at: DateTime<Utc>) -> Notice {
        let page = &self.pages[turn.page];
        let state = if turn.raised { State::Alarm } else { State::Ok };
        let alarms: Vec<NoticedAlarm> = turn.members.iter().map(|place| self.watches[*place].noticed()).collect();
        let names: Vec<&str> = alarms.iter().map(|alarm| alarm.name.as_str()).collect();
        let text = format!("{} {}: {}", state.as_str(), page.name, names.join(", "));
        Notice { alarm: page.name.clone(), state, severity: page.severity, at, text, alarms }
    }

    /// How all alarms stand, as of the last minute.
    pub fn report(&self) -> Report {
        let raised = |page: &Page| {
            page.raised.map(|since| RaisedPage { name: page.name.clone(), severity: page.severity, since })
        };
        Report {
            at: self.stepped_at,
            pages: self.pages.iter().filter_map(raised).collect(),
            alarms: self.watches.iter().map(Watch::stands).collect(),
        }
    }
}

impl Watch {
    fn new(definition: &Definition, thing: &Thing) -> Result<Self, DefinitionError> {
        let rule = rule(definition);
        let minutes = rule.range() as u64 * (definition.period_seconds / 60);
        Ok(Self {
            name: thing.name(definition),
            dimensions: thing.dimensions(definition)?,
            threshold: thing.threshold(definition),
            series: Series::new(definition.statistic, minutes),
            state: State::InsufficientData,
            since: None,
            reason: "nothing was measured yet".into(),
            definition: definition.clone(),
        })
    }

    fn is_of(&self, measurement: &Measurement<'_>) -> bool {
        measurement.namespace == self.definition.namespace
            && measurement.dimensions.len() == self.dimensions.len()
            && measurement
                .dimensions
                .iter()
                .all(|(name, value)| self.dimensions.get(*name).is_some_and(|own| own == value))
    }

    fn judge(&mut self, minute: u64, at: DateTime<Utc>) {
        let Definition { statistic, comparison, period_seconds, .. } = self.definition;
        self.series.forget_before(minute);
        let (rule, period) = (rule(&self.definition), period_seconds / 60);
        let range = rule.range() as u64;
        // What is over its threshold in a period that was not watched to its beginning is so in the whole one, too.
        let begun = if is_less_of_a_part(statistic, comparison) { minute / period } else { minute.div_ceil(period) };
        // The oldest first: the last period ends now.
        let datapoints: Vec<Option<f64>> = (1..=begun.min(range))
            .rev()
            .map(|back| {
                let (from, to) = (minute.saturating_sub(back * period), minute - (back - 1) * period);
                self.series.datapoint(statistic, from, to)
            })
            .collect();
        let breaching = |datapoint: &Option<f64>| datapoint.map(|value| comparison.breaches(value, self.threshold));
        let judged: Vec<Option<bool>> = datapoints.iter().map(breaching).collect();
        let Some(state) = rule.judge(&judged, minute >= range * period) else { return };
        if state != self.state || self.since.is_none() {
            self.since = Some(at);
            self.state = state;
        } else if state != State::Alarm {
            return;
        }
        self.reason = self.reason(&datapoints, &judged);
    }

    /// Why the alarm stands as it does, in a sentence.
    fn reason(&self, datapoints: &[Option<f64>], judged: &[Option<bool>]) -> String {
        let Definition { metric, statistic, period_seconds, comparison, evaluation_periods, .. } = &self.definition;
        let of = format!("{metric} ({statistic:?} over {period_seconds} s)");
        let real = datapoints.iter().rev().copied().flatten();
        let newest: Vec<String> = real.take(*evaluation_periods).map(rounded).collect();
        if newest.is_empty() {
            return format!("no datapoint of {of}");
        }
        let breaching = judged.iter().rev().flatten().take(*evaluation_periods).filter(|breaching| **breaching).count();
        let was = if breaching == 1 { "was" } else { "were" };
        format!(
            "{breaching} of the last {evaluation_periods} datapoints of {of} {was} {} {}: {}",
            comparison.words(),
            rounded(self.threshold),
            newest.join(", "),
        )
    }

    fn runbook(&self) -> String {
        format!("{RUNBOOK}#{}", self.definition.name)
    }

    fn noticed(&self) -> NoticedAlarm {
        NoticedAlarm {
            name: self.name.clone(),
            meaning: self.definition.meaning.clone(),
            reason: self.reason.clone(),
            runbook: self.runbook(),
        }
    }

    fn stands(&self) -> AlarmState {
        AlarmState {
            name: self.name.clone(),
            group: self.definition.group.clone(),
            severity: self.definition.severity,
            state: self.state,
            since: self.since,
            meaning: self.definition.meaning.clone(),
            reason: self.reason.clone(),
            runbook: self.runbook(),
        }
    }
}

/// Whether a part of a period may be under its threshold though the whole one is not: a sum or the greatest value only grows.
fn is_less_of_a_part(statistic: Statistic, comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Less | Comparison::AtMost)
        && matches!(statistic, Statistic::Sum | Statistic::SampleCount | Statistic::Maximum)
}

fn rule(definition: &Definition) -> Rule {
    Rule {
        evaluation_periods: definition.evaluation_periods,
        datapoints_to_alarm: definition.datapoints_to_alarm,
        missing_data: definition.missing_data,
    }
}

/// A number without digits that nobody reads.
fn rounded(number: f64) -> String {
    format!("{}", (number * 1_000.0).round() / 1_000.0)
}

fn to_millis<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests;
