//! What a candidate says of rows it was not fitted on.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread;

use millrace_churn_model::{Artefact, Calibration, Model, Preparation, SCHEMA_VERSION};

use crate::LearningError;
use crate::candidates::{Candidate, Table};
use crate::examples::Examples;
use crate::preparation::{learn, training_columns};

/// The least rows of each class in each fold.
pub(crate) const LEAST_BY_FOLD: usize = 2;

/// Rows in parts for cross-validation.
pub(crate) struct Folds<'a> {
    pub(crate) rows: &'a [u32],
    /// Each row's part.
    pub(crate) of_row: Vec<u8>,
    pub(crate) count: u8,
}

impl<'a> Folds<'a> {
    /// Splits rows so that each part has its share of those who left, and no customer is in two parts.
    pub(crate) fn new(examples: &Examples, rows: &'a [u32], count: u8, seed: u64) -> Self {
        let mut customers: BTreeMap<u64, bool> = BTreeMap::new();
        for &row in rows {
            *customers.entry(examples.customer(row)).or_default() |= examples.churned(row);
        }
        let mut order: Vec<(bool, u64, u64)> =
            customers.into_iter().map(|(customer, left)| (left, shuffled(customer, seed), customer)).collect();
        order.sort_unstable();
        let of_customer: BTreeMap<u64, u8> = order
            .into_iter()
            .enumerate()
            .map(|(place, (_, _, customer))| (customer, (place % usize::from(count)) as u8))
            .collect();
        let of = |row: &u32| of_customer.get(&examples.customer(*row)).copied().unwrap_or_default();
        Self { rows, of_row: rows.iter().map(of).collect(), count }
    }

    fn part(&self, wanted: impl Fn(u8) -> bool) -> Vec<u32> {
        self.rows.iter().zip(&self.of_row).filter(|(_, fold)| wanted(**fold)).map(|(&row, _)| row).collect()
    }
}

/// A customer's place in an order that depends on the seed alone.
fn shuffled(customer: u64, seed: u64) -> u64 {
    let mixed = customer ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 32)
}

/// Fits a candidate on some rows, without a calibration and with a threshold of 0.5.
pub(crate) fn fit(
    candidate: Candidate,
    examples: &Examples,
    rows: &[u32],
    with_state: bool,
    seed: u64,
    alone: bool,
) -> Result<Artefact, LearningError> {
    let preparation: Preparation = learn(examples, rows, with_state);
    let columns = training_columns(examples, &preparation, rows);
    let left = examples.labels(rows);
    let table = Table { columns: &columns, width: preparation.columns.len(), left: &left, seed, alone };
    let predictor = candidate.fit(&table)?;
    Ok(Artefact {
        schema_version: SCHEMA_VERSION,
        candidate: candidate.name().to_owned(),
        library: candidate.library().to_owned(),
        trained_on: examples.described(rows),
        preparation,
        predictor,
        calibration: Calibration::None,
        threshold: 0.5,
    })
}

/// The probability that a candidate gives to each row when it is fitted on the other parts. Parts are fitted side by side.
pub(crate) fn cross_validate(
    candidate: Candidate,
    examples: &Examples,
    folds: &Folds<'_>,
    with_state: bool,
    seed: u64,
) -> Result<Vec<f64>, LearningError> {
    let one = |fold: u8| -> Result<Vec<f64>, LearningError> {
        let artefact = fit(candidate, examples, &folds.part(|of| of != fold), with_state, seed, false)?;
        Ok(examples.probabilities(&Model::load(artefact)?, &folds.part(|of| of == fold)))
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(usize::from(folds.count)) as u8;
    let mut parts: Vec<Option<std::vec::IntoIter<f64>>> = (0..folds.count).map(|_| None).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                let mine = (first..folds.count).step_by(usize::from(threads));
                scope.spawn(move || mine.map(|fold| one(fold).map(|part| (fold, part))).collect::<Result<Vec<_>, _>>())
            })
            .collect();
        for worker in workers {
            let fitted = worker.join().map_err(|_| LearningError::Fit {
                candidate: candidate.name(),
                reason: "its library panicked".into(),
            })??;
            for (fold, part) in fitted {
                parts[usize::from(fold)] = Some(part.into_iter());
            }
        }
        Ok::<_, LearningError>(())
    })?;
    let mut next = |fold: u8| parts[usize::from(fold)].as_mut().and_then(Iterator::next).unwrap_or(f64::NAN);
    Ok(folds.of_row.iter().map(|&fold| next(fold)).collect())
}
