//! What training is told by the environment.

use millrace_lambda_support::settings::{Lookup, SettingsError};

/// Memory that one labelled example takes at the peak of a training, in bytes: its columns, their copy in the form that a candidate
/// reads, and what that keeps of a row while it is fitted.
const BYTES_OF_A_ROW: u64 = 2 * 1024;
/// Memory that is not for rows: the program and its connections.
const BYTES_BESIDE: u64 = 256 * 1024 * 1024;
/// The most examples whatever the memory: what is fitted on all of them has to end within Lambda's 15 minutes.
const MOST_ROWS_IN_TIME: u64 = 1_000_000;

/// The settings of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What it costs to contact a customer, in the operator's currency (`MILLRACE_CONTACT_COST`, default 10).
    pub contact_cost: f64,
    /// What is kept of a customer who would have left, had nobody called (`MILLRACE_VALUE_KEPT`, default 100).
    pub value_kept: f64,
    /// Where the training's randomness begins (`MILLRACE_TRAINING_SEED`, default 42).
    pub seed: u64,
    /// The most labelled examples that a training takes, the newest ones (`MILLRACE_TRAINING_MAX_ROWS`). Without it, as many as the
    /// function's memory holds and its time allows.
    pub max_rows: u64,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Names the variable that cannot be used, and what was expected.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
        let megabytes = whole(lookup, MEMORY, 4096, "the function's memory in MB")?;
        let held = megabytes.saturating_mul(1024 * 1024).saturating_sub(BYTES_BESIDE) / BYTES_OF_A_ROW;
        Ok(Self {
            contact_cost: amount(lookup, "MILLRACE_CONTACT_COST", 10.0)?,
            value_kept: amount(lookup, "MILLRACE_VALUE_KEPT", 100.0)?,
            seed: whole(lookup, "MILLRACE_TRAINING_SEED", 42, "a whole number")?,
            max_rows: whole(
                lookup,
                "MILLRACE_TRAINING_MAX_ROWS",
                held.min(MOST_ROWS_IN_TIME),
                "a whole number of labelled examples",
            )?,
        })
    }
}

fn whole(
    lookup: Lookup<'_>,
    variable: &'static str,
    default: u64,
    expected: &'static str,
) -> Result<u64, SettingsError> {
    match lookup(variable).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| SettingsError::Malformed(variable, expected)),
    }
}

fn amount(lookup: Lookup<'_>, variable: &'static str, default: f64) -> Result<f64, SettingsError> {
    match lookup(variable).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|amount: &f64| amount.is_finite() && *amount > 0.0)
            .ok_or(SettingsError::Malformed(variable, "an amount above 0")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn with<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = Settings::read(&|_| None).unwrap();
        assert_eq!(settings, Settings { contact_cost: 10.0, value_kept: 100.0, seed: 42, max_rows: MOST_ROWS_IN_TIME });
    }

    #[test]
    fn the_functions_memory_bounds_the_rows_unless_a_setting_does() {
        let rows = |pairs: &[(&str, &str)]| Settings::read(&with(pairs)).unwrap().max_rows;
        assert_eq!(rows(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")]), 131_072);
        assert_eq!(rows(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "10240")]), MOST_ROWS_IN_TIME);
        assert_eq!(rows(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"), ("MILLRACE_TRAINING_MAX_ROWS", "9")]), 9);
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named() {
        for (name, value) in
            [("MILLRACE_CONTACT_COST", "0"), ("MILLRACE_VALUE_KEPT", "much"), ("MILLRACE_TRAINING_SEED", "-1")]
        {
            let error = Settings::read(&with(&[(name, value)])).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
