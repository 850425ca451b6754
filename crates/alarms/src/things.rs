//! What there is to watch, and an alarm of each: what Terraform's module `alarms` does with the same definitions.

use std::collections::BTreeMap;

use crate::definitions::{Definition, DefinitionError, ThresholdOf};

/// A function, an event source mapping, a database, …
#[derive(Debug, Clone, Default)]
pub struct Thing {
    /// The kinds of alarms that watch it: what they are `for`.
    pub kinds: Vec<String>,
    /// What tells it from others of its kind; empty where there is one.
    pub key: String,
    /// What stands for `{…}` in dimensions.
    pub names: BTreeMap<String, String>,
    /// A function's timeout, in milliseconds.
    pub timeout_ms: f64,
}

impl Thing {
    /// Whether a definition watches it.
    pub(crate) fn is_watched_by(&self, definition: &Definition) -> bool {
        self.kinds.contains(&definition.of)
    }

    /// The alarm's name.
    pub(crate) fn name(&self, definition: &Definition) -> String {
        if self.key.is_empty() || definition.of.starts_with("function:") {
            definition.name.clone()
        } else {
            format!("{}-{}", definition.name, self.key)
        }
    }

    /// The dimensions of the metric that is watched.
    pub(crate) fn dimensions(&self, definition: &Definition) -> Result<BTreeMap<String, String>, DefinitionError> {
        let named = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Ok(text.to_owned()),
            Some(name) => self.names.get(name).cloned().ok_or_else(|| DefinitionError::Alarm {
                alarm: definition.name.clone(),
                key: "dimensions",
                expected: format!("name {{{name}}}, which nothing that is {} has", definition.of),
            }),
        };
        definition.dimensions.iter().map(|(dimension, value)| Ok((named(dimension)?, named(value)?))).collect()
    }

    /// The threshold, in the metric's unit.
    pub(crate) fn threshold(&self, definition: &Definition) -> f64 {
        match definition.threshold_of {
            None => definition.threshold,
            Some(ThresholdOf::TimeoutMs) => (definition.threshold * self.timeout_ms).floor(),
        }
    }
}
