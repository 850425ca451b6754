//! What regressions know of an hour: its place in the calendar, and the values that are known when it is forecast.
//!
//! Hours of one day ahead share a model: for day `d` every past value that is looked at lies at least `24 d` hours before the
//! target, so that it is known for each of them.

use chrono::{Datelike, Timelike, Weekday};

use crate::series::Series;

const DAY: usize = 24;
const WEEK: usize = 168;
/// Rows that a model learns from, at most: eight weeks.
const WINDOW: usize = 8 * WEEK;
/// Weeks whose same hour is looked at, where there are as many.
const MANY_WEEKS: usize = 4;
/// Rows that it needs, at least.
const FEWEST: usize = 2 * DAY;

/// How the calendar is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calendar {
    /// A column for each hour of working days and of weekends, and for each day of the week.
    Columns,
    /// Waves of a day and of a week, which have no two columns that say the same.
    Waves,
}

/// Rows and targets of a model for one day ahead.
pub(crate) struct Design {
    /// Numbers in a row.
    pub(crate) width: usize,
    /// Row after row.
    pub(crate) rows: Vec<f64>,
    /// What each row was followed by.
    pub(crate) targets: Vec<f64>,
}

/// A linear model.
pub(crate) struct Linear {
    pub(crate) intercept: f64,
    pub(crate) coefficients: Vec<f64>,
}

impl Linear {
    pub(crate) fn at(&self, row: &[f64]) -> f64 {
        self.intercept + self.coefficients.iter().zip(row).map(|(coefficient, value)| coefficient * value).sum::<f64>()
    }
}

/// Finds the coefficients of one design's standard rows, for several targets.
pub(crate) trait Solver: Sized {
    /// Takes the rows, of mean 0 and deviation 1 in each column.
    fn new(rows: Vec<f64>, width: usize) -> Option<Self>;
    /// The coefficients for targets of mean 0.
    fn coefficients(&self, targets: &[f64]) -> Option<Vec<f64>>;
}

/// How often targets that lie far off are drawn near, and how far off they may lie, in the usual error (the median one).
const ROUNDS: usize = 3;
const NEAR: f64 = 3.0;

/// Learns a model that outliers do not draw away (Huber's, by pseudo-values): what lies far off counts as if it lay near.
fn learn<S: Solver>(design: &Design) -> Option<Linear> {
    let mut rows = design.rows.clone();
    let standard = Standard::apply(&mut rows, design.width);
    let solver = S::new(rows, design.width)?;
    let mut targets = design.targets.clone();
    let mut model = standard.model(&solver, &targets)?;
    for _ in 0..ROUNDS {
        let fitted: Vec<f64> = design.rows.chunks_exact(design.width).map(|row| model.at(row)).collect();
        let mut sizes: Vec<f64> =
            fitted.iter().zip(&design.targets).map(|(fit, target)| (target - fit).abs()).collect();
        let middle = sizes.len() / 2;
        let near = NEAR * *sizes.select_nth_unstable_by(middle, f64::total_cmp).1;
        for ((target, actual), fit) in targets.iter_mut().zip(&design.targets).zip(&fitted) {
            *target = fit + (actual - fit).clamp(-near, near);
        }
        model = standard.model(&solver, &targets)?;
    }
    Some(model)
}

/// Forecasts with a linear model for each day ahead, each learnt from the first `origin` hours.
pub(crate) fn predict<S: Solver>(
    series: &Series,
    origin: usize,
    horizon: usize,
    calendar: Calendar,
) -> Option<Vec<f64>> {
    let days = horizon.div_ceil(DAY);
    let mut known = Known::new(series, origin, calendar);
    let mut predicted = Vec::with_capacity(horizon);
    let direct = Lags::of(days, origin).is_some();
    for day in 1..=days {
        // Too little history to learn so far ahead: go a day at a time, from what was forecast.
        let lags = Lags::of(if direct { day } else { 1 }, origin)?;
        let design = known.design(lags)?;
        let model = learn::<S>(&design)?;
        let echo = if day == 1 { Echo::of(&model, &design) } else { Echo::NONE };
        let from = origin + (day - 1) * DAY;
        let mut row = vec![0.0; design.width];
        for (ahead, target) in (from..from + DAY.min(horizon - (day - 1) * DAY)).enumerate() {
            known.fill(&mut row, lags, target);
            let value = model.at(&row) + echo.after(ahead + 1);
            predicted.push(value);
            if !direct {
                known.push(value);
            }
        }
    }
    Some(predicted)
}

/// How what the model misses lives on from one hour to the next.
struct Echo {
    last: f64,
    decay: f64,
}

impl Echo {
    const NONE: Self = Self { last: 0.0, decay: 0.0 };

    fn of(model: &Linear, design: &Design) -> Self {
        let missed: Vec<f64> = design
            .rows
            .chunks_exact(design.width)
            .zip(&design.targets)
            .map(|(row, target)| target - model.at(row))
            .collect();
        let squares: f64 = missed.iter().map(|value| value * value).sum();
        let products: f64 = missed.windows(2).map(|pair| pair[0] * pair[1]).sum();
        match missed.last() {
            Some(last) if squares > 0.0 => Self { last: *last, decay: (products / squares).clamp(0.0, 0.98) },
            _ => Self::NONE,
        }
    }

    fn after(&self, hours: usize) -> f64 {
        self.last * self.decay.powi(hours as i32)
    }
}

/// How far back a row looks.
#[derive(Clone, Copy)]
struct Lags {
    /// Hours from the target to the last value that is known.
    day: usize,
    /// Hours to the same hour of the last week that is known.
    week: usize,
    /// Weeks that are looked at.
    weeks: usize,
}

impl Lags {
    /// For a day ahead, with as much of the past as `origin` hours allow.
    fn of(day: usize, origin: usize) -> Option<Self> {
        let (day, week) = (day * DAY, (day * DAY).div_ceil(WEEK) * WEEK);
        [(MANY_WEEKS, 3 * WEEK), (2, 2 * WEEK), (1, WEEK), (0, FEWEST)].into_iter().find_map(|(weeks, rows)| {
            let lags = Self { day, week, weeks };
            (origin >= lags.reach() + rows).then_some(lags)
        })
    }

    /// The hours before the target that a row looks at.
    fn reach(self) -> usize {
        match self.weeks {
            0 => self.day + DAY,
            weeks => (self.week + (weeks - 1) * WEEK).max(self.day + WEEK),
        }
    }

    fn width(self) -> usize {
        3 + [0, 2, 3][self.weeks.min(2)]
    }
}

/// The series as it is known at the origin.
struct Known<'a> {
    series: &'a Series,
    origin: usize,
    calendar: Calendar,
    values: Vec<f64>,
    /// Sums of the values before each place.
    sums: Vec<f64>,
}

impl<'a> Known<'a> {
    fn new(series: &'a Series, origin: usize, calendar: Calendar) -> Self {
        let mut known = Self { series, origin, calendar, values: Vec::new(), sums: vec![0.0] };
        for value in &series.values[..origin] {
            known.push(*value);
        }
        known
    }

    fn push(&mut self, value: f64) {
        self.sums.push(self.sums[self.sums.len() - 1] + value);
        self.values.push(value);
    }

    /// The mean of `hours` values that end with the one at `last`.
    fn mean(&self, last: usize, hours: usize) -> f64 {
        (self.sums[last + 1] - self.sums[last + 1 - hours]) / hours as f64
    }

    /// The middle one of the values that the same hour of the week had: the mean of the middle two where they are even.
    fn usual(&self, target: usize, lags: Lags) -> f64 {
        let mut values = [0.0; MANY_WEEKS];
        let values = &mut values[..lags.weeks];
        for (week, value) in values.iter_mut().enumerate() {
            *value = self.values[target - lags.week - week * WEEK];
        }
        values.sort_unstable_by(f64::total_cmp);
        let middle = values.len() / 2;
        if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
    }

    fn design(&self, lags: Lags) -> Option<Design> {
        let first = lags.reach().max(self.origin.saturating_sub(WINDOW));
        let width = lags.width() + self.calendar.width();
        let targets: Vec<usize> = (first..self.origin).filter(|target| self.series.observed[*target]).collect();
        if targets.len() < FEWEST {
            return None;
        }
        let mut rows = vec![0.0; width * targets.len()];
        for (row, target) in rows.chunks_exact_mut(width).zip(&targets) {
            self.fill(row, lags, *target);
        }
        Some(Design { width, rows, targets: targets.into_iter().map(|target| self.values[target]).collect() })
    }

    /// Writes the row of a target, whose past lies in the known values.
    fn fill(&self, row: &mut [f64], lags: Lags, target: usize) {
        let last = target - lags.day;
        row[0] = self.values[last];
        row[1] = self.values[last - DAY];
        row[2] = self.mean(last, DAY);
        if lags.weeks >= 1 {
            row[3] = self.values[target - lags.week];
            row[4] = self.mean(last, WEEK);
        }
        if lags.weeks >= 2 {
            row[5] = self.usual(target, lags);
        }
        self.calendar.fill(&mut row[lags.width()..], self.series, target);
    }
}

/// Waves in a day, in a week, and in the days of a weekend.
const DAY_WAVES: usize = 8;
const WEEK_WAVES: usize = 6;
const WEEKEND_WAVES: usize = 6;

impl Calendar {
    fn width(self) -> usize {
        match self {
            Self::Columns => 2 * DAY + 7,
            Self::Waves => 2 * (DAY_WAVES + WEEK_WAVES + WEEKEND_WAVES) + 1,
        }
    }

    fn fill(self, row: &mut [f64], series: &Series, target: usize) {
        let local = series.time(target).with_timezone(&series.timezone);
        let (hour, day) = (local.hour() as usize, local.weekday());
        let weekend = matches!(day, Weekday::Sat | Weekday::Sun);
        match self {
            Self::Columns => {
                row.fill(0.0);
                row[hour + DAY * usize::from(weekend)] = 1.0;
                row[2 * DAY + day.num_days_from_monday() as usize] = 1.0;
            }
            Self::Waves => {
                let of_day = hour as f64 / 24.0;
                let of_week = (day.num_days_from_monday() as f64 + of_day) / 7.0;
                let at_weekend = if weekend { 1.0 } else { 0.0 };
                let days = (1..=DAY_WAVES).map(|n| (n as f64 * of_day, 1.0));
                let weeks = (1..=WEEK_WAVES).map(|n| (n as f64 * of_week, 1.0));
                let weekends = (1..=WEEKEND_WAVES).map(|n| (n as f64 * of_day, at_weekend));
                let (last, waves) = match row.split_last_mut() {
                    Some(parts) => parts,
                    None => return,
                };
                *last = at_weekend;
                for (pair, (turns, size)) in waves.chunks_exact_mut(2).zip(days.chain(weeks).chain(weekends)) {
                    let (sin, cos) = (std::f64::consts::TAU * turns).sin_cos();
                    pair[0] = size * sin;
                    pair[1] = size * cos;
                }
            }
        }
    }
}

/// Columns brought to mean 0 and deviation 1; one that never changes says nothing and becomes 0.
struct Standard {
    means: Vec<f64>,
    scales: Vec<f64>,
}

impl Standard {
    /// Brings rows to the standard, in place.
    fn apply(rows: &mut [f64], width: usize) -> Self {
        let count = (rows.len() / width).max(1) as f64;
        let mut means = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += value / count;
            }
        }
        let mut scales = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            for ((scale, mean), value) in scales.iter_mut().zip(&means).zip(row) {
                *scale += (value - mean).powi(2) / count;
            }
        }
        for (scale, mean) in scales.iter_mut().zip(&means) {
            let deviation = scale.sqrt();
            *scale = if deviation > 1e-9 * mean.abs().max(1e-9) { 1.0 / deviation } else { 0.0 };
        }
        for row in rows.chunks_exact_mut(width) {
            for ((value, mean), scale) in row.iter_mut().zip(&means).zip(&scales) {
                *value = (*value - mean) * scale;
            }
        }
        Self { means, scales }
    }

    /// The model of the rows as they were before.
    fn model(&self, solver: &impl Solver, targets: &[f64]) -> Option<Linear> {
        let mean = targets.iter().sum::<f64>() / targets.len().max(1) as f64;
        let targets: Vec<f64> = targets.iter().map(|target| target - mean).collect();
        let coefficients: Vec<f64> = solver
            .coefficients(&targets)?
            .iter()
            .zip(&self.scales)
            .map(|(coefficient, scale)| coefficient * scale)
            .collect();
        let shift: f64 = coefficients.iter().zip(&self.means).map(|(coefficient, mean)| coefficient * mean).sum();
        Some(Linear { intercept: mean - shift, coefficients })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::elastic_net::ElasticNet;
    use crate::ridge::Ridge;

    /// A line, a column that never changes, and some values far above the line.
    fn line() -> Design {
        let rows = (0..1000).flat_map(|n| [f64::from(n), 1.0]).collect();
        let targets = (0..1000).map(|n| 5.0 + 2.0 * f64::from(n) + if n % 10 == 3 { 500.0 } else { 0.0 }).collect();
        Design { width: 2, rows, targets }
    }

    #[test]
    fn a_line_is_found_among_outliers() {
        for model in [learn::<Ridge>(&line()).unwrap(), learn::<ElasticNet>(&line()).unwrap()] {
            assert!((model.at(&[500.0, 1.0]) - 1005.0).abs() < 10.0, "{}", model.at(&[500.0, 1.0]));
            assert!((model.coefficients[0] - 2.0).abs() < 0.05 && model.coefficients[1] == 0.0);
        }
    }
}
