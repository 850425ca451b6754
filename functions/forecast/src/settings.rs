//! What is forecast how far.

use chrono_tz::Tz;
use millrace_lambda_support::settings::{Lookup, SettingsError};

/// The settings of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Hours ahead (`MILLRACE_FORECAST_HOURS`, 24 to 168, default 168). A series whose history allows less is forecast less far.
    pub horizon: usize,
    /// The revenue of a day that an alert is raised below, in the operator's currency (`MILLRACE_REVENUE_PLAN_PER_DAY`).
    pub revenue_plan: Option<f64>,
    /// Whose days and weekends the series follow (`MILLRACE_TIMEZONE`, default UTC).
    pub timezone: Tz,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Names the variable that is malformed.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingsError> {
        const HOURS: &str = "MILLRACE_FORECAST_HOURS";
        const PLAN: &str = "MILLRACE_REVENUE_PLAN_PER_DAY";
        const TIMEZONE: &str = "MILLRACE_TIMEZONE";
        let text = |variable| lookup(variable).filter(|value| !value.is_empty());
        let horizon =
            text(HOURS).map_or(Some(168), |text| text.parse().ok().filter(|hours: &usize| (24..=168).contains(hours)));
        let plan = text(PLAN).map(|text| text.parse().ok().filter(|plan: &f64| plan.is_finite() && *plan > 0.0));
        let timezone = text(TIMEZONE).map_or(Some(Tz::UTC), |text| text.parse().ok());
        Ok(Self {
            horizon: horizon.ok_or(SettingsError::Malformed(HOURS, "a number of hours from 24 to 168"))?,
            revenue_plan: match plan {
                Some(None) => return Err(SettingsError::Malformed(PLAN, "an amount above 0")),
                Some(plan) => plan,
                None => None,
            },
            timezone: timezone
                .ok_or(SettingsError::Malformed(TIMEZONE, "the name of a time zone, such as Africa/Casablanca"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default_and_what_is_wrong_is_named() {
        let default = Settings { horizon: 168, revenue_plan: None, timezone: Tz::UTC };
        assert_eq!(Settings::read(&|_| None).unwrap(), default);
        for variable in ["MILLRACE_FORECAST_HOURS", "MILLRACE_REVENUE_PLAN_PER_DAY", "MILLRACE_TIMEZONE"] {
            let error = Settings::read(&|name| (name == variable).then(|| "-1".into())).unwrap_err();
            assert!(error.to_string().starts_with(variable), "{error}");
        }
    }
}
