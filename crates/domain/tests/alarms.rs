//! What holds for alarms whatever is measured.
#![allow(clippy::unwrap_used)]

use millrace_domain::alarms::{Severity, Thresholds, Transition, judge, severity};
use proptest::prelude::*;

/// Follows one sensor: the severity that is open after each value.
fn follow(values: &[f64], limits: Thresholds) -> Vec<(Option<Severity>, Transition, Option<Severity>)> {
    let mut open = None;
    let step = |value: &f64| {
        let before = open;
        let transition = judge(*value, limits, open);
        open = match transition {
            Transition::None => open,
            Transition::Open(severity) => Some(severity),
            Transition::Escalate => Some(Severity::Critical),
            Transition::Close => None,
        };
        (before, transition, open)
    };
    values.iter().map(step).collect()
}

fn any_limits() -> impl Strategy<Value = Thresholds> {
    (-50.0..120.0_f64, 0.0..40.0_f64, 0.0..20.0_f64).prop_map(|(warning_c, above, hysteresis_c)| Thresholds {
        warning_c,
        critical_c: warning_c + above,
        hysteresis_c,
    })
}

proptest! {
    #[test]
    fn the_severity_of_an_open_alarm_never_falls(values in prop::collection::vec(-90.0..200.0_f64, 0..60), limits in any_limits()) {
        for (before, transition, after) in follow(&values, limits) {
            match (before, after) {
                (Some(before), Some(after)) => prop_assert!(after >= before),
                (Some(_), None) => prop_assert_eq!(transition, Transition::Close),
                (None, Some(after)) => prop_assert_eq!(transition, Transition::Open(after)),
                (None, None) => prop_assert_eq!(transition, Transition::None),
            }
        }
    }

    #[test]
    fn an_alarm_escalates_at_most_once(values in prop::collection::vec(-90.0..200.0_f64, 0..60), limits in any_limits()) {
        let mut escalated = false;
        for (_, transition, _) in follow(&values, limits) {
            match transition {
                Transition::Open(_) => escalated = false,
                Transition::Escalate => prop_assert!(!std::mem::replace(&mut escalated, true)),
                Transition::None | Transition::Close => {}
            }
        }
    }

    #[test]
    fn an_alarm_is_open_whenever_the_value_is_above_a_threshold(values in prop::collection::vec(-90.0..200.0_f64, 0..60), limits in any_limits()) {
        for ((_, _, open), value) in follow(&values, limits).into_iter().zip(&values) {
            let now = severity(*value, limits);
            prop_assert!(open >= now, "{open:?} at {value}, which is {now:?}");
            if *value < limits.warning_c - limits.hysteresis_c {
                prop_assert_eq!(open, None);
            }
        }
    }

    #[test]
    fn a_value_within_the_hysteresis_changes_nothing(part in 0.0..1.0_f64, critical in any::<bool>(), limits in any_limits()) {
        let value = limits.warning_c - limits.hysteresis_c * part;
        let open = if critical { Severity::Critical } else { Severity::Warning };
        prop_assert_eq!(judge(value, limits, Some(open)), Transition::None);
        prop_assert_eq!(judge(value, limits, None), Transition::None);
    }
}

#[test]
fn a_value_at_a_threshold_is_not_above_it() {
    let limits = Thresholds::default();
    assert_eq!(judge(70.0, limits, None), Transition::None);
    assert_eq!(judge(80.0, limits, None), Transition::Open(Severity::Warning));
    assert_eq!(judge(80.0, limits, Some(Severity::Warning)), Transition::None);
    assert_eq!(judge(68.0, limits, Some(Severity::Warning)), Transition::None, "closes below 68 only");
}
