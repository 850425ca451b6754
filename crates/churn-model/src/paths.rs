//! The ways from a tree's root to its leaves.

use crate::trees::Tree;

/// A split: a row goes right when its value is not below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Split {
    pub(crate) column: u32,
    pub(crate) threshold: f64,
}

/// A leaf with its way from the root.
pub(crate) struct Leaf {
    pub(crate) value: f64,
    pub(crate) path: Vec<Step>,
}

/// A split on a leaf's path, and the side on which the leaf lies.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) node: usize,
    pub(crate) split: Split,
    pub(crate) right: bool,
    /// Of the training rows at the split, how many went this way.
    pub(crate) share: f64,
}

/// A column's condition on a leaf's path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    pub(crate) column: u32,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) share: f64,
}

impl Leaf {
    /// What it adds to the mean output.
    pub(crate) fn expected(&self) -> f64 {
        self.value * self.path.iter().map(|step| step.share).product::<f64>()
    }

    /// The bits that a column's splits on the path have among the outcomes of `splits`, and which of them are set for a row that goes
    /// the leaf's way at each.
    pub(crate) fn bits(&self, column: u32, splits: &[&Step]) -> (usize, usize) {
        let (mut bits, mut inside) = (0, 0);
        for step in self.path.iter().filter(|step| step.split.column == column) {
            if let Some(place) = splits.iter().position(|known| known.node == step.node) {
                bits |= 1 << place;
                inside |= usize::from(step.right) << place;
            }
        }
        (bits, inside)
    }
}

/// How many leaves lie below each node; one below a leaf.
pub(crate) fn leaf_counts(tree: &Tree) -> Vec<usize> {
    let mut counts = vec![1; tree.left.len()];
    // Children come after their parent.
    for (node, &left) in tree.left.iter().enumerate().rev() {
        if left != 0 {
            counts[node] = counts[left as usize] + counts[left as usize + 1];
        }
    }
    counts
}

/// The leaves below a node that lies at the end of a path.
pub(crate) fn leaves(tree: &Tree, node: usize, path: Vec<Step>, weight: f64) -> Vec<Leaf> {
    let mut open = vec![(node, path)];
    let mut leaves = Vec::new();
    while let Some((node, path)) = open.pop() {
        if tree.left[node] == 0 {
            leaves.push(Leaf { value: tree.number[node] * weight, path });
        } else {
            open.extend(children(tree, node, &path));
        }
    }
    leaves
}

/// A split's children with their paths.
pub(crate) fn children(tree: &Tree, node: usize, path: &[Step]) -> [(usize, Vec<Step>); 2] {
    let left = tree.left[node] as usize;
    let split = Split { column: tree.feature[node], threshold: tree.number[node] };
    let both = tree.cover[left] + tree.cover[left + 1];
    [(left, false), (left + 1, true)].map(|(child, right)| {
        let step = Step { node, split, right, share: tree.cover[child] / both };
        (child, path.iter().copied().chain([step]).collect())
    })
}

/// The conditions of a path, of each column one.
pub(crate) fn conditions(path: &[Step]) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = Vec::new();
    for step in path {
        let column = step.split.column;
        let at = conditions.iter().position(|condition| condition.column == column).unwrap_or_else(|| {
            conditions.push(Condition { column, low: f64::NEG_INFINITY, high: f64::INFINITY, share: 1.0 });
            conditions.len() - 1
        });
        let condition = &mut conditions[at];
        condition.share *= step.share;
        if step.right {
            condition.low = condition.low.max(step.split.threshold);
        } else {
            condition.high = condition.high.min(step.split.threshold);
        }
    }
    conditions
}
