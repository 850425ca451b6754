//! Daily and weekly seasons by MSTL, what is left by exponential smoothing (augurs).

use augurs_core::{Fit, Predict};
use augurs_ets::AutoETS;
use augurs_mstl::MSTLModel;

/// Hours that the model looks at: the seasons as they are now, in a time that does not grow.
const WINDOW: usize = 6 * 168;

/// Fits the model and forecasts with it. It needs two whole seasons of each kind that it takes off.
pub(crate) fn predict(history: &[f64], horizon: usize) -> Option<Vec<f64>> {
    let history = &history[history.len().saturating_sub(WINDOW)..];
    let periods: Vec<usize> = [24, 168].into_iter().filter(|period| history.len() > 2 * period).collect();
    if periods.is_empty() {
        return None;
    }
    // It reckons in single precision: values are brought near 1 first.
    let mean = history.iter().sum::<f64>() / history.len() as f64;
    let variance = history.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / history.len() as f64;
    let scale = variance.sqrt();
    if scale <= f64::EPSILON * mean.abs().max(1.0) {
        return Some(vec![mean; horizon]);
    }
    let scaled: Vec<f64> = history.iter().map(|value| (value - mean) / scale).collect();
    let trend = AutoETS::non_seasonal().into_trend_model();
    let fitted = MSTLModel::new(periods, trend).fit(&scaled).ok()?;
    // Without a level nothing is simulated, and the answer is always the same.
    let forecast = fitted.predict(horizon, None).ok()?;
    Some(forecast.point.into_iter().map(|value| value * scale + mean).collect())
}
