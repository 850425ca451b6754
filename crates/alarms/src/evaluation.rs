//! Whether an alarm is on: M out of N datapoints, and what is made of those that are missing, as CloudWatch's documentation
//! ("Configuring how CloudWatch alarms treat missing data") says it.

use serde::{Deserialize, Serialize};

use crate::definitions::MissingData;

/// How an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Within its threshold.
    Ok,
    /// Over or under it.
    Alarm,
    /// Nothing is known.
    InsufficientData,
}

impl State {
    /// Its name in CloudWatch.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// Periods before those to evaluate that are looked at when some of these have no datapoint. CloudWatch does not say how many it
/// takes; its examples have 2.
const FURTHER_PERIODS: usize = 2;

/// How datapoints are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How many datapoints are judged (N).
    pub evaluation_periods: usize,
    /// How many of them must be breaching (M).
    pub datapoints_to_alarm: usize,
    /// What a missing one counts as.
    pub missing_data: MissingData,
}

impl Rule {
    /// How many periods are looked at.
    pub fn range(&self) -> usize {
        self.evaluation_periods + FURTHER_PERIODS
    }

    /// Judges the datapoints of the last periods, the newest last: whether each is breaching, or missing (`None`). `None` keeps the
    /// state as it is.
    ///
    /// Unless the whole range was `watched`, nothing that is missing counts as breaching, so that no alarm goes off because the
    /// watch has just begun.
    pub fn judge(&self, datapoints: &[Option<bool>], watched: bool) -> Option<State> {
        let last = &datapoints[datapoints.len().saturating_sub(self.range())..];
        // By age, the newest first; it has age 1.
        let real = (1..).zip(last.iter().rev()).filter_map(|(age, datapoint)| Some((age, (*datapoint)?)));
        let real: Vec<(usize, bool)> = real.collect();
        let judged = &real[..real.len().min(self.evaluation_periods)];
        let breaching = judged.iter().filter(|(_, breaching)| *breaching).count();
        let missing = self.evaluation_periods - judged.len();
        if breaching >= self.datapoints_to_alarm {
            return Some(State::Alarm);
        }
        if missing == 0 {
            return Some(State::Ok);
        }
        match self.missing_data {
            MissingData::NotBreaching => Some(State::Ok),
            MissingData::Breaching if watched => {
                Some(if breaching + missing >= self.datapoints_to_alarm { State::Alarm } else { State::Ok })
            }
            MissingData::Ignore if real.is_empty() || self.is_as_old_as_asked(&real) => None,
            MissingData::Missing | MissingData::Breaching if real.is_empty() => Some(State::InsufficientData),
            MissingData::Missing | MissingData::Breaching if self.is_as_old_as_asked(&real) => Some(State::Alarm),
            MissingData::Ignore | MissingData::Missing | MissingData::Breaching => Some(State::Ok),
        }
    }

    /// Whether all that is known is breaching, and has been so for as many periods as are asked for.
    fn is_as_old_as_asked(&self, real: &[(usize, bool)]) -> bool {
        real.iter().all(|(_, breaching)| *breaching)
            && real.last().is_some_and(|(age, _)| *age >= self.datapoints_to_alarm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `0` is within the threshold, `X` breaching, `-` missing; the newest is on the right.
    fn judge(datapoints: &str, (m, n): (usize, usize), missing_data: MissingData) -> &'static str {
        let datapoints: Vec<Option<bool>> =
            datapoints.split(' ').map(|point| (point != "-").then_some(point == "X")).collect();
        let rule = Rule { evaluation_periods: n, datapoints_to_alarm: m, missing_data };
        rule.judge(&datapoints, datapoints.len() >= rule.range()).map_or("keep", State::as_str)
    }

    /// Missing, ignore, breaching, not breaching: the order of the columns in CloudWatch's tables.
    const COLUMNS: [MissingData; 4] =
        [MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching];

    fn check(m_of_n: (usize, usize), rows: &[(&str, [&str; 4])]) {
        for (datapoints, expected) in rows {
            assert_eq!(COLUMNS.map(|column| judge(datapoints, m_of_n, column)), *expected, "{datapoints}");
        }
    }

    #[test]
    fn three_out_of_three_as_cloudwatch_documents_it() {
        check(
            (3, 3),
            &[
                ("0 - X - X", ["OK", "OK", "OK", "OK"]),
                ("0 - - - -", ["OK", "OK", "OK", "OK"]),
                ("- - - - -", ["INSUFFICIENT_DATA", "keep", "ALARM", "OK"]),
                ("0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
                ("- - X - -", ["ALARM", "keep", "ALARM", "OK"]),
            ],
        );
    }

    #[test]
    fn two_out_of_three_as_cloudwatch_documents_it() {
        check(
            (2, 3),
            &[
                ("0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
                ("0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
                ("0 - X - -", ["OK", "OK", "ALARM", "OK"]),
                ("- - - - 0", ["OK", "OK", "ALARM", "OK"]),
                ("- - - X -", ["ALARM", "keep", "ALARM", "OK"]),
            ],
        );
    }

    #[test]
    fn one_breaching_datapoint_after_a_silence_is_not_yet_an_alarm() {
        // CloudWatch's examples of premature alarms.
        for datapoints in ["- - - - X", "- - - X -", "- - - X 0", "- - X - 0"] {
            assert_eq!(judge(datapoints, (3, 3), MissingData::Missing), "OK", "{datapoints}");
        }
    }

    #[test]
    fn with_every_datapoint_there_only_the_newest_count() {
        check((1, 1), &[("X X 0", ["OK"; 4]), ("0 0 X", ["ALARM"; 4])]);
        check((3, 5), &[("X X X X 0 0 0", ["OK"; 4]), ("X X 0 X 0 X X", ["ALARM"; 4]), ("0 0 X 0 0 X 0", ["OK"; 4])]);
    }

    #[test]
    fn an_older_datapoint_stands_in_for_a_missing_one() {
        check((1, 1), &[("X - -", ["ALARM"; 4]), ("0 - -", ["OK"; 4])]);
        check((1, 1), &[("- - -", ["INSUFFICIENT_DATA", "keep", "ALARM", "OK"])]);
        check((2, 2), &[("0 0 - -", ["OK"; 4]), ("X X - -", ["ALARM"; 4])]);
    }

    #[test]
    fn enough_real_datapoints_are_an_alarm_whatever_is_missing() {
        check((2, 3), &[("- - X X -", ["ALARM"; 4]), ("X - - - X", ["ALARM"; 4])]);
    }

    #[test]
    fn what_was_not_watched_is_not_breaching() {
        for watched in ["-", "- -"] {
            assert_eq!(judge(watched, (1, 1), MissingData::Breaching), "INSUFFICIENT_DATA", "{watched}");
        }
        assert_eq!(judge("- - -", (1, 1), MissingData::Breaching), "ALARM");
        assert_eq!(judge("0 -", (2, 2), MissingData::Breaching), "OK");
        // What is there counts at once.
        assert_eq!(judge("X", (1, 1), MissingData::Breaching), "ALARM");
        assert_eq!(judge("X X", (2, 2), MissingData::NotBreaching), "ALARM");
        let nothing = Rule { evaluation_periods: 1, datapoints_to_alarm: 1, missing_data: MissingData::Missing };
        assert_eq!(nothing.judge(&[], false), Some(State::InsufficientData));
    }

    #[test]
    fn what_lies_before_the_range_does_not_count() {
        assert_eq!(judge("X X X X - - - - -", (3, 3), MissingData::NotBreaching), "OK");
        assert_eq!(judge("0 0 0 0 - - - - -", (3, 3), MissingData::Breaching), "ALARM");
    }
}
