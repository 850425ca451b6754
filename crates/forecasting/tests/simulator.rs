//! Forecasts of the simulator's series against what came, which none of them saw.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod simulated;

use chrono_tz::Africa::Casablanca;
use millrace_forecasting::{Series, forecast};

/// How forecasts did, beside the last season again.
#[derive(Debug, Default, Clone, Copy)]
struct Outcome {
    missed: f64,
    missed_day: f64,
    missed_week: f64,
    held: f64,
    hours: f64,
}

impl Outcome {
    /// Against the better of the two naive forecasts.
    fn ratio(self) -> f64 {
        self.missed / self.missed_day.min(self.missed_week)
    }

    fn add(&mut self, other: Self) {
        self.missed += other.missed;
        self.missed_day += other.missed_day;
        self.missed_week += other.missed_week;
        self.held += other.held;
        self.hours += other.hours;
    }
}

fn outcome(observations: &simulated::Observations, origins: &[usize], horizon: usize) -> Outcome {
    let mut outcome = Outcome::default();
    for &origin in origins {
        let series = Series::new(&observations[..origin], Casablanca).unwrap();
        let forecast = forecast(&series, horizon).unwrap();
        for (ahead, point) in forecast.points.iter().enumerate() {
            let (time, value) = observations[origin + ahead];
            assert_eq!(point.time, time);
            assert!(point.low <= point.value && point.value <= point.high && point.low >= 0.0, "{point:?}");
            let naive = |season: usize| observations[origin - season + ahead % season].1;
            outcome.missed += (value - point.value).abs();
            outcome.missed_day += (value - naive(24)).abs();
            outcome.missed_week += (value - naive(168)).abs();
            outcome.held += f64::from(u8::from((point.low..=point.high).contains(&value)));
            outcome.hours += 1.0;
        }
    }
    outcome
}

#[test]
fn forecasts_of_the_simulators_series_beat_the_naive_ones_by_a_fifth_and_their_bands_hold_four_in_five() {
    let all = simulated::series(63, 7);
    for (horizon, count, apart) in [(24, 3, 49), (168, 1, 168)] {
        let one = |observations: &simulated::Observations| {
            let end = observations.len() - horizon;
            let origins: Vec<usize> = (0..count).map(|n| end - n * apart).collect();
            outcome(observations, &origins, horizon)
        };
        let one = &one;
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let running: Vec<_> = all.iter().map(|(_, observations)| scope.spawn(move || one(observations))).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut total = Outcome::default();
        for ((name, _), outcome) in all.iter().zip(outcomes) {
            println!(
                "{name}, {horizon} h: off by {:.3}, naive {:.3} (day) {:.3} (week), ratio {:.2}, bands held {:.1} %",
                outcome.missed / outcome.hours,
                outcome.missed_day / outcome.hours,
                outcome.missed_week / outcome.hours,
                outcome.ratio(),
                100.0 * outcome.held / outcome.hours,
            );
            assert!(outcome.ratio() < 0.8, "{name}, {horizon} h: {outcome:?}");
            total.add(outcome);
        }
        let held = total.held / total.hours;
        println!("{horizon} h: bands held {:.1} % of {} hours", 100.0 * held, total.hours);
        assert!((0.75..=0.85).contains(&held), "{horizon} h: {held}");
    }
}
