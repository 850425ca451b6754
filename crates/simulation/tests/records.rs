//! What the simulated records are like, as the platform's own decoders see them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Duration, TimeZone, Utc};
use millrace_simulation::{Expected, Faults, READING_INTERVAL_S, Readings, Record, SampleOperator, World};
use millrace_wire::{Topic, customers, sensors, usage};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 18, 19, 30, 0).unwrap()
}

fn world(seed: u64) -> World {
    SampleOperator::new(seed).unwrap().world(seed)
}

/// Whether the platform's decoder takes it, and the identity that it sees.
fn decode(record: &Record, at: DateTime<Utc>) -> Result<(String, DateTime<Utc>), String> {
    match record.topic {
        Topic::UsageEvents => usage::decode(&record.value, at, &usage::Limits::default())
            .map(|event| (event.event_id.to_string(), event.started_at))
            .map_err(|rejection| rejection.to_string()),
        Topic::SensorReadings => sensors::decode(&record.value, at)
            .map(|reading| (reading.sensor_id.to_string(), reading.measured_at))
            .map_err(|rejection| rejection.to_string()),
        Topic::Customers => customers::decode(&record.value, at)
            .map(|customer| (customer.customer_id.to_string(), customer.observed_at))
            .map_err(|rejection| rejection.to_string()),
    }
}

/// 6,000 records of each topic with a share of each fault, and the time at which each is sent.
fn run(seed: u64, share_pct: f64, from: DateTime<Utc>) -> Vec<(Record, DateTime<Utc>)> {
    let world = world(seed);
    let mut records = Vec::new();
    let mut faults = Faults::new(seed, Topic::UsageEvents, share_pct);
    for index in 0..6_000_u32 {
        let at = from + Duration::milliseconds(i64::from(index) * 50);
        records.push((faults.usage_event(world.usage_event(u64::from(index), at).unwrap(), at), at));
    }
    let mut faults = Faults::new(seed, Topic::SensorReadings, share_pct);
    let mut readings = Readings::new(seed);
    for tick in 0..150_i32 {
        let at = from + Duration::seconds(i64::from(tick) * i64::from(READING_INTERVAL_S));
        // The model's day is the same whenever the run is.
        let model = now() + (at - from);
        records.extend(
            readings.next(&world, model, at).into_iter().map(|reading| (faults.sensor_reading(reading, at), at)),
        );
    }
    let mut faults = Faults::new(seed, Topic::Customers, share_pct);
    for index in 0..6_000_u32 {
        let at = from + Duration::milliseconds(i64::from(index) * 50);
        records.push((faults.customer_snapshot(world.customer_snapshot(u64::from(index), at).unwrap(), at), at));
    }
    records
}

/// A record's object without its time.
fn timeless(record: &Record) -> Option<serde_json::Value> {
    let mut object: serde_json::Value = serde_json::from_slice(&record.value).ok()?;
    for field in ["started_at", "measured_at", "observed_at"] {
        object.as_object_mut()?.remove(field);
    }
    Some(object)
}

#[test]
fn the_same_seed_gives_the_same_records_but_for_their_times() {
    let first = run(7, 4.0, now());
    let later = run(7, 4.0, now() + Duration::hours(7));
    assert_eq!(first.len(), later.len());
    for ((one, _), (other, _)) in first.iter().zip(&later) {
        assert_eq!((&one.key, one.expected, timeless(one)), (&other.key, other.expected, timeless(other)));
    }
    assert_eq!(run(7, 4.0, now()), first, "with the same times, to the byte");
    assert_ne!(run(8, 4.0, now()), first);
}

#[test]
fn faults_do_not_change_the_records_among_which_they_are_mixed() {
    let clean: HashSet<_> = run(7, 0.0, now()).into_iter().map(|(record, _)| record.value).collect();
    let mixed = run(7, 2.0, now());
    let same = mixed.iter().filter(|(record, _)| clean.contains(&record.value)).count();
    assert!(same as f64 > 0.9 * mixed.len() as f64, "{same} of {}", mixed.len());
}

#[test]
fn every_record_of_a_clean_run_is_accepted_and_has_its_own_identity() {
    let mut identities = HashSet::new();
    for (record, at) in run(1, 0.0, now()) {
        let identity =
            decode(&record, at).unwrap_or_else(|reason| panic!("{reason}: {}", String::from_utf8_lossy(&record.value)));
        assert_eq!(record.expected, Expected::Stored);
        assert_eq!(record.topic.key_of(&record.value).as_deref().map(str::as_bytes), Some(record.key.as_slice()));
        // Snapshots of one customer at one instant would be one; here an instant has one snapshot.
        assert!(identities.insert((record.topic, identity)), "a second record of one identity");
    }
}

#[test]
fn every_fault_ends_as_it_was_announced_and_in_its_share() {
    let share = 3.0;
    let mut counts: HashMap<(Topic, Expected), f64> = HashMap::new();
    let mut known = HashSet::new();
    for (record, at) in run(3, share, now()) {
        let seen = match decode(&record, at) {
            Err(_) => Expected::Reject,
            Ok(identity) if known.insert((record.topic, identity.clone())) => Expected::Stored,
            Ok(_) => Expected::Duplicate,
        };
        assert_eq!(seen, record.expected, "{}", String::from_utf8_lossy(&record.value));
        *counts.entry((record.topic, seen)).or_default() += 1.0;
    }
    for topic in Topic::ALL {
        let rejects = counts[&(topic, Expected::Reject)] / 60.0;
        let duplicates = counts[&(topic, Expected::Duplicate)] / 60.0;
        assert!((rejects - 3.0 * share).abs() < 1.5, "{topic}: {rejects} % rejects of three kinds");
        assert!((duplicates - share).abs() < 1.0, "{topic}: {duplicates} % duplicates");
    }
}

#[test]
fn late_records_are_old_but_not_too_old() {
    let late = run(3, 3.0, now())
        .into_iter()
        .filter(|(record, at)| {
            record.topic == Topic::UsageEvents
                && decode(record, *at).is_ok_and(|(_, started)| *at - started > Duration::hours(3))
        })
        .count();
    assert!((100..260).contains(&late), "{late} of 6,000 at 3 %");
}

#[test]
fn usage_has_the_mix_of_an_operator() {
    let world = world(1);
    let mut services: HashMap<&str, u32> = HashMap::new();
    let mut by_subscriber: HashMap<String, u32> = HashMap::new();
    let (mut roaming, mut with_cell, mut national, mut called, mut seconds) = (0, 0, 0, 0, Vec::new());
    for index in 0..20_000 {
        let event = world.usage_event(index, now()).unwrap();
        *services.entry(event.service.as_str()).or_default() += 1;
        *by_subscriber.entry(event.subscriber.to_string()).or_default() += 1;
        roaming += u32::from(event.roaming);
        with_cell += u32::from(event.cell.is_some());
        assert!(!(event.roaming && event.cell.is_some()), "another operator's cell means nothing here");
        if let Some(destination) = &event.destination {
            called += 1;
            national += u32::from(destination.digits().starts_with("212"));
        }
        if event.service.as_str() == "voice" {
            seconds.push(event.usage);
            assert!(
                now() - event.started_at >= Duration::seconds(event.usage as i64),
                "a call has begun before it ended"
            );
        }
    }
    assert!(services.values().all(|count| *count > 1_500), "{services:?}");
    assert!((50..2_000).contains(&roaming), "{roaming}");
    assert_eq!(with_cell + roaming, 20_000);
    assert!(national * 10 > called * 8 && national < called, "{national} of {called} calls and messages are national");
    seconds.sort_unstable();
    let (median, long) = (seconds[seconds.len() / 2], seconds[seconds.len() * 99 / 100]);
    assert!((40..140).contains(&median) && long > 5 * median, "median {median} s, 99th percentile {long} s");
    let busiest = by_subscriber.values().max().unwrap();
    assert!(by_subscriber.len() > 300 && *busiest > 150, "{} numbers, busiest {busiest}", by_subscriber.len());
}

#[test]
fn a_site_overheats_soon_after_the_start_and_recovers() {
    let world = world(1);
    let mut readings = Readings::new(1);
    let mut hot: HashMap<String, Vec<u32>> = HashMap::new();
    let mut coolest = f64::MAX;
    for tick in 0..600_u32 {
        let at = now() + Duration::seconds(i64::from(tick * READING_INTERVAL_S));
        for reading in readings.next(&world, at, at) {
            coolest = coolest.min(reading.temperature_c);
            if reading.temperature_c > 80.0 {
                hot.entry(reading.sensor_id.to_string()).or_default().push(tick);
            }
        }
    }
    assert!((1..=2).contains(&hot.len()), "the sensors of one site, not {hot:?}");
    let ticks = hot.values().next().unwrap();
    assert!(ticks[0] < 90 && *ticks.last().unwrap() < 300, "critical within three minutes, over within ten: {ticks:?}");
    assert!(coolest > 15.0);
}

#[test]
fn sites_are_warmer_by_day_and_overheat_now_and_then() {
    let world = world(1);
    let mut readings = Readings::new(1);
    let (mut afternoon, mut night, mut runs) = (Vec::new(), Vec::new(), HashSet::new());
    let midnight = Utc.with_ymd_and_hms(2026, 11, 18, 0, 0, 0).unwrap();
    for tick in 0..24 * 1800_u32 {
        let at = midnight + Duration::seconds(i64::from(tick * READING_INTERVAL_S));
        for reading in readings.next(&world, at, at) {
            if reading.temperature_c > 70.0 {
                runs.insert((reading.sensor_id.as_str()[..6].to_owned(), tick / 1800));
            } else if (tick / 1800) == 16 {
                afternoon.push(reading.temperature_c);
            } else if (tick / 1800) == 4 {
                night.push(reading.temperature_c);
            }
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!(mean(&afternoon) > mean(&night) + 8.0, "{} and {}", mean(&afternoon), mean(&night));
    assert!((20..200).contains(&runs.len()), "{} hours with an overheated site in a day of 24 sites", runs.len());
}

#[test]
fn churn_depends_on_what_a_model_can_learn_from() {
    let world = world(1);
    let rate = |wanted: &dyn Fn(&millrace_domain::customers::CustomerSnapshot) -> bool| {
        let labels: Vec<bool> = (0..20_000)
            .filter_map(|index| world.customer_snapshot(index, now()))
            .filter(wanted)
            .filter_map(|customer| customer.churn)
            .collect();
        labels.iter().filter(|left| **left).count() as f64 / labels.len() as f64
    };
    let all = rate(&|_| true);
    assert!((0.08..0.25).contains(&all), "{all}");
    assert!(rate(&|customer| customer.customer_service_calls >= 4) > 2.0 * all);
    assert!(rate(&|customer| customer.international_plan) > 1.7 * all);
    assert!(rate(&|customer| customer.day.minutes > 240.0) > 1.5 * all);
    assert!(rate(&|customer| customer.voice_mail_plan) < all);
}

#[test]
fn a_world_without_numbers_or_customers_sends_nothing_of_theirs() {
    let mut parts = world(1).parts().clone();
    parts.numbers.clear();
    parts.customers.clear();
    parts.sensors.clear();
    let world = World::from_parts(1, parts);
    assert!(world.usage_event(0, now()).is_none());
    assert!(world.customer_snapshot(0, now()).is_none());
    assert!(Readings::new(1).next(&world, now(), now()).is_empty());
}

#[test]
fn numbers_without_cells_send_events_without_them() {
    let mut parts = world(1).parts().clone();
    parts.cells.clear();
    let world = World::from_parts(1, parts);
    assert!((0..100).all(|index| world.usage_event(index, now()).unwrap().cell.is_none()));
}
