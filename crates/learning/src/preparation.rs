//! What is learnt about columns before a model is fitted: which vary, what stands for a missing value, what a state is worth.

use std::collections::BTreeMap;

use millrace_churn_model::features::{NUMBERS, STATE};
use millrace_churn_model::{Column, Preparation};

use crate::examples::Examples;

/// How many customers' worth of the overall rate a state's own rate is mixed with.
const STATE_PRIOR: f64 = 20.0;
/// In how many parts the rows are split so that none helps to say what its own state is worth.
const STATE_PARTS: u64 = 5;

/// Learns the preparation of some rows: the columns that vary among them, and the state if it is wanted.
pub(crate) fn learn(examples: &Examples, rows: &[u32], with_state: bool) -> Preparation {
    let mut columns = Vec::new();
    for (index, feature) in NUMBERS.iter().enumerate() {
        let Some(values) = examples.numbers(index) else { continue };
        let mut present: Vec<f32> =
            rows.iter().map(|&row| values[row as usize]).filter(|value| !value.is_nan()).collect();
        let Some(&first) = present.first() else { continue };
        let missing = present.len() < rows.len();
        if missing || present.iter().any(|&value| value != first) {
            let middle = present.len() / 2;
            let median = *present.select_nth_unstable_by(middle, f32::total_cmp).1;
            columns.push(Column { name: feature.name.to_owned(), missing: f64::from(median) });
        }
    }
    let (mut states, mut unseen_state) = (BTreeMap::new(), 0.0);
    if with_state {
        let rates = Rates::of(examples, rows.iter().copied());
        unseen_state = rates.overall;
        for (index, name) in examples.state_names().iter().enumerate() {
            if rates.counts[index].1 > 0.0 {
                states.insert(name.clone(), rates.of_state(index));
            }
        }
        columns.push(Column { name: STATE.to_owned(), missing: unseen_state });
    }
    Preparation { columns, states, unseen_state }
}

/// How often the customers of each state leave.
struct Rates {
    overall: f64,
    /// Those who left, and all.
    counts: Vec<(f64, f64)>,
}

impl Rates {
    fn of(examples: &Examples, rows: impl Iterator<Item = u32>) -> Self {
        let mut counts = vec![(0.0, 0.0); examples.state_names().len()];
        let (mut left, mut all) = (0.0, 0.0);
        for row in rows {
            let churned = f64::from(u8::from(examples.churned(row)));
            let count = &mut counts[examples.state(row)];
            *count = (count.0 + churned, count.1 + 1.0);
            left += churned;
            all += 1.0;
        }
        Self { overall: if all > 0.0 { left / all } else { 0.0 }, counts }
    }

    fn of_state(&self, state: usize) -> f64 {
        let (left, all) = self.counts[state];
        (left + STATE_PRIOR * self.overall) / (all + STATE_PRIOR)
    }
}

/// The rows' prepared numbers as a model is fitted on them, column after column. A state is worth what the customers of *other* parts
/// of the rows say, or a model would find each row's own label in it.
pub(crate) fn training_columns(examples: &Examples, preparation: &Preparation, rows: &[u32]) -> Vec<f64> {
    let mut prepared = examples.prepared(preparation, rows);
    let state = preparation.columns.iter().position(|column| column.name == STATE);
    if let Some(column) = state {
        let part = |row: u32| examples.customer(row) / 7 % STATE_PARTS;
        let rates: Vec<Rates> = (0..STATE_PARTS)
            .map(|own| Rates::of(examples, rows.iter().copied().filter(|&row| part(row) != own)))
            .collect();
        let cells = &mut prepared[column * rows.len()..(column + 1) * rows.len()];
        for (&row, cell) in rows.iter().zip(cells) {
            *cell = f64::from(rates[part(row) as usize].of_state(examples.state(row)) as f32);
        }
    }
    prepared
}

impl Examples {
    /// The rows' prepared numbers as a model scores them, column after column.
    pub(crate) fn prepared(&self, preparation: &Preparation, rows: &[u32]) -> Vec<f64> {
        let mut prepared = Vec::with_capacity(rows.len() * preparation.columns.len());
        for column in &preparation.columns {
            // As scoring does: single precision.
            let missing = f64::from(column.missing as f32);
            let numbers = NUMBERS.iter().position(|feature| feature.name == column.name);
            match numbers.map(|feature| self.numbers(feature)) {
                Some(Some(values)) => prepared.extend(rows.iter().map(|&row| {
                    let value = values[row as usize];
                    if value.is_nan() { missing } else { f64::from(value) }
                })),
                Some(None) => prepared.extend(rows.iter().map(|_| missing)),
                None => {
                    let worth =
                        |name: &String| preparation.states.get(name).copied().unwrap_or(preparation.unseen_state);
                    let worths: Vec<f64> =
                        self.state_names().iter().map(|name| f64::from(worth(name) as f32)).collect();
                    prepared.extend(rows.iter().map(|&row| worths[self.state(row)]));
                }
            }
        }
        prepared
    }
}
