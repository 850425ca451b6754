//! How much memory a service may take, as the environment says.

use std::env;

use anyhow::bail;

/// What the variable says, such as `256M` or `1G`, else the default.
///
/// # Errors
/// When it is no size; the error names it.
pub(super) fn of(variable: &str, default: &str) -> anyhow::Result<String> {
    size(variable, env::var(variable).ok(), default)
}

fn size(variable: &str, setting: Option<String>, default: &str) -> anyhow::Result<String> {
    let text = setting.unwrap_or_else(|| default.to_owned());
    let digits = text.trim_end_matches(['K', 'M', 'G']);
    if digits.is_empty() || text.len() - digits.len() > 1 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!("{variable}={text:?} is no size such as {default}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit_or_refused_by_name() {
        assert_eq!(size("NAME", None, "256M").unwrap(), "256M");
        for text in ["1G", "512M", "268435456"] {
            assert_eq!(size("NAME", Some(text.to_owned()), "256M").unwrap(), text);
        }
        for text in ["", "M", "256MB", "256MM", "a lot", "-1M"] {
            let error = size("NAME", Some(text.to_owned()), "256M").unwrap_err().to_string();
            assert!(error.contains("NAME"), "{error}");
        }
    }
}
