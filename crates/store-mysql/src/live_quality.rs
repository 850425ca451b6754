//! How well a model's scores did, once the customers' labels came.

use chrono::{DateTime, Utc};
use sqlx::{MySqlPool, Row};

use crate::fault::StoreError;

/// Scores by what was said and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LiveQuality {
    /// Said to leave, and left.
    pub left_as_said: u64,
    /// Said to leave, and stayed.
    pub stayed_though_said: u64,
    /// Not said to leave, and left.
    pub left_unsaid: u64,
    /// Not said to leave, and stayed.
    pub stayed_as_said: u64,
}

impl LiveQuality {
    /// Of those said to leave, the share that left; `None` when there were none.
    pub fn precision(&self) -> Option<f64> {
        share(self.left_as_said, self.stayed_though_said)
    }

    /// Of those that left, the share that was said to; `None` when none left.
    pub fn recall(&self) -> Option<f64> {
        share(self.left_as_said, self.left_unsaid)
    }

    /// Scores whose label came.
    pub fn labelled(&self) -> u64 {
        self.left_as_said + self.stayed_though_said + self.left_unsaid + self.stayed_as_said
    }
}

fn share(part: u64, rest: u64) -> Option<f64> {
    (part + rest > 0).then(|| part as f64 / (part + rest) as f64)
}

/// How a model's scores of observations since an instant did, of those whose label has come.
pub async fn live_quality(
    pool: &MySqlPool,
    model_version: u32,
    since: DateTime<Utc>,
) -> Result<LiveQuality, StoreError> {
    let rows = sqlx::query(
        "SELECT churn_predicted, actual, CAST(COUNT(*) AS UNSIGNED) FROM bi_churn_scores \
         WHERE observed_at >= ? AND model_version = ? AND actual IS NOT NULL GROUP BY churn_predicted, actual",
    )
    .bind(since)
    .bind(model_version)
    .fetch_all(pool)
    .await?;
    let mut quality = LiveQuality::default();
    for row in rows {
        let count = match (row.try_get(0)?, row.try_get(1)?) {
            (true, true) => &mut quality.left_as_said,
            (true, false) => &mut quality.stayed_though_said,
            (false, true) => &mut quality.left_unsaid,
            (false, false) => &mut quality.stayed_as_said,
        };
        *count = row.try_get(2)?;
    }
    Ok(quality)
}
