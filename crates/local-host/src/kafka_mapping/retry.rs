//! How often and when a piece of a batch is sent again.

use std::ops::Range;
use std::time::Duration;

use crate::manifest::KafkaTrigger;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Records of a batch that are sent together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Which records of the batch.
    pub(crate) range: Range<usize>,
    /// How often these records were sent again, halving not counted.
    pub(crate) retries: i64,
    /// How often these records were sent at all.
    pub(crate) invocations: u32,
}

/// What follows when a piece has failed as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Again(Piece),
    /// In this order.
    Halves(Piece, Piece),
    GiveUp,
}

/// Decides on a piece whose invocation did nothing. Halving does not count as a retry, as on AWS: a bad record is first
/// singled out, then retried.
pub(crate) fn after_failure(piece: &Piece, trigger: &KafkaTrigger) -> Next {
    let Range { start, end } = piece.range;
    if trigger.bisect_on_error && end - start > 1 {
        let middle = start.midpoint(end);
        let half = |range| Piece { range, ..piece.clone() };
        return Next::Halves(half(start..middle), half(middle..end));
    }
    let limit = trigger.maximum_retry_attempts;
    if limit >= 0 && piece.retries >= limit {
        return Next::GiveUp;
    }
    Next::Again(Piece { retries: piece.retries + 1, ..piece.clone() })
}

/// How long to wait before records are sent again that were retried this often: twice as long each time. `spread` (0 to 1)
/// tells partitions that failed together apart.
pub(crate) fn wait_after(retries: i64, spread: f64) -> Duration {
    let doublings = u32::try_from(retries.saturating_sub(1)).unwrap_or(0);
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(doublings));
    doubled.min(LONGEST_WAIT).mul_f64(0.8 + 0.4 * spread.clamp(0.0, 1.0))
}
