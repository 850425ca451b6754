//! A decision tree and a random forest, by smartcore.
//!
//! Its classifiers vote and give no probabilities. Its regressors do when they are fitted on 0 and 1: a leaf's mean is the share of
//! those who left, and the split that most lowers the variance of 0s and 1s is the one that most lowers their Gini impurity.

use millrace_churn_model::{Tree, Trees};
use serde::{Deserialize, Serialize};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};

use super::{Node, Table, tree};

/// Deep enough for the few rules that make customers leave, with leaves large enough to have a rate.
pub(super) const TREE_PARAMETERS: [(&str, f64); 2] = [("depth", 6.0), ("least_rows_in_leaf", 5.0)];

pub(super) const PARAMETERS: [(&str, f64); 4] =
    [("trees", 100.0), ("depth", 12.0), ("least_rows_in_leaf", 2.0), ("share_of_columns_by_split", 0.6)];

/// From how many rows on a leaf must hold a share of them, so that trees do not grow with the data.
const LEAF_SHARE: usize = 20_000;

/// What smartcore keeps of a forest and of a tree; it shows it in no other way than by serialising it.
#[derive(Deserialize)]
struct Forest {
    forest_regressor: Grown,
}

#[derive(Deserialize)]
struct Grown {
    trees: Vec<Nodes>,
}

#[derive(Deserialize)]
struct Single {
    tree_regressor: Nodes,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Fitted>,
}

#[derive(Deserialize)]
struct Fitted {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

impl Nodes {
    fn converted(&self) -> Result<Tree, String> {
        tree(0, |index| {
            let node = self.nodes.get(index).ok_or("a child that is not there")?;
            Ok(match (node.split_value, node.true_child, node.false_child) {
                // smartcore sends a value that equals the threshold to the left; ours only one below it.
                (Some(value), Some(left), Some(right)) => {
                    Node::Split { feature: node.split_feature, below: value.next_up(), left, right }
                }
                _ => Node::Leaf(node.output),
            })
        })
    }
}

/// What a fit holds, by way of JSON values: nothing is rounded.
fn read<T: for<'de> Deserialize<'de>>(fitted: &impl Serialize) -> Result<T, String> {
    let value = serde_json::to_value(fitted).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn matrix(table: &Table<'_>) -> Result<DenseMatrix<f64>, String> {
    DenseMatrix::new(table.rows(), table.width, table.columns.to_vec(), true).map_err(|error| error.to_string())
}

fn leaf(least: f64, rows: usize) -> usize {
    (least as usize).max(rows / LEAF_SHARE)
}

fn library_tree(table: &Table<'_>) -> Result<DecisionTreeRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>, String> {
    let parameters = DecisionTreeRegressorParameters {
        seed: Some(table.seed),
        ..DecisionTreeRegressorParameters::default()
            .with_max_depth(TREE_PARAMETERS[0].1 as u16)
            .with_min_samples_leaf(leaf(TREE_PARAMETERS[1].1, table.rows()))
    };
    DecisionTreeRegressor::fit(&matrix(table)?, &table.targets(), parameters).map_err(|error| error.to_string())
}

fn library_forest(table: &Table<'_>) -> Result<RandomForestRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>, String> {
    let parameters = RandomForestRegressorParameters::default()
        .with_n_trees(PARAMETERS[0].1 as usize)
        .with_max_depth(PARAMETERS[1].1 as u16)
        .with_min_samples_leaf(leaf(PARAMETERS[2].1, table.rows()))
        .with_m((PARAMETERS[3].1 * table.width as f64).ceil() as usize)
        .with_seed(table.seed);
    RandomForestRegressor::fit(&matrix(table)?, &table.targets(), parameters).map_err(|error| error.to_string())
}

pub(super) fn fit_tree(table: &Table<'_>) -> Result<Trees, String> {
    let Single { tree_regressor } = read(&library_tree(table)?)?;
    Ok(Trees { base: 0.0, weight: 1.0, trees: vec![tree_regressor.converted()?] })
}

pub(super) fn fit(table: &Table<'_>) -> Result<Trees, String> {
    let Forest { forest_regressor } = read(&library_forest(table)?)?;
    let trees: Vec<Tree> = forest_regressor.trees.iter().map(Nodes::converted).collect::<Result<_, _>>()?;
    Ok(Trees { base: 0.0, weight: 1.0 / trees.len() as f64, trees })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::candidates::Candidate;
    use crate::candidates::tests::{probabilities, small, table};

    #[test]
    fn the_artefact_gives_the_librarys_probabilities() {
        let (columns, left) = small();
        let table = table(&columns, &left);
        let tree = library_tree(&table).unwrap().predict(&matrix(&table).unwrap()).unwrap();
        let forest = library_forest(&table).unwrap().predict(&matrix(&table).unwrap()).unwrap();
        for (candidate, library) in [(Candidate::DecisionTree, tree), (Candidate::RandomForest, forest)] {
            for (ours, library) in probabilities(candidate, &table).iter().zip(library) {
                assert!((ours - library).abs() < 1e-6, "{}: {ours} and {library}", candidate.name());
            }
        }
    }
}
