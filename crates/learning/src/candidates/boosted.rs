//! Gradient-boosted trees, by forust.

use forust_ml::objective::ObjectiveType;
use forust_ml::{GradientBooster, Matrix};
use millrace_churn_model::{Tree, Trees};

use super::{Node, Table, tree};

pub(super) const PARAMETERS: [(&str, f64); 6] = [
    ("trees", 150.0),
    ("learning_rate", 0.05),
    ("depth", 4.0),
    ("l2", 1.0),
    ("least_weight_in_leaf", 1.0),
    ("share_of_columns_by_tree", 0.7),
];

/// From how many rows on histograms are built row by row, by all cores.
const MANY: usize = 20_000;

fn library(table: &Table<'_>) -> Result<GradientBooster, String> {
    let many = table.rows() >= MANY;
    let mut booster = GradientBooster::default()
        .set_objective_type(ObjectiveType::LogLoss)
        .set_iterations(PARAMETERS[0].1 as usize)
        .set_learning_rate(PARAMETERS[1].1 as f32)
        .set_max_depth(PARAMETERS[2].1 as usize)
        .set_l2(PARAMETERS[3].1 as f32)
        .set_min_leaf_weight(PARAMETERS[4].1 as f32)
        .set_colsample_bytree(PARAMETERS[5].1)
        .set_seed(table.seed)
        .set_tiled_histograms(many)
        .set_parallel(table.alone && many);
    booster
        .fit_unweighted(&Matrix::new(table.columns, table.rows(), table.width), &table.targets(), None)
        .map_err(|error| error.to_string())?;
    Ok(booster)
}

pub(super) fn fit(table: &Table<'_>) -> Result<Trees, String> {
    let booster = library(table)?;
    let trees: Vec<Tree> = booster
        .trees
        .iter()
        .map(|grown| {
            tree(0, |index| {
                let node = grown.nodes.get(index).ok_or("a child that is not there")?;
                Ok(if node.is_leaf {
                    Node::Leaf(f64::from(node.weight_value))
                } else {
                    Node::Split {
                        feature: node.split_feature,
                        below: node.split_value,
                        left: node.left_child,
                        right: node.right_child,
                    }
                })
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Trees { base: booster.base_score, weight: 1.0, trees })
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
        let library = library(&table).unwrap();
        let odds = library.predict(&Matrix::new(&columns, table.rows(), table.width), false);
        for (ours, odds) in probabilities(Candidate::BoostedTrees, &table).iter().zip(odds) {
            assert!((ours - 1.0 / (1.0 + (-odds).exp())).abs() < 1e-6);
        }
    }

    #[test]
    fn many_rows_give_the_same_trees_however_many_threads_fit_them() {
        let steps = [2.0_f64, 3.0, 5.0, 7.0].map(f64::sqrt);
        let columns: Vec<f64> =
            steps.iter().flat_map(|step| (0..MANY).map(move |row| (row as f64 * step).fract())).collect();
        let left: Vec<bool> = (0..MANY).map(|row| columns[row] + columns[MANY + row] / 2.0 > 0.9).collect();
        let fitted =
            |alone| fit(&Table { columns: &columns, width: steps.len(), left: &left, seed: 1, alone }).unwrap();
        let (all_cores, one) = (fitted(true), fitted(false));
        assert!(all_cores == one, "the same data and seed give the same trees");
        assert!(all_cores.trees.len() > 100);
    }
}
