//! Pricing a usage event by a tariff.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use smallvec::SmallVec;

use crate::tariffs::timing::DAY;
use crate::tariffs::{AfterMax, Prefix, Rate, Rounding, Tariff, ticks};
use crate::usage::{Service, UsageEvent};

/// The most that an event may cost: what `DECIMAL(18, 4)` holds.
pub const MAX_AMOUNT: Decimal = Decimal::from_parts(2_808_348_671, 232_830_643, 0, false, 4);

/// The longest call that is followed through timings, in seconds: a leap year.
const MAX_FOLLOWED: u64 = 366 * 86_400;

/// Decimals of a span's amount, which is for people; the event's amount is rounded from the exact sum.
const SPAN_DECIMALS: u32 = 8;

/// What an event costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge<'t> {
    /// The total, rounded as the first span's rate says.
    pub amount: Decimal,
    /// ISO 4217 code.
    pub currency: &'t str,
    /// What of it is the connect fee.
    pub connect_fee: Decimal,
    /// Units that an allowance paid for.
    pub allowance_used: u64,
    /// The name under which the usage is summed for people, 1 to 64 characters.
    pub zone: &'t str,
    /// The parts of the event that were priced by one rate each.
    pub spans: Spans<'t>,
}

/// The spans of a charge: up to four need no memory of their own.
pub type Spans<'t> = SmallVec<[Span<'t>; 4]>;

/// A part of an event that was priced by one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Span<'t> {
    /// The rate's timing.
    pub timing: &'t str,
    /// The units of the event that lie in it.
    pub units: u64,
    /// The units that were charged for: whole increments, and none that an allowance paid or that came after `max_cost`.
    pub charged_units: u64,
    /// What they cost, to 8 decimals, without the connect fee.
    pub amount: Decimal,
}

/// Why an event has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RatingError {
    /// No rate matches it, or none holds at some instant of it.
    #[error("no rate of the longest matching prefix holds at every instant of the event")]
    NoRate,
    /// It costs more than the rate's `max_cost`, which refuses it.
    #[error("the event costs more than the rate's max_cost")]
    MaxCost,
    /// It costs more than an amount can be, or it is a call of more than 366 days under rates that change with time.
    #[error("the event costs more than an amount can be, or is a call of more than 366 days")]
    TooLarge,
}

impl RatingError {
    /// Its code in stores and answers, at most 32 characters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRate => "no_rate",
            Self::MaxCost => "max_cost",
            Self::TooLarge => "too_large",
        }
    }
}

/// Prices an event. `allowance_left` units of its service are still free for its number in its cycle.
///
/// # Errors
/// See [`RatingError`]; such an event is kept, unrated, and uses nothing of the allowance.
pub fn price<'t>(tariff: &'t Tariff, event: &UsageEvent, allowance_left: u64) -> Result<Charge<'t>, RatingError> {
    let destination = event.destination.as_ref().map_or("", |destination| destination.digits());
    let prefix = tariff.prefix(event.service, destination, event.roaming).ok_or(RatingError::NoRate)?;
    let parts = parts(tariff, prefix, event)?;
    let first = parts.first().ok_or(RatingError::NoRate)?.rate;
    let free = allowance_left.min(event.usage);
    let mut meter = Meter { position: free, sum: 0, max: first.max.map(|(max, _)| max), stopped: false };
    if free < event.usage {
        meter.add(first.connect_fee);
    }
    let connect_fee = meter.sum;
    let mut spans = Spans::new();
    for part in &parts {
        let before = meter.sum;
        let charged_units = meter.run(part);
        let amount = exact(meter.sum - before, prefix)?;
        spans.push(Span { timing: tariff.timing_name(part.rate), units: part.to - part.from, charged_units, amount });
    }
    if meter.stopped && first.max.is_some_and(|(_, after)| after == AfterMax::Reject) {
        return Err(RatingError::MaxCost);
    }
    Ok(Charge {
        amount: amount(meter.sum, prefix, first.rounding, first.decimals)?,
        currency: tariff.currency(),
        connect_fee: exact(connect_fee, prefix)?,
        allowance_used: free,
        zone: &first.zone,
        spans,
    })
}

fn amount(sum: u128, prefix: &Prefix, rounding: Rounding, decimals: u32) -> Result<Decimal, RatingError> {
    let amount = ticks::round(sum, prefix.ticks, rounding, decimals).filter(|amount| *amount <= MAX_AMOUNT);
    amount.ok_or(RatingError::TooLarge)
}

/// An amount for people, to [`SPAN_DECIMALS`] and without the zeros at its end.
fn exact(sum: u128, prefix: &Prefix) -> Result<Decimal, RatingError> {
    if sum == 0 {
        return Ok(Decimal::ZERO);
    }
    amount(sum, prefix, Rounding::HalfUp, SPAN_DECIMALS).map(ticks::trimmed)
}

/// The parts of an event: up to four need no memory of their own.
type Parts<'t> = SmallVec<[Part<'t>; 4]>;

/// Units of an event that one rate prices.
struct Part<'t> {
    rate: &'t Rate,
    from: u64,
    to: u64,
}

/// What has been charged so far, in ticks.
struct Meter {
    /// The first unit that is neither free nor charged for.
    position: u64,
    sum: u128,
    max: Option<u128>,
    /// The sum would have gone above `max`, and stays there.
    stopped: bool,
}

impl Meter {
    /// Adds a cost. A sum that the type cannot hold is far above what an amount can be, and saturates.
    fn add(&mut self, cost: u128) {
        let sum = self.sum.saturating_add(cost);
        match self.max {
            Some(max) if sum > max => {
                self.sum = max;
                self.stopped = true;
            }
            _ => self.sum = sum,
        }
    }

    /// Charges the increments that begin in a part. Answers how many units they are.
    fn run(&mut self, part: &Part<'_>) -> u64 {
        let mut charged = 0;
        while self.position < part.to && !self.stopped {
            let after = part.rate.steps.partition_point(|step| step.from <= self.position);
            // The first step begins at 0, so one always does.
            let Some(step) = after.checked_sub(1).and_then(|at| part.rate.steps.get(at)) else {
                break;
            };
            let end = part.rate.steps.get(after).map_or(part.to, |next| next.from.min(part.to));
            let started = (end - self.position).div_ceil(step.increment);
            let each = step.price.saturating_mul(step.increment.into());
            let left = self.max.map_or(u128::MAX, |max| max - self.sum);
            self.add(each.saturating_mul(started.into()));
            if self.stopped {
                // Only as many as it took to reach the limit; `each` is above 0, or the sum had not moved.
                charged += left.div_ceil(each.max(1)) as u64 * step.increment;
                break;
            }
            charged += started * step.increment;
            self.position += started * step.increment;
        }
        charged
    }
}

/// Cuts an event where the rate that holds changes.
fn parts<'t>(tariff: &'t Tariff, prefix: &'t Prefix, event: &UsageEvent) -> Result<Parts<'t>, RatingError> {
    let clock = Clock { timezone: tariff.timezone() };
    let rates = || prefix.rates.iter().filter(|rate| rate.roaming.is_none_or(|only| only == event.roaming));
    let rate_at = |local| rates().find(|rate| tariff.timing(rate).holds(local)).ok_or(RatingError::NoRate);
    let whole = |rate| Parts::from_iter([Part { rate, from: 0, to: event.usage }]);
    // Rates are sorted by weight: a first one that always holds is the only one that is asked.
    if let Some(rate) = rates().next().filter(|rate| tariff.timing(rate).always()) {
        return Ok(whole(rate));
    }
    let first = rate_at(clock.local(event.started_at))?;
    if event.service != Service::Voice || event.usage == 0 {
        return Ok(whole(first));
    }
    if event.usage > MAX_FOLLOWED {
        return Err(RatingError::TooLarge);
    }
    let end = event.started_at + TimeDelta::seconds(event.usage as i64);
    let mut parts = whole(first);
    let mut at = event.started_at;
    loop {
        let timings = || rates().map(|rate| tariff.timing(rate));
        let edge = clock.next_edge(at, timings().flat_map(|timing| [timing.from, timing.to]));
        if edge >= end {
            return Ok(parts);
        }
        at = edge;
        let rate = rate_at(clock.local(at))?;
        // A unit belongs to the rate at its first instant.
        let unit = ((at - event.started_at).num_milliseconds() as u64).div_ceil(1000);
        if let Some(last) = parts.last_mut().filter(|last| !std::ptr::eq(last.rate, rate) && unit < event.usage) {
            last.to = unit;
            parts.push(Part { rate, from: unit, to: event.usage });
        }
    }
}

/// The wall clock of a time zone.
struct Clock {
    timezone: Tz,
}

impl Clock {
    fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.timezone).naive_local()
    }

    /// Seconds that the wall clock is ahead of UTC.
    fn offset(&self, at: DateTime<Utc>) -> i32 {
        self.timezone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
    }

    /// The next instant at which the clock shows midnight or one of `seconds` of the day, or at which it is put forward or back.
    fn next_edge(&self, at: DateTime<Utc>, seconds: impl Iterator<Item = u32>) -> DateTime<Utc> {
        let local = self.local(at);
        let now = local.num_seconds_from_midnight();
        let next = seconds.filter(|second| *second > now).min().unwrap_or(DAY);
        let part = TimeDelta::nanoseconds(i64::from(local.nanosecond()));
        let edge = at + TimeDelta::seconds(i64::from(next - now)) - part;
        let offset = self.offset(at);
        if self.offset(edge) == offset {
            return edge;
        }
        // The clock is moved in between: find the first second that has another offset.
        let (mut before, mut after) = (at.timestamp(), edge.timestamp());
        while before + 1 < after {
            let middle = before + (after - before) / 2;
            match DateTime::from_timestamp(middle, 0) {
                Some(instant) if self.offset(instant) == offset => before = middle,
                _ => after = middle,
            }
        }
        DateTime::from_timestamp(after, 0).unwrap_or(edge)
    }
}
