//! CloudWatch's alarms without CloudWatch: the definitions of `terraform/alarms.json`, evaluated on a laptop by the same rules.
//!
//! Measurements go in, notices come out; time is an argument, and nothing here does I/O. A [`Board`] holds the metric alarms of
//! all that there is to watch ([`Thing`]) and the composite alarms that page. Like CloudWatch it looks once a minute, and an
//! alarm's periods end at that minute.

mod board;
mod definitions;
pub mod emf;
mod evaluation;
mod measurement;
mod pages;
mod series;
mod things;

pub use board::{AlarmState, Board, Notice, NoticedAlarm, RaisedPage, Report};
pub use definitions::{
    Comparison, Definition, DefinitionError, Definitions, Group, MissingData, Severity, Silence, Statistic, ThresholdOf,
};
pub use evaluation::{Rule, State};
pub use measurement::{Measurement, Sink};
pub use things::Thing;
