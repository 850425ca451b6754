//! What is wrong with a tariff, gathered by path.

use std::collections::BTreeSet;
use std::iter;
use std::ops::Bound;

use super::TariffError;

/// What was found so far, and what could not be read before.
#[derive(Default)]
pub(super) struct Faults {
    found: Vec<TariffError>,
    /// The paths of what was found.
    paths: BTreeSet<String>,
    /// The paths of what could not be read: what stands there instead means nothing.
    unread: BTreeSet<String>,
}

impl Faults {
    /// None found yet, in a tariff of which some parts could not be read.
    pub(super) fn beside(unread: BTreeSet<String>) -> Self {
        Self { unread, ..Self::default() }
    }

    /// Notes what is wrong at a path, unless that could not be read.
    pub(super) fn add(&mut self, path: &str, reason: impl Into<String>) {
        if self.was_read(path) {
            self.paths.insert(path.to_owned());
            self.found.push(TariffError { path: path.to_owned(), reason: reason.into() });
        }
    }

    /// Whether what stands at a path could be read.
    pub(super) fn was_read(&self, path: &str) -> bool {
        self.unread.is_empty() || !with_what_holds_it(path).any(|path| self.unread.contains(path))
    }

    /// Whether what stands at a path could be read with all of its parts, and nothing is wrong with it.
    pub(super) fn is_sound(&self, path: &str) -> bool {
        self.was_read(path) && !holds(&self.unread, path) && !holds(&self.paths, path)
    }

    /// Whether all was read, and nothing is wrong.
    pub(super) fn are_none(&self) -> bool {
        self.found.is_empty() && self.unread.is_empty()
    }

    pub(super) fn into_found(self) -> Vec<TariffError> {
        self.found
    }
}

/// A path, and the paths of what it is part of: `rates[0].timing`, `rates[0]` and `rates`.
fn with_what_holds_it(path: &str) -> impl Iterator<Item = &str> {
    iter::once(path).chain(path.match_indices(['.', '[']).filter_map(|(end, _)| path.get(..end)))
}

/// Whether a path, or one of a part of it, is in a set.
fn holds(paths: &BTreeSet<String>, path: &str) -> bool {
    let from_here = paths.range::<str, _>((Bound::Included(path), Bound::Unbounded));
    let mut rests = from_here.map_while(|other| other.strip_prefix(path));
    rests.any(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
