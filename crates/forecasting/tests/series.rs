//! Forecasts of made-up series: what they need, and what always holds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use millrace_forecasting::{ForecastError, Series, forecast, hours_needed};

/// Hours of a daily wave with a shake that looks random and is not.
fn series(hours: usize, level: f64) -> Series {
    let start: DateTime<Utc> = "2026-06-01T00:00:00Z".parse().unwrap();
    let value = |hour: usize| {
        let shake = ((hour * 7919) % 101) as f64 / 101.0 - 0.5;
        level + 10.0 * (std::f64::consts::TAU * hour as f64 / 24.0).sin() + 4.0 * shake
    };
    let observations: Vec<_> =
        (0..hours).map(|hour| (start + TimeDelta::hours(hour as i64), value(hour).max(0.0))).collect();
    Series::new(&observations, Tz::UTC).unwrap()
}

#[test]
fn too_short_a_series_is_told_how_many_hours_it_needs() {
    let error = forecast(&series(100, 20.0), 24).unwrap_err();
    assert_eq!(error, ForecastError::TooShort { hours: 100, horizon: 24, needed: 192 });
    assert_eq!(error.to_string(), "the series has 100 hours, and a horizon of 24 hours needs at least 192");
    for horizon in [1, 24, 168] {
        let forecast = forecast(&series(hours_needed(horizon), 20.0), horizon).unwrap();
        assert_eq!(forecast.points.len(), horizon, "as many as are needed are enough");
    }
}

#[test]
fn a_horizon_that_is_none_is_refused() {
    let error = forecast(&series(400, 20.0), 0).unwrap_err();
    assert_eq!(error.to_string(), "horizon: expected 1 to 672 hours, not 0");
    assert!(forecast(&series(400, 20.0), 673).is_err());
}

#[test]
fn the_same_series_gives_the_same_forecast() {
    assert_eq!(forecast(&series(500, 20.0), 30), forecast(&series(500, 20.0), 30));
}

#[test]
fn a_series_that_was_never_negative_has_no_band_below_zero() {
    let forecast = forecast(&series(500, 3.0), 48).unwrap();
    let within = |p: &millrace_forecasting::Point| p.low >= 0.0 && p.low <= p.value && p.value <= p.high;
    assert!(forecast.points.iter().all(within), "{:?}", forecast.points);
}

#[test]
fn a_series_that_never_changes_is_forecast_as_it_is() {
    let start: DateTime<Utc> = "2026-06-01T00:00:00Z".parse().unwrap();
    let observations: Vec<_> = (0..400).map(|hour| (start + TimeDelta::hours(hour), 5.0)).collect();
    let forecast = forecast(&Series::new(&observations, Tz::UTC).unwrap(), 24).unwrap();
    assert!(forecast.points.iter().all(|point| (point.value - 5.0).abs() < 1e-6), "{:?}", forecast.points);
    assert_eq!(forecast.points[0].time, start + TimeDelta::hours(400));
}
