//! Shapley values of trees: how much of a customer's output each column accounts for.
//!
//! These are the values of path-dependent TreeSHAP (Lundberg and others, 2020): a column that is not known sends a row down both sides
//! of a split by their share of the training rows. They were chosen over adding up the changes of the mean along a row's path, which
//! costs less, because that gives more to the columns that happen to be split last and may lower a column's share when the model comes
//! to rely on it more.
//!
//! A leaf is reached when the value of each column on its path lies in an interval. With `o` = 1 for a value inside and 0 for one
//! outside, and `z` the share of the training rows that the column's splits send that way, the leaf's part of column `i` is
//! `value · (oᵢ − zᵢ) · ∫₀¹ Π_{j≠i} (zⱼ + t·(oⱼ − zⱼ)) dt`. The integrand is a polynomial, so that a Gauss–Legendre rule of enough points
//! gives the integral exactly.
//!
//! What a leaf's part is depends only on which way a row goes at the splits above the leaf. Leaves that together depend on a few splits
//! form a group, whose parts are laid out for every outcome of these splits: a row then looks them up. Only leaves that lie deeper
//! are integrated for each row.

use std::ops::Range;

use crate::paths::{Condition, Leaf, Split, Step, children, conditions, leaf_counts, leaves};
use crate::trees::Trees;

/// Splits that a group of leaves depends on, at most: it has 2⁶ outcomes laid out.
const MOST_SPLITS: usize = 6;

/// Trees laid out for their Shapley values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapley {
    base: f64,
    groups: Vec<Group>,
    /// Of all groups, one after another.
    splits: Vec<Split>,
    /// Of all groups: the columns of a group's splits, each once.
    columns: Vec<u32>,
    /// Of all groups, by outcome: the part of each of the group's columns.
    parts: Vec<f64>,
    deep: Vec<DeepLeaf>,
    /// Of all deep leaves.
    conditions: Vec<Condition>,
    /// By the number of columns on a path: the rule that integrates it exactly.
    rules: Vec<Vec<Point>>,
}

/// Leaves whose parts are laid out, as ranges of what all groups have.
#[derive(Debug, Clone)]
struct Group {
    splits: Range<usize>,
    columns: Range<usize>,
    /// Where the parts of the first outcome begin.
    parts: usize,
}

#[derive(Debug, Clone)]
struct DeepLeaf {
    value: f64,
    conditions: Range<usize>,
}

/// A condition as a row meets it.
#[derive(Clone, Copy)]
struct Met {
    share: f64,
    inside: bool,
}

/// A point of a Gauss–Legendre rule on 0 to 1.
#[derive(Debug, Clone, Copy)]
struct Point {
    at: f64,
    weight: f64,
}

impl Shapley {
    pub(crate) fn new(trees: &Trees) -> Self {
        let mut shapley = Self { base: trees.base, ..Self::default() };
        for tree in &trees.trees {
            let counts = leaf_counts(tree);
            let mut open = vec![(0, Vec::new())];
            while let Some((node, path)) = open.pop() {
                // A subtree has one split less than leaves.
                if path.len() + counts[node] <= MOST_SPLITS + 1 {
                    shapley.lay_out(&leaves(tree, node, path, trees.weight));
                } else if tree.left[node] == 0 {
                    leaves(tree, node, path, trees.weight).iter().for_each(|leaf| shapley.add_deep(leaf));
                } else {
                    open.extend(children(tree, node, &path));
                }
            }
        }
        shapley
    }

    /// Adds a group of leaves.
    fn lay_out(&mut self, leaves: &[Leaf]) {
        let mut splits: Vec<&Step> = Vec::new();
        for step in leaves.iter().flat_map(|leaf| &leaf.path) {
            if splits.iter().all(|known| known.node != step.node) {
                splits.push(step);
            }
        }
        let mut columns: Vec<u32> = splits.iter().map(|step| step.split.column).collect();
        columns.sort_unstable();
        columns.dedup();
        let (first, outcomes) = (self.parts.len(), 1_usize << splits.len());
        self.parts.resize(first + outcomes * columns.len(), 0.0);
        for leaf in leaves {
            self.base += leaf.expected();
            let conditions = conditions(&leaf.path);
            let places: Vec<usize> =
                conditions.iter().filter_map(|one| columns.binary_search(&one.column).ok()).collect();
            // Of each condition the bits of its splits in an outcome, and what they are for a row inside.
            let bits: Vec<(usize, usize)> = conditions.iter().map(|one| leaf.bits(one.column, &splits)).collect();
            let mut parts = vec![0.0; conditions.len()];
            for outcome in 0..outcomes {
                let met = |(condition, (bits, inside)): (&Condition, &(usize, usize))| Met {
                    share: condition.share,
                    inside: outcome & bits == *inside,
                };
                let met: Vec<Met> = conditions.iter().zip(&bits).map(met).collect();
                integrate(leaf.value, self.rule(met.len()), &met, &mut parts);
                for (place, part) in places.iter().zip(&parts) {
                    self.parts[first + outcome * columns.len() + place] += part;
                }
            }
        }
        let (first_split, first_column) = (self.splits.len(), self.columns.len());
        self.splits.extend(splits.iter().map(|step| step.split));
        self.columns.extend(columns);
        self.groups.push(Group {
            splits: first_split..self.splits.len(),
            columns: first_column..self.columns.len(),
            parts: first,
        });
    }

    fn add_deep(&mut self, leaf: &Leaf) {
        self.base += leaf.expected();
        let first = self.conditions.len();
        self.conditions.extend(conditions(&leaf.path));
        // So that it is there when rows come.
        self.rule(self.conditions.len() - first);
        self.deep.push(DeepLeaf { value: leaf.value, conditions: first..self.conditions.len() });
    }

    /// The rule for so many columns: n points are exact to degree 2n − 1, and the integrand of d columns has degree d − 1.
    fn rule(&mut self, columns: usize) -> &[Point] {
        while self.rules.len() <= columns {
            self.rules.push(rule(self.rules.len().div_ceil(2).max(1)));
        }
        &self.rules[columns]
    }

    /// The mean output over the training rows.
    pub(crate) fn base(&self) -> f64 {
        self.base
    }

    /// Each column's part of a row's output; they add up to the output less [`base`](Self::base).
    pub(crate) fn contributions(&self, row: &[f64], into: &mut [f64]) {
        into.fill(0.0);
        for group in &self.groups {
            let mut outcome = 0;
            for (bit, split) in self.splits[group.splits.clone()].iter().enumerate() {
                outcome |= usize::from(row[split.column as usize] >= split.threshold) << bit;
            }
            let columns = &self.columns[group.columns.clone()];
            for (column, part) in columns.iter().zip(&self.parts[group.parts + outcome * columns.len()..]) {
                into[*column as usize] += part;
            }
        }
        let (mut met, mut parts) = (Vec::new(), Vec::new());
        for leaf in &self.deep {
            let conditions = &self.conditions[leaf.conditions.clone()];
            met.clear();
            met.extend(conditions.iter().map(|condition| condition.met(row)));
            parts.resize(met.len(), 0.0);
            integrate(leaf.value, &self.rules[met.len()], &met, &mut parts);
            for (condition, part) in conditions.iter().zip(&parts) {
                into[condition.column as usize] += part;
            }
        }
    }
}

impl Condition {
    fn met(&self, row: &[f64]) -> Met {
        let value = row[self.column as usize];
        Met { share: self.share, inside: self.low <= value && value < self.high }
    }
}

/// The part of each column on a leaf's path.
fn integrate(value: f64, rule: &[Point], met: &[Met], parts: &mut [f64]) {
    parts.fill(0.0);
    for point in rule {
        let change = |met: &Met| f64::from(u8::from(met.inside)) - met.share;
        // Above 0: the share is, and the point lies between 0 and 1.
        let factor = |met: &Met| met.share + point.at * change(met);
        let product = value * point.weight * met.iter().map(factor).product::<f64>();
        for (met, part) in met.iter().zip(&mut *parts) {
            *part += product * change(met) / factor(met);
        }
    }
}

/// The Gauss–Legendre rule of `points` points on 0 to 1: the roots of a Legendre polynomial, by Newton's method.
fn rule(points: usize) -> Vec<Point> {
    let n = points as f64;
    let root = |index: usize| {
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..50 {
            let (mut last, mut value) = (1.0, x);
            for degree in 2..=points {
                let degree = degree as f64;
                (last, value) = (value, ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * last) / degree);
            }
            slope = n * (x * value - last) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        Point { at: (1.0 + x) / 2.0, weight: 1.0 / ((1.0 - x * x) * slope * slope) }
    };
    (0..points).map(root).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trees::Tree;

    #[test]
    fn the_rules_integrate_polynomials_exactly() {
        for points in 1..=12 {
            for degree in 0..2 * points {
                let integral: f64 = rule(points).iter().map(|point| point.weight * point.at.powi(degree as i32)).sum();
                assert!((integral - 1.0 / (degree as f64 + 1.0)).abs() < 1e-13, "{points} points, degree {degree}");
            }
        }
    }

    /// Splits on two columns, one of them twice.
    fn tree() -> Tree {
        Tree {
            feature: vec![0, 1, 0, 0, 0, 0, 0],
            left: vec![1, 3, 5, 0, 0, 0, 0],
            number: vec![2.0, 5.0, 4.0, -1.0, 0.5, 2.0, 3.0],
            cover: vec![10.0, 6.0, 4.0, 4.0, 2.0, 1.0, 3.0],
        }
    }

    /// The output expected when only some columns are known, by definition.
    fn expected(tree: &Tree, node: usize, row: &[f64], known: &[bool]) -> f64 {
        let left = tree.left[node] as usize;
        if left == 0 {
            return tree.number[node];
        }
        let column = tree.feature[node] as usize;
        if known[column] {
            return expected(tree, left + usize::from(row[column] >= tree.number[node]), row, known);
        }
        let share = tree.cover[left] / (tree.cover[left] + tree.cover[left + 1]);
        share * expected(tree, left, row, known) + (1.0 - share) * expected(tree, left + 1, row, known)
    }

    /// The Shapley values of a row, by definition.
    fn by_definition(tree: &Tree, row: &[f64]) -> Vec<f64> {
        let columns = row.len();
        let of = |set: usize| {
            let known: Vec<bool> = (0..columns).map(|column| set >> column & 1 == 1).collect();
            expected(tree, 0, row, &known)
        };
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        let part = |column: usize| {
            let without = (0..1_usize << columns).filter(|set| set >> column & 1 == 0);
            let weighed = without.map(|set| {
                let size = set.count_ones() as usize;
                let weight = factorial(size) * factorial(columns - size - 1) / factorial(columns);
                weight * (of(set | 1 << column) - of(set))
            });
            weighed.sum::<f64>()
        };
        (0..columns).map(part).collect()
    }

    fn check(tree: &Tree, rows: impl Iterator<Item = Vec<f64>>) -> Shapley {
        let shapley = Shapley::new(&Trees { base: 0.25, weight: 2.0, trees: vec![tree.clone()] });
        for row in rows {
            let mut contributions = vec![0.0; row.len()];
            shapley.contributions(&row, &mut contributions);
            for (contribution, by_definition) in contributions.iter().zip(by_definition(tree, &row)) {
                assert!((contribution - 2.0 * by_definition).abs() < 1e-12, "{row:?}");
            }
            let none = vec![false; row.len()];
            assert!((shapley.base() - (0.25 + 2.0 * expected(tree, 0, &row, &none))).abs() < 1e-12);
            let output = 0.25 + 2.0 * tree.value(&row);
            assert!((shapley.base() + contributions.iter().sum::<f64>() - output).abs() < 1e-12);
        }
        shapley
    }

    #[test]
    fn contributions_are_the_shapley_values_by_definition() {
        let rows = [[1.0, 1.0], [1.0, 9.0], [3.0, 1.0], [9.0, 9.0], [2.0, 5.0]];
        let shapley = check(&tree(), rows.into_iter().map(Vec::from));
        assert_eq!((shapley.groups.len(), shapley.deep.len()), (1, 0));
    }

    #[test]
    fn so_are_those_of_a_deep_tree_that_splits_on_its_columns_again_and_again() {
        let mut seed = 7_u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        // A spine of nine splits; every other one has a split on its other side too.
        let mut tree = Tree::default();
        let mut add = |tree: &mut Tree, number: f64| {
            tree.feature.push(0);
            tree.left.push(0);
            tree.number.push(number);
            tree.cover.push(1.0 + draw(9) as f64);
        };
        add(&mut tree, 0.0);
        let mut spine = 0;
        for depth in 0..9_usize {
            let left = tree.left.len();
            add(&mut tree, depth as f64);
            add(&mut tree, -1.5 * depth as f64);
            (tree.feature[spine], tree.left[spine], tree.number[spine]) =
                (depth as u32 % 4, left as u32, 1.0 + (depth % 3) as f64);
            if depth % 2 == 0 {
                let (side, leaf) = (left, tree.left.len());
                add(&mut tree, 0.5 + depth as f64);
                add(&mut tree, 3.0 - depth as f64);
                (tree.feature[side], tree.left[side], tree.number[side]) = (3 - depth as u32 % 4, leaf as u32, 2.0);
            }
            spine = left + 1;
        }
        let rows =
            (0..256_u32).map(|n| (0..4).map(|column| f64::from(n >> (2 * column) & 3) + 0.5).collect::<Vec<f64>>());
        let shapley = check(&tree, rows);
        assert!(shapley.groups.len() > 1 && shapley.deep.len() > 1, "some leaves are laid out, others are too deep");
    }
}
