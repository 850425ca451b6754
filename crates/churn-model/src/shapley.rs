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

use crate::trees::{Tree, Trees};

/// A column's condition on a leaf's path.
#[derive(Debug, Clone, Copy)]
struct Condition {
    column: u32,
    low: f64,
    high: f64,
    share: f64,
}

#[derive(Debug, Clone)]
struct Leaf {
    value: f64,
    first: usize,
    end: usize,
}

/// A point of a Gauss–Legendre rule on 0 to 1.
#[derive(Debug, Clone, Copy)]
struct Point {
    at: f64,
    weight: f64,
}

/// Trees laid out for their Shapley values.
#[derive(Debug, Clone)]
pub(crate) struct Shapley {
    base: f64,
    leaves: Vec<Leaf>,
    conditions: Vec<Condition>,
    /// By the number of conditions on a path: the rule that integrates it exactly.
    rules: Vec<Vec<Point>>,
}

impl Shapley {
    pub(crate) fn new(trees: &Trees) -> Self {
        let mut shapley = Self { base: trees.base, leaves: Vec::new(), conditions: Vec::new(), rules: Vec::new() };
        for tree in &trees.trees {
            shapley.add(tree, trees.weight);
        }
        let longest = shapley.leaves.iter().map(|leaf| leaf.end - leaf.first).max().unwrap_or(0);
        // n points are exact to degree 2n − 1; the integrand of d conditions has degree d − 1.
        shapley.rules = (0..=longest).map(|conditions| rule(conditions.div_ceil(2).max(1))).collect();
        shapley
    }

    fn add(&mut self, tree: &Tree, weight: f64) {
        let mut open: Vec<(usize, Vec<Condition>)> = vec![(0, Vec::new())];
        while let Some((node, path)) = open.pop() {
            let left = tree.left[node] as usize;
            if left == 0 {
                let value = tree.number[node] * weight;
                self.base += value * path.iter().map(|condition| condition.share).product::<f64>();
                let first = self.conditions.len();
                self.conditions.extend_from_slice(&path);
                self.leaves.push(Leaf { value, first, end: self.conditions.len() });
                continue;
            }
            let both = tree.cover[left] + tree.cover[left + 1];
            for (child, below) in [(left, true), (left + 1, false)] {
                let mut path = path.clone();
                narrow(&mut path, tree.feature[node], tree.number[node], below, tree.cover[child] / both);
                open.push((child, path));
            }
        }
    }

    /// The mean output over the training rows.
    pub(crate) fn base(&self) -> f64 {
        self.base
    }

    /// Each column's part of a row's output; they add up to the output less [`base`](Self::base).
    pub(crate) fn contributions(&self, row: &[f64], into: &mut [f64]) {
        into.fill(0.0);
        let mut factors = Vec::new();
        for leaf in &self.leaves {
            let path = &self.conditions[leaf.first..leaf.end];
            for point in &self.rules[path.len()] {
                factors.clear();
                let mut product = leaf.value * point.weight;
                for condition in path {
                    let value = row[condition.column as usize];
                    let inside = f64::from(u8::from(condition.low <= value && value < condition.high));
                    let change = inside - condition.share;
                    // Above 0: the share is, and the point lies between 0 and 1.
                    let factor = condition.share + point.at * change;
                    product *= factor;
                    factors.push((change, factor));
                }
                for (condition, (change, factor)) in path.iter().zip(&factors) {
                    into[condition.column as usize] += product * change / factor;
                }
            }
        }
    }
}

/// Adds a split's condition to a path; a column stands on it once.
fn narrow(path: &mut Vec<Condition>, column: u32, threshold: f64, below: bool, share: f64) {
    let at = path.iter().position(|condition| condition.column == column).unwrap_or_else(|| {
        path.push(Condition { column, low: f64::NEG_INFINITY, high: f64::INFINITY, share: 1.0 });
        path.len() - 1
    });
    let condition = &mut path[at];
    condition.share *= share;
    if below {
        condition.high = condition.high.min(threshold);
    } else {
        condition.low = condition.low.max(threshold);
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

    #[test]
    fn contributions_are_the_shapley_values_by_definition() {
        let tree = tree();
        let shapley = Shapley::new(&Trees { base: 0.25, weight: 2.0, trees: vec![tree.clone()] });
        for row in [[1.0, 1.0], [1.0, 9.0], [3.0, 1.0], [9.0, 9.0], [2.0, 5.0]] {
            let of = |known: [bool; 2]| expected(&tree, 0, &row, &known);
            let (none, both) = (of([false, false]), of([true, true]));
            let (first, second) = (of([true, false]), of([false, true]));
            let by_definition = [(first - none + both - second) / 2.0, (second - none + both - first) / 2.0];
            let mut contributions = [0.0; 2];
            shapley.contributions(&row, &mut contributions);
            for (contribution, by_definition) in contributions.iter().zip(by_definition) {
                assert!((contribution - 2.0 * by_definition).abs() < 1e-12, "{row:?}");
            }
            assert!((shapley.base() - (0.25 + 2.0 * none)).abs() < 1e-12);
            assert!((shapley.base() + contributions.iter().sum::<f64>() - (0.25 + 2.0 * both)).abs() < 1e-12);
        }
    }
}
