//! From an observation to the numbers that a model reads. It is learnt with the model and part of its artefact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::artefact::ArtefactError;
use crate::exact;
use crate::features::{Feature, NUMBERS, Observation, STATE};

/// One column that a model reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name: one of [`NUMBERS`], or [`STATE`].
    pub name: String,
    /// What stands for a missing value: the median of training.
    #[serde(with = "exact")]
    pub missing: f64,
}

/// Which columns a model reads, and what stands for text and for missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// The columns, in the order of the model's arrays.
    pub columns: Vec<Column>,
    /// The number that stands for each state seen in training. Empty when the state is not read.
    #[serde(with = "exact::named")]
    pub states: BTreeMap<String, f64>,
    /// The number that stands for any other state.
    #[serde(with = "exact")]
    pub unseen_state: f64,
}

impl Preparation {
    /// Whether a column of the platform's own usage is read.
    #[must_use]
    pub fn uses_platform_usage(&self) -> bool {
        let reads = |column: &Column| NUMBERS.iter().any(|feature| feature.platform && feature.name == column.name);
        self.columns.iter().any(reads)
    }

    /// Makes the preparation ready to be applied.
    ///
    /// # Errors
    /// When a column is unknown or stands twice.
    pub fn ready(&self) -> Result<Prepared, ArtefactError> {
        let mut readers = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter().enumerate() {
            if self.columns[..index].iter().any(|earlier| earlier.name == column.name) {
                return Err(ArtefactError::Inconsistent(format!("column {} stands twice", column.name)));
            }
            readers.push(match Feature::named(&column.name) {
                Some(feature) => Reader::Number(feature, column.missing),
                None if column.name == STATE => Reader::State,
                None => return Err(ArtefactError::Inconsistent(format!("unknown column {}", column.name))),
            });
        }
        let mut states: Vec<(Box<str>, f64)> =
            self.states.iter().map(|(state, value)| (state.as_str().into(), *value)).collect();
        states.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Prepared { readers, states, unseen_state: self.unseen_state })
    }
}

#[derive(Debug, Clone)]
enum Reader {
    Number(Feature, f64),
    State,
}

/// A preparation that is ready.
#[derive(Debug, Clone)]
pub struct Prepared {
    readers: Vec<Reader>,
    states: Vec<(Box<str>, f64)>,
    unseen_state: f64,
}

impl Prepared {
    /// How many numbers a row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.readers.len()
    }

    /// Writes an observation's numbers, none of them NaN, into a row of [`width`](Self::width).
    pub fn fill(&self, observation: &Observation<'_>, row: &mut [f64]) {
        for (reader, cell) in self.readers.iter().zip(row) {
            let value = match reader {
                Reader::Number(feature, missing) => {
                    let value = (feature.value)(observation);
                    if value.is_nan() { *missing } else { value }
                }
                Reader::State => self.state(&observation.customer.state),
            };
            // Training keeps its columns in single precision: a value must fall on the same side of a split as it did there.
            *cell = f64::from(value as f32);
        }
    }

    fn state(&self, state: &str) -> f64 {
        match self.states.binary_search_by(|(known, _)| (**known).cmp(state)) {
            Ok(at) => self.states[at].1,
            Err(_) => self.unseen_state,
        }
    }

    /// Whether a column is the state.
    pub(crate) fn is_state(&self, column: usize) -> bool {
        matches!(self.readers.get(column), Some(Reader::State))
    }

    /// A column's value as it was observed; NaN when it was missing or is text.
    pub(crate) fn observed(&self, column: usize, observation: &Observation<'_>) -> f64 {
        match self.readers.get(column) {
            Some(Reader::Number(feature, _)) => (feature.value)(observation),
            _ => f64::NAN,
        }
    }
}
