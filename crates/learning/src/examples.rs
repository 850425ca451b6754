//! Labelled observations in columns: compact, so that a million fit where their rows would not.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use millrace_churn_model::features::NUMBERS;
use millrace_churn_model::{Model, Observation, TrainedOn};
use millrace_domain::customers::CustomerSnapshot;

/// One customer in this many is set aside.
const SET_ASIDE: u64 = 5;
/// How many rows are scored at once.
const BLOCK: usize = 4096;

/// Labelled observations.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    /// By [`NUMBERS`]. A column of the platform's usage is empty until one example has it.
    numbers: Vec<Vec<f32>>,
    states: Vec<u32>,
    state_names: Vec<String>,
    state_ids: HashMap<String, u32>,
    churned: Vec<bool>,
    customers: Vec<u64>,
    observed_at: Vec<DateTime<Utc>>,
}

impl Examples {
    /// No examples.
    #[must_use]
    pub fn new() -> Self {
        Self { numbers: vec![Vec::new(); NUMBERS.len()], ..Self::default() }
    }

    /// The examples of labelled snapshots, without the platform's usage. Snapshots without a label are left out.
    pub fn from_snapshots<'a>(snapshots: impl IntoIterator<Item = &'a CustomerSnapshot>) -> Self {
        let mut examples = Self::new();
        for snapshot in snapshots {
            if let Some(churned) = snapshot.churn {
                examples.push(&Observation::from(snapshot), churned);
            }
        }
        examples
    }

    /// Adds an example: what was known of a customer, and whether the customer left.
    pub fn push(&mut self, observation: &Observation<'_>, churned: bool) {
        let rows = self.len();
        for (feature, column) in NUMBERS.iter().zip(&mut self.numbers) {
            if feature.platform && column.is_empty() {
                if observation.platform.is_none() {
                    continue;
                }
                column.resize(rows, f32::NAN);
            }
            column.push((feature.value)(observation) as f32);
        }
        let customer = observation.customer;
        let state = match self.state_ids.get(&customer.state) {
            Some(&id) => id,
            None => {
                let id = self.state_names.len() as u32;
                self.state_names.push(customer.state.clone());
                self.state_ids.insert(customer.state.clone(), id);
                id
            }
        };
        self.states.push(state);
        self.churned.push(churned);
        self.customers.push(hash(customer.customer_id.as_str()));
        self.observed_at.push(customer.observed_at);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.churned.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.churned.is_empty()
    }

    /// How much memory the columns take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let numbers: usize = self.numbers.iter().map(|column| column.capacity() * 4).sum();
        numbers
            + self.states.capacity() * 4
            + self.churned.capacity()
            + self.customers.capacity() * 8
            + self.observed_at.capacity() * size_of::<DateTime<Utc>>()
    }

    /// Every example.
    #[must_use]
    pub fn all(&self) -> Vec<u32> {
        (0..self.len() as u32).collect()
    }

    /// The examples that a model may be trained on: those of four customers in five, always the same ones.
    #[must_use]
    pub fn for_training(&self) -> Vec<u32> {
        self.of(|customer| customer % SET_ASIDE != 0)
    }

    /// The examples of the customers that no model is ever trained on. They judge champion and challenger alike.
    #[must_use]
    pub fn held_out(&self) -> Vec<u32> {
        self.of(|customer| customer % SET_ASIDE == 0)
    }

    /// Of the held-out examples those of the last `window`, or all of them when fewer than `least` of either class are so fresh.
    #[must_use]
    pub fn fresh_held_out(&self, window: TimeDelta, least: usize) -> Vec<u32> {
        let held_out = self.held_out();
        let Some(last) = held_out.iter().map(|&row| self.observed_at[row as usize]).max() else {
            return held_out;
        };
        let fresh: Vec<u32> =
            held_out.iter().copied().filter(|&row| self.observed_at[row as usize] > last - window).collect();
        let left = fresh.iter().filter(|&&row| self.churned[row as usize]).count();
        if left >= least && fresh.len() - left >= least { fresh } else { held_out }
    }

    fn of(&self, wanted: impl Fn(u64) -> bool) -> Vec<u32> {
        self.all().into_iter().filter(|&row| wanted(self.customers[row as usize])).collect()
    }

    /// Whether the customers of some rows left.
    #[must_use]
    pub fn labels(&self, rows: &[u32]) -> Vec<bool> {
        rows.iter().map(|&row| self.churned[row as usize]).collect()
    }

    /// The probabilities that a model gives to some rows.
    #[must_use]
    pub fn probabilities(&self, model: &Model, rows: &[u32]) -> Vec<f64> {
        let preparation = &model.artefact().preparation;
        let width = preparation.columns.len();
        let mut probabilities = Vec::with_capacity(rows.len());
        let mut margins = vec![0.0; BLOCK];
        for block in rows.chunks(BLOCK) {
            let columns = self.prepared(preparation, block);
            let mut by_row = vec![0.0; columns.len()];
            for (column, values) in columns.chunks_exact(block.len()).enumerate() {
                for (row, value) in values.iter().enumerate() {
                    by_row[row * width + column] = *value;
                }
            }
            let margins = &mut margins[..block.len()];
            model.margins(&by_row, margins);
            probabilities.extend(margins.iter().map(|&margin| model.probability(margin)));
        }
        probabilities
    }

    /// What the rows are, for an artefact.
    pub(crate) fn described(&self, rows: &[u32]) -> TrainedOn {
        let times = || rows.iter().map(|&row| self.observed_at[row as usize]);
        TrainedOn {
            from: times().min().unwrap_or_default(),
            to: times().max().unwrap_or_default(),
            rows: rows.len() as u64,
            churned: rows.iter().filter(|&&row| self.churned[row as usize]).count() as u64,
        }
    }

    /// A column of numbers by its place in [`NUMBERS`]; `None` when no example has it.
    pub(crate) fn numbers(&self, feature: usize) -> Option<&[f32]> {
        self.numbers.get(feature).map(Vec::as_slice).filter(|column| !column.is_empty())
    }

    pub(crate) fn churned(&self, row: u32) -> bool {
        self.churned[row as usize]
    }

    /// A fixed number that stands for a row's customer.
    pub(crate) fn customer(&self, row: u32) -> u64 {
        self.customers[row as usize]
    }

    /// The state of a row, as an index into [`state_names`](Self::state_names).
    pub(crate) fn state(&self, row: u32) -> usize {
        self.states[row as usize] as usize
    }

    pub(crate) fn state_names(&self) -> &[String] {
        &self.state_names
    }
}

/// A number that stands for a customer, the same on every machine and in every version: FNV-1a, then mixed so that its remainder is
/// as good as random.
fn hash(customer: &str) -> u64 {
    let fnv = customer
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
