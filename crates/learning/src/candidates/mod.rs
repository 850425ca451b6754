//! The candidates: what each library fits, converted to the artefact's own arrays.

mod bayes;
mod boosted;
mod forest;
mod logistic;
mod standardised;

use std::collections::BTreeMap;

use millrace_churn_model::{Predictor, Tree, Trees};

use crate::LearningError;

/// How many rows say what share of them goes each way at a split.
const COVER_ROWS: usize = 50_000;

/// A kind of model that may become the champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidate {
    /// linfa's logistic regression.
    LogisticRegression,
    /// linfa's Gaussian naive Bayes.
    NaiveBayes,
    /// smartcore's tree.
    DecisionTree,
    /// smartcore's forest.
    RandomForest,
    /// forust's gradient-boosted trees.
    BoostedTrees,
}

/// What a candidate is fitted on.
pub(crate) struct Table<'a> {
    /// The prepared numbers, column after column.
    pub(crate) columns: &'a [f64],
    pub(crate) width: usize,
    pub(crate) left: &'a [bool],
    pub(crate) seed: u64,
    /// Whether a fit may use every core; else other fits are.
    pub(crate) alone: bool,
}

impl Table<'_> {
    pub(crate) fn rows(&self) -> usize {
        self.left.len()
    }

    /// The labels as numbers.
    pub(crate) fn targets(&self) -> Vec<f64> {
        self.left.iter().map(|&left| f64::from(u8::from(left))).collect()
    }
}

impl Candidate {
    /// Every candidate, the plainest first: of equals the plainer is chosen.
    pub const ALL: [Self; 5] =
        [Self::LogisticRegression, Self::NaiveBayes, Self::DecisionTree, Self::RandomForest, Self::BoostedTrees];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LogisticRegression => "logistic_regression",
            Self::NaiveBayes => "naive_bayes",
            Self::DecisionTree => "decision_tree",
            Self::RandomForest => "random_forest",
            Self::BoostedTrees => "boosted_trees",
        }
    }

    /// The candidate of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|candidate| candidate.name() == name)
    }

    /// The library that fits it.
    #[must_use]
    pub fn library(self) -> &'static str {
        match self {
            Self::LogisticRegression => "linfa-logistic 0.8",
            Self::NaiveBayes => "linfa-bayes 0.8",
            Self::DecisionTree | Self::RandomForest => "smartcore 0.7",
            Self::BoostedTrees => "forust-ml 0.8",
        }
    }

    /// What its fit is given.
    #[must_use]
    pub fn parameters(self) -> BTreeMap<&'static str, f64> {
        BTreeMap::from_iter(match self {
            Self::LogisticRegression => logistic::PARAMETERS.to_vec(),
            Self::NaiveBayes => bayes::PARAMETERS.to_vec(),
            Self::DecisionTree => forest::TREE_PARAMETERS.to_vec(),
            Self::RandomForest => forest::PARAMETERS.to_vec(),
            Self::BoostedTrees => boosted::PARAMETERS.to_vec(),
        })
    }

    pub(crate) fn fit(self, table: &Table<'_>) -> Result<Predictor, LearningError> {
        let fitted = match self {
            Self::LogisticRegression => logistic::fit(table).map(Predictor::Logistic),
            Self::NaiveBayes => bayes::fit(table).map(Predictor::NaiveBayes),
            Self::DecisionTree => forest::fit_tree(table).map(|trees| Predictor::Averaged(covered(trees, table))),
            Self::RandomForest => forest::fit(table).map(|trees| Predictor::Averaged(covered(trees, table))),
            Self::BoostedTrees => boosted::fit(table).map(|trees| Predictor::Boosted(covered(trees, table))),
        };
        fitted.map_err(|reason| LearningError::Fit { candidate: self.name(), reason })
    }
}

/// A node of a library's tree, by its own numbering.
enum Node {
    Leaf(f64),
    Split { feature: usize, below: f64, left: usize, right: usize },
}

/// Renumbers a tree so that children stand side by side after their parent.
fn tree(root: usize, node: impl Fn(usize) -> Result<Node, String>) -> Result<Tree, String> {
    let mut tree = Tree::default();
    let mut order = vec![root];
    let mut next = 0;
    while let Some(&index) = order.get(next) {
        let (feature, left, number) = match node(index)? {
            Node::Leaf(value) => (0, 0, value),
            Node::Split { feature, below, left, right } => {
                let at = order.len() as u32;
                order.extend([left, right]);
                (feature as u32, at, below)
            }
        };
        tree.feature.push(feature);
        tree.left.push(left);
        tree.number.push(number);
        next += 1;
    }
    tree.cover = vec![1.0; tree.left.len()];
    Ok(tree)
}

/// Counts the training rows that reach each node.
fn covered(mut trees: Trees, table: &Table<'_>) -> Trees {
    // Evenly spread, the same ones each time.
    let step = table.rows().div_ceil(COVER_ROWS).max(1);
    let mut row = vec![0.0; table.width];
    for tree in &mut trees.trees {
        tree.cover.fill(0.0);
    }
    for index in (0..table.rows()).step_by(step) {
        for (column, cell) in row.iter_mut().enumerate() {
            *cell = table.columns[column * table.rows() + index];
        }
        for tree in &mut trees.trees {
            let mut node = 0;
            loop {
                tree.cover[node] += 1.0;
                if tree.left[node] == 0 {
                    break;
                }
                let right = usize::from(row[tree.feature[node] as usize] >= tree.number[node]);
                node = tree.left[node] as usize + right;
            }
        }
    }
    for tree in &mut trees.trees {
        // A node that none of the counted rows reaches is as rare as half of one.
        tree.cover.iter_mut().for_each(|cover| *cover = cover.max(0.5));
    }
    trees
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use millrace_churn_model::{Artefact, Calibration, Column, Model, Preparation, SCHEMA_VERSION, TrainedOn};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Three columns of which two matter, with many equal values.
    pub(super) fn small() -> (Vec<f64>, Vec<bool>) {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let rows = 600;
        let columns: Vec<f64> = (0..3 * rows).map(|_| f64::from(rng.random_range(0..40_u32)) * 2.5).collect();
        let left = (0..rows)
            .map(|row| columns[row] + 0.5 * columns[rows + row] + rng.random_range(0.0..30.0) > 95.0)
            .collect();
        (columns, left)
    }

    pub(super) fn table<'a>(columns: &'a [f64], left: &'a [bool]) -> Table<'a> {
        Table { columns, width: columns.len() / left.len(), left, seed: 11, alone: true }
    }

    /// The probabilities that the artefact of a fit gives to the rows it was fitted on.
    pub(super) fn probabilities(candidate: Candidate, table: &Table<'_>) -> Vec<f64> {
        let names = ["total_day_minutes", "total_eve_minutes", "total_night_minutes"];
        let columns = names.map(|name| Column { name: name.to_owned(), missing: 0.0 }).to_vec();
        let artefact = Artefact {
            schema_version: SCHEMA_VERSION,
            candidate: candidate.name().to_owned(),
            library: candidate.library().to_owned(),
            trained_on: TrainedOn { from: Default::default(), to: Default::default(), rows: 0, churned: 0 },
            preparation: Preparation { columns, states: BTreeMap::new(), unseen_state: 0.0 },
            predictor: candidate.fit(table).unwrap(),
            calibration: Calibration::None,
            threshold: 0.5,
        };
        let model = Model::load(Artefact::from_bytes(&artefact.to_bytes().unwrap()).unwrap()).unwrap();
        let rows: Vec<f64> = (0..table.rows())
            .flat_map(|row| (0..table.width).map(move |column| (row, column)))
            .map(|(row, column)| table.columns[column * table.rows() + row])
            .collect();
        let mut margins = vec![0.0; table.rows()];
        model.margins(&rows, &mut margins);
        margins.into_iter().map(|margin| model.probability(margin)).collect()
    }
}
