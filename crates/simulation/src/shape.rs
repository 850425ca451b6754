//! The day's shape: how busy the network is at an hour, on working days and at weekends.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;

/// Traffic by hour of a working day, mean 1: quiet nights, a shoulder at noon, a peak in the evening.
const WORKING_DAY: [f64; 24] = [
    0.42, 0.26, 0.18, 0.15, 0.16, 0.24, 0.46, 0.78, 1.02, 1.14, 1.20, 1.26, 1.30, 1.20, 1.14, 1.16, 1.24, 1.38, 1.58,
    1.80, 1.88, 1.72, 1.32, 0.81,
];

/// The same at weekends: a later start and a longer evening.
const WEEKEND: [f64; 24] = [
    0.62, 0.44, 0.30, 0.22, 0.18, 0.18, 0.26, 0.42, 0.64, 0.88, 1.08, 1.22, 1.28, 1.22, 1.18, 1.18, 1.22, 1.32, 1.50,
    1.76, 1.94, 1.90, 1.62, 1.24,
];

/// How busy the network is at a local time, relative to that day's mean of 1. Goes smoothly from hour to hour.
pub fn traffic(local: NaiveDateTime) -> f64 {
    let hour = f64::from(local.num_seconds_from_midnight()) / 3600.0;
    let before = (hour.floor() as usize).min(23);
    let part = hour - hour.floor();
    let here = hours(local.weekday())[before];
    let next = if before == 23 { hours(local.weekday().succ())[0] } else { hours(local.weekday())[before + 1] };
    here + (next - here) * part
}

fn hours(day: Weekday) -> &'static [f64; 24] {
    match day {
        Weekday::Sat | Weekday::Sun => &WEEKEND,
        _ => &WORKING_DAY,
    }
}

/// The instant of `day` (a day of `timezone`) by which `share` (0 to 1) of its traffic has passed: spreads records of a past day
/// as the day's shape has it.
pub fn instant_of_day(day: NaiveDate, timezone: Tz, share: f64) -> DateTime<Utc> {
    let hours = hours(day.weekday());
    let mut left = share.clamp(0.0, 1.0) * hours.iter().sum::<f64>();
    let mut seconds = 0.0;
    for weight in hours {
        if left <= *weight {
            seconds += 3600.0 * left / weight;
            break;
        }
        left -= weight;
        seconds += 3600.0;
    }
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    let local = midnight + Duration::milliseconds((seconds.min(86_399.0) * 1000.0) as i64);
    // An hour that the clock skips in spring has no instant; the one an hour later is as good.
    timezone
        .from_local_datetime(&local)
        .earliest()
        .or_else(|| timezone.from_local_datetime(&(local + Duration::hours(1))).earliest())
        .map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn at(day: u32, hour: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap().and_hms_opt(hour, 0, 0).unwrap()
    }

    #[test]
    fn evenings_are_busier_than_nights_and_weekends_start_later() {
        assert!(traffic(at(18, 20)) > 8.0 * traffic(at(18, 3)), "a Wednesday evening and night");
        assert!(traffic(at(21, 8)) < traffic(at(20, 8)), "Saturday and Friday at eight");
    }

    #[test]
    fn every_days_traffic_has_a_mean_of_one() {
        for hours in [WORKING_DAY, WEEKEND] {
            let mean = hours.iter().sum::<f64>() / 24.0;
            assert!((mean - 1.0).abs() < 0.03, "mean {mean}");
        }
    }

    #[test]
    fn shares_of_a_day_fall_within_it_and_in_order() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 18).unwrap();
        let zone = chrono_tz::Africa::Casablanca;
        let instants: Vec<_> = (0..=10).map(|tenth| instant_of_day(day, zone, f64::from(tenth) / 10.0)).collect();
        assert!(instants.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(instants.iter().all(|at| at.with_timezone(&zone).date_naive() == day));
        assert!(
            instants[5].with_timezone(&zone).hour() >= 14,
            "half of the traffic comes in the afternoon and evening"
        );
    }
}
