//! Tariffs: what a usage event costs. Exact decimals throughout.
//!
//! A [`Tariff`] is made from a [`TariffSpec`] and is right by construction: no two of its rates can claim one event, and every
//! amount that it can name has a common unit, the *tick* of its prefix, in which sums are whole numbers.

mod faults;
mod spec;
pub(crate) mod ticks;
pub(crate) mod timing;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono_tz::Tz;

use faults::Faults;
pub use spec::{AfterMax, AllowanceSpec, MaxCost, RateSpec, Rounding, StepSpec, TariffSpec, TimingSpec};
use timing::Timing;

use crate::usage::Service;

/// The most units of one event, and of an allowance.
const MAX_UNITS: u64 = 1_000_000_000_000_000;
/// The longest name of a timing or a zone, in characters.
const MAX_NAME: usize = 64;
/// The most digits of a prefix: as many as a destination has.
const MAX_PREFIX: usize = 20;
/// The most decimals that an amount is rounded to.
const MAX_DECIMALS: u32 = 4;
/// What decides which events a rate can claim, beside its timing's own fields.
const CLAIM: [&str; 5] = ["service", "prefix", "timing", "roaming", "weight"];

/// A checked tariff.
#[derive(Debug, Clone, PartialEq)]
pub struct Tariff {
    spec: TariffSpec,
    timings: Vec<Timing>,
    /// By service, each sorted by prefix.
    prefixes: [Vec<Prefix>; 3],
}

/// What is wrong with a tariff, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct TariffError {
    /// Where, as `rates[2].steps[0].increment`.
    pub path: String,
    /// What was expected.
    pub reason: String,
}

/// The rates of one prefix of one service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prefix {
    pub(crate) digits: String,
    /// How many ticks are one unit of currency.
    pub(crate) ticks: u128,
    /// Sorted by falling weight.
    pub(crate) rates: Vec<Rate>,
}

/// One rate with its money in ticks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rate {
    pub(crate) timing: usize,
    pub(crate) roaming: Option<bool>,
    pub(crate) weight: i32,
    pub(crate) connect_fee: u128,
    pub(crate) steps: Vec<Step>,
    pub(crate) max: Option<(u128, AfterMax)>,
    pub(crate) zone: String,
    pub(crate) rounding: Rounding,
    pub(crate) decimals: u32,
}

/// The price from a unit of the event on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) from: u64,
    /// Ticks of one unit.
    pub(crate) price: u128,
    pub(crate) increment: u64,
}

impl Tariff {
    /// Checks a tariff.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn new(spec: TariffSpec) -> Result<Self, Vec<TariffError>> {
        let mut faults = Faults::default();
        let (timings, prefixes) = check(&spec, &mut faults);
        if faults.are_none() { Ok(Self { spec, timings, prefixes }) } else { Err(faults.into_found()) }
    }

    /// What is wrong with a tariff of which some parts could not be read, beside these. Their paths are `unread`; whatever stands in
    /// their place, nothing is said of it, and nothing that follows from it.
    pub fn faults(spec: &TariffSpec, unread: BTreeSet<String>) -> Vec<TariffError> {
        let mut faults = Faults::beside(unread);
        check(spec, &mut faults);
        faults.into_found()
    }

    /// What it was made from.
    pub fn spec(&self) -> &TariffSpec {
        &self.spec
    }

    /// ISO 4217 code of its prices.
    pub fn currency(&self) -> &str {
        &self.spec.currency
    }

    /// Whose wall clock its timings mean.
    pub fn timezone(&self) -> Tz {
        self.spec.timezone
    }

    /// The free units of a service for each number and billing cycle.
    pub fn allowance(&self, service: Service) -> u64 {
        self.spec
            .allowances
            .iter()
            .find(|allowance| allowance.service == service)
            .map_or(0, |allowance| allowance.amount)
    }

    pub(crate) fn timing(&self, rate: &Rate) -> &Timing {
        &self.timings[rate.timing]
    }

    pub(crate) fn timing_name(&self, rate: &Rate) -> &str {
        &self.spec.timings[rate.timing].0
    }

    /// The longest prefix of a destination that has rates for it, roaming or not.
    pub(crate) fn prefix(&self, service: Service, destination: &str, roaming: bool) -> Option<&Prefix> {
        let prefixes = &self.prefixes[service as usize];
        let mut key = destination;
        loop {
            // The last prefix that is not after the key is its longest prefix, if it is one at all. If not, no prefix is longer
            // than what the two have in common.
            let last = prefixes.partition_point(|prefix| prefix.digits.as_str() <= key).checked_sub(1)?;
            let found = &prefixes[last];
            let common = found.digits.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count();
            if common < found.digits.len() {
                key = &key[..common];
            } else if found.rates.iter().any(|rate| rate.roaming.is_none_or(|only| only == roaming)) {
                return Some(found);
            } else {
                key = &key[..common.checked_sub(1)?];
            }
        }
    }
}

/// Looks for everything that is wrong. What it gives back is right when that is nothing.
fn check(spec: &TariffSpec, faults: &mut Faults) -> (Vec<Timing>, [Vec<Prefix>; 3]) {
    if spec.currency.len() != 3 || !spec.currency.bytes().all(|b| b.is_ascii_uppercase()) {
        faults.add("currency", "expected a code of three capital letters");
    }
    let timings = check_timings(&spec.timings, faults);
    for (at, rate) in spec.rates.iter().enumerate() {
        check_rate(at, rate, &timings, faults);
    }
    for (at, allowance) in spec.allowances.iter().enumerate() {
        if allowance.amount > MAX_UNITS {
            faults.add(&format!("allowances[{at}].amount"), format!("expected 0 to {MAX_UNITS}"));
        }
        let same = |(n, other): (usize, &AllowanceSpec)| {
            other.service == allowance.service && faults.was_read(&format!("allowances[{n}].service"))
        };
        if spec.allowances.iter().enumerate().take(at).any(same) {
            faults.add(&format!("allowances[{at}].service"), "stands twice");
        }
    }
    let timings: Vec<Timing> = timings.into_iter().map(|(_, timing)| timing).collect();
    let prefixes = compile(spec, &timings, faults);
    (timings, prefixes)
}

fn check_timings<'s>(timings: &'s [(String, TimingSpec)], faults: &mut Faults) -> Vec<(&'s str, Timing)> {
    let mut checked: Vec<(&str, Timing)> = Vec::with_capacity(timings.len());
    for (name, spec) in timings {
        let path = format!("timings.{name}");
        if !is_name(name) {
            faults.add(&path, format!("expected a name of 1 to {MAX_NAME} characters"));
        }
        if checked.iter().any(|(known, _)| known == name) {
            faults.add(&path, "stands twice");
        }
        let timing = Timing::new(spec, |key, reason| faults.add(&format!("{path}.{key}"), reason));
        checked.push((name, timing));
    }
    checked
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.chars().count()) && !text.starts_with(' ') && !text.ends_with(' ')
}

fn check_rate(at: usize, rate: &RateSpec, timings: &[(&str, Timing)], faults: &mut Faults) {
    let path = |key: &str| format!("rates[{at}].{key}");
    if rate.digits().len() > MAX_PREFIX || !rate.digits().bytes().all(|b| b.is_ascii_digit()) {
        faults.add(&path("prefix"), format!("expected up to {MAX_PREFIX} digits"));
    }
    if !timings.iter().any(|(name, _)| *name == rate.timing) && faults.was_read("timings") {
        faults.add(&path("timing"), "is not one of the timings");
    }
    if let Err(reason) = ticks::check_money(rate.connect_fee) {
        faults.add(&path("connect_fee"), reason);
    }
    if let Some(Err(reason)) = rate.max.as_ref().map(|max| ticks::check_money(max.cost)) {
        faults.add(&path("max_cost"), reason);
    }
    if rate.zone.as_deref().is_some_and(|zone| !is_name(zone)) {
        faults.add(&path("zone"), format!("expected 1 to {MAX_NAME} characters, none of them a space at either end"));
    }
    if rate.decimals > MAX_DECIMALS {
        faults.add(&path("decimals"), format!("expected 0 to {MAX_DECIMALS}"));
    }
    if rate.steps.is_empty() {
        faults.add(&path("steps"), "expected at least one step");
    }
    for (index, step) in rate.steps.iter().enumerate() {
        let path = |key: &str| format!("rates[{at}].steps[{index}].{key}");
        if let Err(reason) = ticks::check_money(step.price) {
            faults.add(&path("price"), reason);
        }
        for (key, value) in [("per", step.per), ("increment", step.increment)] {
            if !(1..=MAX_UNITS).contains(&value) {
                faults.add(&path(key), format!("expected 1 to {MAX_UNITS}"));
            }
        }
        match index.checked_sub(1).and_then(|before| rate.steps.get(before)) {
            None if step.from != 0 => faults.add(&path("from"), "expected 0 for the first step"),
            Some(before) if step.from <= before.from => {
                faults.add(&path("from"), "must be above that of the step before")
            }
            Some(before)
                if before.increment > 0
                    && (step.from - before.from) % before.increment != 0
                    && faults.was_read(&format!("rates[{at}].steps[{}].from", index - 1)) =>
            {
                let (length, increment) = (step.from - before.from, before.increment);
                let path = format!("rates[{at}].steps[{}].increment", index - 1);
                faults.add(
                    &path,
                    format!("the step's length of {length} is not a multiple of its increment of {increment}"),
                );
            }
            _ if step.from > MAX_UNITS => faults.add(&path("from"), format!("expected 0 to {MAX_UNITS}")),
            _ => {}
        }
    }
}

/// Gathers the rates by service and prefix, refuses those that could claim one event together, and turns their money to ticks. Rates
/// of which that cannot be told, as something is wrong with them, are left out.
fn compile(spec: &TariffSpec, timings: &[Timing], faults: &mut Faults) -> [Vec<Prefix>; 3] {
    let names: HashMap<&str, usize> =
        spec.timings.iter().enumerate().map(|(at, (name, _))| (name.as_str(), at)).collect();
    let none = faults.are_none();
    let can_claim = |(at, rate): (usize, &RateSpec)| {
        none || CLAIM.iter().all(|key| faults.is_sound(&format!("rates[{at}].{key}")))
            && faults.is_sound(&format!("timings.{}", rate.timing))
    };
    let can_claim: Vec<bool> = spec.rates.iter().enumerate().map(can_claim).collect();
    let can_price: Vec<bool> =
        (0..spec.rates.len()).map(|at| none || faults.is_sound(&format!("rates[{at}]"))).collect();
    let mut groups: BTreeMap<(Service, &str), Vec<usize>> = BTreeMap::new();
    for (at, rate) in spec.rates.iter().enumerate().filter(|(at, _)| can_claim[*at]) {
        groups.entry((rate.service, rate.digits())).or_default().push(at);
    }
    let timing_of = |at: usize| names.get(spec.rates[at].timing.as_str()).copied().unwrap_or_default();
    let mut together: HashMap<(usize, usize), bool> = HashMap::new();
    let mut prefixes: [Vec<Prefix>; 3] = Default::default();
    for ((service, digits), mut members) in groups {
        for (position, &at) in members.iter().enumerate() {
            let rate = &spec.rates[at];
            let clash = members[..position].iter().find(|&&other| {
                let before = &spec.rates[other];
                let roaming = before.roaming.is_none() || rate.roaming.is_none() || before.roaming == rate.roaming;
                let (a, b) = (timing_of(other), timing_of(at));
                before.weight == rate.weight
                    && roaming
                    && *together.entry((a, b)).or_insert_with(|| timings[a].can_hold_with(&timings[b]))
            });
            if let Some(other) = clash {
                let reason =
                    format!("can hold together with rates[{other}], of the same service, prefix, roaming and weight");
                faults.add(&format!("rates[{at}].timing"), reason);
            }
        }
        members.retain(|&at| can_price[at]);
        let rates: Vec<&RateSpec> = members.iter().map(|&at| &spec.rates[at]).collect();
        let Some(unit) = ticks::Unit::of(&rates) else {
            let reason = "the prices of this prefix have no common unit that amounts can be counted in: fewer decimals, or a rounder per";
            faults.add(&format!("rates[{}].steps", members[0]), reason);
            continue;
        };
        members.sort_by_key(|&at| std::cmp::Reverse(spec.rates[at].weight));
        let rates = members.iter().map(|&at| rate(&spec.rates[at], timing_of(at), &unit)).collect();
        prefixes[service as usize].push(Prefix { digits: digits.to_owned(), ticks: unit.ticks(), rates });
    }
    prefixes
}

fn rate(spec: &RateSpec, timing: usize, unit: &ticks::Unit) -> Rate {
    let default_zone = if spec.digits().is_empty() { "all" } else { spec.digits() };
    let step =
        |step: &StepSpec| Step { from: step.from, price: unit.price(step.price, step.per), increment: step.increment };
    Rate {
        timing,
        roaming: spec.roaming,
        weight: spec.weight,
        connect_fee: unit.price(spec.connect_fee, 1),
        steps: spec.steps.iter().map(step).collect(),
        max: spec.max.as_ref().map(|max| (unit.price(max.cost, 1), max.after)),
        zone: spec.zone.clone().unwrap_or_else(|| default_zone.to_owned()),
        rounding: spec.rounding,
        decimals: spec.decimals,
    }
}
