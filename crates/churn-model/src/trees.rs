//! Decision trees: alone, averaged as a forest, or summed as boosted trees.

use serde::{Deserialize, Serialize};

use crate::artefact::ArtefactError;
use crate::exact;

/// How many rows go down a tree together: their steps do not wait for one another.
const TOGETHER: usize = 8;

/// A binary tree. A node's parts stand at its index in each array; the root is node 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// The column that a split looks at; 0 for a leaf.
    pub feature: Vec<u32>,
    /// A split's left child; its right child comes right after. 0 for a leaf.
    pub left: Vec<u32>,
    /// A split's threshold (a row goes left when its value is below), or a leaf's value.
    #[serde(with = "exact::many")]
    pub number: Vec<f64>,
    /// The weight of the training rows that reached the node, above 0.
    #[serde(with = "exact::many")]
    pub cover: Vec<f64>,
}

/// Trees whose values are added to a base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trees {
    /// Where the sum begins.
    #[serde(with = "exact")]
    pub base: f64,
    /// What each tree's value is multiplied by: one over their number in a forest.
    #[serde(with = "exact")]
    pub weight: f64,
    /// The trees.
    pub trees: Vec<Tree>,
}

impl Tree {
    /// The value of the leaf that a row ends in.
    #[must_use]
    pub fn value(&self, row: &[f64]) -> f64 {
        let mut node = 0;
        while self.left[node] != 0 {
            let right = u32::from(row[self.feature[node] as usize] >= self.number[node]);
            node = (self.left[node] + right) as usize;
        }
        self.number[node]
    }

    /// The steps to the deepest leaf.
    fn depth(&self) -> u32 {
        let mut depths = vec![0_u32; self.left.len()];
        for (node, &left) in self.left.iter().enumerate() {
            if left != 0 {
                // Children come after their parent.
                depths[left as usize] = depths[node] + 1;
                depths[left as usize + 1] = depths[node] + 1;
            }
        }
        depths.into_iter().max().unwrap_or(0)
    }

    fn check(&self, columns: usize) -> Result<(), ArtefactError> {
        let wrong = |what: String| Err(ArtefactError::Inconsistent(what));
        let nodes = self.left.len();
        if nodes == 0 || self.feature.len() != nodes || self.number.len() != nodes || self.cover.len() != nodes {
            return wrong("a tree whose arrays differ in length".into());
        }
        let mut parents = vec![0_u8; nodes];
        for node in 0..nodes {
            if self.cover[node] <= 0.0 {
                return wrong(format!("node {node} of a tree has no cover"));
            }
            let left = self.left[node] as usize;
            if left == 0 {
                continue;
            }
            // Children after their parent: a walk ends.
            if left <= node || left + 1 >= nodes {
                return wrong(format!("node {node} of a tree has its children at {left}"));
            }
            if self.feature[node] as usize >= columns {
                return wrong(format!("node {node} of a tree looks at column {} of {columns}", self.feature[node]));
            }
            parents[left] += 1;
            parents[left + 1] += 1;
        }
        if parents[0] != 0 || parents[1..].iter().any(|&count| count != 1) {
            return wrong("a tree with a node that is not the child of one other".into());
        }
        Ok(())
    }
}

impl Trees {
    pub(crate) fn check(&self, columns: usize) -> Result<(), ArtefactError> {
        self.trees.iter().try_for_each(|tree| tree.check(columns))
    }
}

/// A node as it is walked: 16 bytes.
#[derive(Debug, Clone, Copy)]
struct Node {
    number: f64,
    feature: u32,
    left: u32,
}

/// Trees laid out for walking.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    base: f64,
    weight: f64,
    /// Nodes of all trees. A leaf looks at column 0 and is its own left child beneath an endless threshold, so that a walk of the
    /// tree's depth ends there whatever the path.
    nodes: Vec<Node>,
    /// A leaf's value, by node.
    values: Vec<f64>,
    /// Each tree's root and depth.
    roots: Vec<(u32, u32)>,
}

impl Walk {
    pub(crate) fn new(trees: &Trees) -> Self {
        let mut walk = Self {
            base: trees.base,
            weight: trees.weight,
            nodes: Vec::new(),
            values: Vec::new(),
            roots: Vec::with_capacity(trees.trees.len()),
        };
        for tree in &trees.trees {
            let root = walk.nodes.len() as u32;
            walk.roots.push((root, tree.depth()));
            for (index, (&left, &number)) in tree.left.iter().zip(&tree.number).enumerate() {
                let (node, value) = if left == 0 {
                    (Node { number: f64::INFINITY, feature: 0, left: root + index as u32 }, number)
                } else {
                    (Node { number, feature: tree.feature[index], left: root + left }, 0.0)
                };
                walk.nodes.push(node);
                walk.values.push(value);
            }
        }
        walk
    }

    /// The sum of a row.
    pub(crate) fn sum(&self, row: &[f64]) -> f64 {
        let mut sum = 0.0;
        for &(root, depth) in &self.roots {
            let mut at = root;
            for _ in 0..depth {
                at = self.step(at, row);
            }
            sum += self.values[at as usize];
        }
        self.base + self.weight * sum
    }

    /// The sums of rows that stand one after another, in the same order of additions as [`sum`](Self::sum).
    pub(crate) fn sums(&self, rows: &[f64], width: usize, into: &mut [f64]) {
        into.fill(0.0);
        let whole = into.len() / TOGETHER * TOGETHER;
        for &(root, depth) in &self.roots {
            for first in (0..whole).step_by(TOGETHER) {
                let rows = &rows[first * width..(first + TOGETHER) * width];
                let mut at = [root; TOGETHER];
                for _ in 0..depth {
                    for (lane, at) in at.iter_mut().enumerate() {
                        *at = self.step(*at, &rows[lane * width..(lane + 1) * width]);
                    }
                }
                for (sum, at) in into[first..first + TOGETHER].iter_mut().zip(at) {
                    *sum += self.values[at as usize];
                }
            }
        }
        for sum in &mut into[..whole] {
            *sum = self.base + self.weight * *sum;
        }
        for (index, sum) in into.iter_mut().enumerate().skip(whole) {
            *sum = self.sum(&rows[index * width..(index + 1) * width]);
        }
    }

    #[inline]
    fn step(&self, at: u32, row: &[f64]) -> u32 {
        let node = self.nodes[at as usize];
        // No branch: which way a row goes cannot be guessed.
        node.left + u32::from(row[node.feature as usize] >= node.number)
    }
}
