//! What holds for every tariff and event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::HashMap;

use chrono::{Datelike, TimeDelta};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;

use millrace_domain::rating::{Charge, price};
use millrace_domain::tariffs::Tariff;
use millrace_domain::usage::UsageEvent;
use millrace_rating_filter::{Filter, run};
use millrace_wire::tariff;
use support::{Cases, is_call, read, with_usage};

fn units(charges: &[&Charge<'_>]) -> Vec<(String, u64)> {
    let mut units: Vec<(String, u64)> = Vec::new();
    for span in charges.iter().flat_map(|charge| &charge.spans).filter(|span| span.units > 0) {
        match units.last_mut().filter(|(timing, _)| timing == span.timing) {
            Some((_, sum)) => *sum += span.units,
            None => units.push((span.timing.to_owned(), span.units)),
        }
    }
    units
}

/// The parts of a call before and from a unit on.
fn split(event: &UsageEvent, unit: u64) -> (UsageEvent, UsageEvent) {
    let started_at = event.started_at + TimeDelta::seconds(unit as i64);
    (with_usage(event, unit), UsageEvent { started_at, ..with_usage(event, event.usage - unit) })
}

/// What the filter answers, each line's charge by its event.
fn filtered(tariff: &Tariff, events: &[Value]) -> Vec<Value> {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut output = Vec::new();
    run(Filter::new(tariff), lines.as_bytes(), &mut output).unwrap();
    String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn splitting_a_call_at_any_time_edge_conserves_its_units(seed in any::<u64>(), anywhere in any::<prop::sample::Index>()) {
        let mut cases = Cases::new(seed);
        let (json, tariff) = cases.tariff(false);
        let event = read(&cases.event(&json));
        if let Ok(whole) = price(&tariff, &event, 0) {
            prop_assert_eq!(whole.spans.iter().map(|span| span.units).sum::<u64>(), event.usage);
            if !is_call(&event) {
                return Ok(());
            }
            // At every edge that it has, and anywhere.
            let mut cuts = vec![anywhere.index(event.usage as usize + 1) as u64];
            for span in &whole.spans[..whole.spans.len() - 1] {
                cuts.push(cuts[1..].last().unwrap_or(&0) + span.units);
            }
            for cut in cuts {
                let (before, after) = split(&event, cut);
                let (before, after) = (price(&tariff, &before, 0).unwrap(), price(&tariff, &after, 0));
                // A call cut at its very end leaves an instant that is no longer part of it.
                match after {
                    Ok(after) => prop_assert_eq!(units(&[&before, &after]), units(&[&whole]), "cut at {}", cut),
                    Err(_) => prop_assert_eq!(cut, event.usage),
                }
            }
        }
    }

    #[test]
    fn more_usage_never_costs_less(seed in any::<u64>(), more in prop::collection::vec(0..5_000_u64, 1..6), left in 0..2_000_u64) {
        let mut cases = Cases::new(seed);
        let (json, tariff) = cases.tariff(false);
        let event = read(&cases.event(&json));
        let mut usage = event.usage;
        let mut last = Decimal::ZERO;
        for more in more {
            if let Ok(charge) = price(&tariff, &with_usage(&event, usage), left) {
                prop_assert!(charge.amount >= last, "{} for {} after {}", charge.amount, usage, last);
                last = charge.amount;
            }
            usage += more;
        }
    }

    #[test]
    fn the_order_of_a_tariffs_rates_changes_nothing(seed in any::<u64>(), order in any::<u64>()) {
        let mut cases = Cases::new(seed);
        let case = cases.case();
        let mut json = case.tariff_json.clone();
        let rates = json["rates"].as_array_mut().unwrap();
        // Any order: by numbers that have nothing to do with the rates.
        let mut keyed: Vec<(u64, Value)> = rates.drain(..).enumerate().map(|(at, rate)| (order.rotate_left(at as u32 * 13) ^ at as u64, rate)).collect();
        keyed.sort_by_key(|(key, _)| *key);
        *rates = keyed.into_iter().map(|(_, rate)| rate).collect();
        let permuted = tariff::parse(json.to_string().as_bytes()).expect("what was right in one order is right in all");
        for left in [0, case.allowance_left] {
            prop_assert_eq!(price(&permuted, &case.event, left), price(&case.tariff, &case.event, left));
        }
    }

    #[test]
    fn allowances_are_spent_to_their_amount_and_never_beyond(seed in any::<u64>(), order in any::<u64>(), batches in 1..6_usize) {
        let mut cases = Cases::new(seed);
        let (json, tariff) = cases.tariff(true);
        let mut events: Vec<Value> = (0..30).map(|_| cases.event(&json)).collect();
        events.sort_by_key(|event| read(event).event_id.as_u128() as u64 ^ order);
        // In one run of the filter, and in batches between which only the spent units are remembered, as stores do.
        let mut spent: HashMap<_, (u64, u64, u64)> = HashMap::new();
        for (event, answer) in events.iter().zip(filtered(&tariff, &events)) {
            let event = read(event);
            let day = event.started_at.with_timezone(&tariff.timezone());
            let entry = spent.entry((event.subscriber.clone(), event.service, day.year(), day.month())).or_default();
            if let Some(used) = answer["allowance_used"].as_u64() {
                entry.0 += used;
                entry.1 += event.usage;
            }
        }
        for batch in events.chunks(events.len().div_ceil(batches)) {
            for event in batch {
                let event = read(event);
                let day = event.started_at.with_timezone(&tariff.timezone());
                let entry = spent.entry((event.subscriber.clone(), event.service, day.year(), day.month())).or_default();
                let left = tariff.allowance(event.service).saturating_sub(entry.2);
                entry.2 += price(&tariff, &event, left).map_or(0, |charge| charge.allowance_used);
            }
        }
        for ((_, service, ..), (by_filter, usage, by_batches)) in spent {
            prop_assert!(by_filter <= tariff.allowance(service) && by_batches == by_filter);
            prop_assert_eq!(by_filter, usage.min(tariff.allowance(service)));
        }
    }
}
