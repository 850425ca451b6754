//! The last season again: what every other method must beat.

/// The value of the same hour of the last `season` hours.
pub(crate) fn predict(history: &[f64], season: usize, horizon: usize) -> Option<Vec<f64>> {
    let last = history.get(history.len().checked_sub(season)?..)?;
    Some(last.iter().copied().cycle().take(horizon).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_last_season_repeats() {
        assert_eq!(predict(&[9.0, 1.0, 2.0], 2, 5).unwrap(), [1.0, 2.0, 1.0, 2.0, 1.0]);
        assert_eq!(predict(&[1.0], 2, 1), None);
    }
}
