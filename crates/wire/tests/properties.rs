//! Any bytes end in a value or in an answer that says what is wrong, and what is written is read as it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::{CellId, CustomerId, Destination, Msisdn, SensorId};
use millrace_domain::rating::{MAX_AMOUNT, RatingError, price};
use millrace_domain::sensors::SensorReading;
use millrace_domain::tariffs::Tariff;
use millrace_domain::usage::{Service, UsageEvent};
use millrace_wire::batch::{Envelope, KafkaBatch, OutgoingPartition, OutgoingRecord, record_len, write_batch};
use millrace_wire::csv_records::{CsvRecords, CustomerDefaults};
use millrace_wire::usage::Limits;
use millrace_wire::{Rejection, Topic, customers, reference, sensors, tariff, usage};

const NOW_MS: i64 = 1_795_000_000_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(NOW_MS).unwrap()
}

/// Gives bytes to everything that reads bytes. A panic is the failure that is looked for.
fn read_everywhere(bytes: &[u8]) {
    for topic in Topic::ALL {
        check(usage::decode(bytes, now(), &Limits::default()));
        check(sensors::decode(bytes, now()));
        check(customers::decode(bytes, now()));
        let _ = topic.key_of(bytes);
        let defaults = CustomerDefaults { stem: "f".into(), observed_at: now() };
        if let Ok(rows) = CsvRecords::new(bytes, topic, defaults) {
            rows.for_each(drop);
        }
    }
    if let Ok(batch) = KafkaBatch::parse(bytes) {
        for record in batch.partitions.iter().flat_map(|partition| &partition.records) {
            let _ = record.value_into(&mut Vec::new());
        }
    }
    told(tariff::parse(bytes));
    told(reference::parse_operator(bytes));
    told(reference::parse_tariffs(bytes, Tz::Africa__Casablanca).map_err(|faulty| faulty.errors));
    told(reference::parse_plans(bytes).map_err(|faulty| faulty.errors));
    told(reference::parse_accounts(bytes).map_err(|faulty| faulty.errors));
    told(reference::parse_subscriptions(bytes).map_err(|faulty| faulty.errors));
    told(reference::parse_cells(bytes).map_err(|faulty| faulty.errors));
    told(reference::parse_sensors(bytes).map_err(|faulty| faulty.errors));
    told(reference::parse_payments(bytes).map_err(|faulty| faulty.errors));
}

fn check<T>(decoded: Result<T, Rejection>) {
    if let Err(rejection) = decoded {
        assert!(!rejection.field.is_empty() && rejection.field.len() <= 64, "{rejection:?}");
        assert!((1..=400).contains(&rejection.reason.chars().count()), "{rejection:?}");
    }
}

/// A file that is refused says why.
fn told<T, E: ToString>(parsed: Result<T, Vec<E>>) {
    if let Err(errors) = parsed {
        assert!(!errors.is_empty() && errors.iter().all(|error| !error.to_string().is_empty()));
    }
}

/// Real inputs to spoil.
const SEEDS: [&[u8]; 9] = [
    br#"{"event_id":"3f2c1e0a-1111-4222-8333-444455556666","service":"voice","subscriber":"212600000001","destination":"+212700000002","started_at":"2026-11-18T11:59:00.123+01:00","usage":61,"cell":"C-\u00e9","roaming":true}"#,
    br#"{"sensor_id":"s-1","measured_at":"2026-11-18T11:59:00Z","temperature_c":"21.5e0","humidity_pct":40,"latitude":33.5,"longitude":-7.6}"#,
    br#"{"records":{"usage-events-0":[{"topic":"t","partition":0,"offset":15,"timestamp":1545084650987,"key":"YQ==","value":"SGVsbG8=","headers":[{"h":[104,-1]}]}]}}"#,
    include_bytes!("cases/zones.json"),
    br#"[{"name":"b","valid_from":"2026-01-01","valid_to":null,"tariff":{"currency":"MAD","timezone":"UTC","timings":{"any":{"years":[2026],"from":"08:00"}},"rates":[]}}]"#,
    br#"{"name":"A","address":["x"],"currency":"MAD","timezone":"UTC","tax_rate":"0.20","invoice_prefix":"MR","payment_days":30}"#,
    b"account_id,name,segment,city,cycle_day,tax_exempt,customer_id\nA-1,\"n\nn\",s,c,28,true,\n",
    b"msisdn,active_from,account_id,plan,active_to\n212600000001,2026-01-01,A,p,2026-02-01\n",
    b"sensor_id,site,latitude,longitude,warning_c\nT-1,S,33.5,-7.6,60\n",
];

fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    (prop::sample::select(SEEDS.to_vec()), prop::collection::vec(change, 1..6)).prop_map(|(seed, changes)| {
        let mut bytes = seed.to_vec();
        for (place, byte, kind) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

fn any_event() -> impl Strategy<Value = UsageEvent> {
    let text = (any::<u128>(), 0..3_usize, "[0-9]{6,15}", "\\+?[0-9]{1,20}", prop::option::of("[a-zé\"\\\\-]{1,32}"));
    let rest = (0..400 * 86_400_000_i64, 0..=usage::MAX_USAGE, any::<bool>());
    (text, rest).prop_map(|((id, service, subscriber, destination, cell), (age, usage, roaming))| UsageEvent {
        event_id: Uuid::from_u128(id),
        service: Service::ALL[service],
        subscriber: Msisdn::parse(&subscriber).unwrap(),
        destination: (Service::ALL[service] != Service::Data).then(|| Destination::parse(&destination).unwrap()),
        started_at: now() - TimeDelta::milliseconds(age),
        usage,
        cell: cell.map(|cell| CellId::parse(&cell).unwrap()),
        roaming,
    })
}

fn any_record() -> impl Strategy<Value = OutgoingRecord> {
    let headers = prop::collection::vec((".{0,8}", any::<Vec<u8>>()), 0..3);
    let numbers = (0..=i64::MAX, 0..NOW_MS);
    (numbers, any::<Option<Vec<u8>>>(), any::<Option<Vec<u8>>>(), headers).prop_map(
        |((offset, timestamp_ms), key, value, headers)| OutgoingRecord { offset, timestamp_ms, key, value, headers },
    )
}

fn any_period() -> impl Strategy<Value = PeriodUsage> {
    (0.0..1e6_f64, 0..=1_000_000_u32, 0.0..1e6_f64).prop_map(|(minutes, calls, charge)| PeriodUsage {
        minutes,
        calls,
        charge,
    })
}

fn any_customer() -> impl Strategy<Value = CustomerSnapshot> {
    let counts = prop::array::uniform4(0..=1_000_000_u32);
    let flags = (any::<bool>(), any::<bool>(), any::<Option<bool>>());
    (("[ -~]{0,60}", "[A-Z ]{1,8}", any::<u32>()), counts, flags, prop::array::uniform4(any_period())).prop_map(
        |(
            (id, state, age),
            [account_length, area_code, messages, calls],
            (international, voice_mail, churn),
            [day, eve, night, intl],
        )| {
            CustomerSnapshot {
                customer_id: CustomerId::parse(&format!("c{id}.")).unwrap(),
                observed_at: now() - TimeDelta::milliseconds(age.into()),
                state,
                account_length,
                area_code,
                international_plan: international,
                voice_mail_plan: voice_mail,
                number_vmail_messages: messages,
                day,
                eve,
                night,
                intl,
                customer_service_calls: calls,
                churn,
            }
        },
    )
}

/// A tariff with everything: two prefixes, timings, steps of unlike units, limits, an allowance.
fn full_tariff() -> Tariff {
    let rate = |prefix: &str, timing: &str, weight: u32, more: &str| {
        format!(
            r#"{{"service":"voice","prefix":"{prefix}","timing":"{timing}","weight":{weight},"connect_fee":"0.137",
            "steps":[{{"from":0,"price":"1.20","per":60,"increment":30}},{{"from":90,"price":"0.7","per":7,"increment":1}}],
            {more}"rounding":"half_up","decimals":4}}"#
        )
    };
    let rates = [
        rate("", "any", 1, ""),
        rate("", "peak", 2, r#""max_cost":"900.01","after_max":"free","#),
        rate("2", "peak", 2, ""),
        rate("2", "night", 2, r#""max_cost":"500","after_max":"reject","#),
    ];
    let file = format!(
        r#"{{"currency":"MAD","timezone":"Africa/Casablanca","timings":{{"any":{{}},
        "peak":{{"from":"07:30","to":"20:00"}},"night":{{"from":"20:00","to":"24:00"}}}},"rates":[{}]}}"#,
        rates.join(",")
    );
    tariff::parse(file.as_bytes()).unwrap()
}

/// What [`full_tariff`] charges, reckoned second by second. Its prices are decimals of one unit, so this is exact.
fn reckon(event: &UsageEvent, allowance: u64) -> Result<Decimal, RatingError> {
    let national = event.destination.as_ref().unwrap().digits().starts_with('2');
    // The limit of the rate that holds at an instant, when one holds.
    let at = |instant: DateTime<Utc>| {
        let local = instant.with_timezone(&Tz::Africa__Casablanca);
        match (national, local.hour() * 60 + local.minute()) {
            (false, 450..1200) => Some(Some((Decimal::new(90_001, 2), false))),
            (false, _) | (true, 450..1200) => Some(None),
            (true, 1200..) => Some(Some((Decimal::new(500, 0), true))),
            (true, _) => None,
        }
    };
    let instant = |unit: u64| event.started_at + TimeDelta::seconds(unit as i64);
    let last = instant(event.usage) - TimeDelta::milliseconds(1);
    let covered =
        (0..event.usage).map(instant).chain((event.usage > 0).then_some(last)).all(|instant| at(instant).is_some());
    let limit = at(event.started_at).filter(|_| covered).ok_or(RatingError::NoRate)?;
    let mut unit = allowance;
    let mut cost = if unit < event.usage { Decimal::new(137, 3) } else { Decimal::ZERO };
    while unit < event.usage {
        let (increment, price) = if unit < 90 { (30, Decimal::new(60, 2)) } else { (1, Decimal::new(1, 1)) };
        cost += price;
        unit += increment;
    }
    match limit {
        Some((max, true)) if cost > max => Err(RatingError::MaxCost),
        Some((max, false)) => Ok(cost.min(max)),
        _ => Ok(cost),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_everywhere(&bytes);
    }

    #[test]
    fn any_json_like_text_is_read_or_refused(text in "[\\[\\]{}\":,0-9a-z.eE+\\\\ \u{0}-]{0,120}") {
        read_everywhere(text.as_bytes());
    }

    #[test]
    fn a_spoilt_input_is_read_or_refused(bytes in spoilt()) {
        read_everywhere(&bytes);
    }

    #[test]
    fn an_event_is_decoded_as_it_was_encoded(event in any_event()) {
        prop_assert_eq!(usage::decode(&usage::encode(&event), now(), &Limits::default()), Ok(event));
    }

    #[test]
    fn a_reading_is_decoded_as_it_was_encoded(id in "[a-zA-Z0-9\"é_-]{1,64}", age in any::<u32>(), temperature_c in -90.0..=200.0_f64,
        humidity_pct in prop::option::of(0.0..=100.0_f64), latitude in prop::option::of(-90.0..=90.0_f64), longitude in prop::option::of(-180.0..=180.0_f64)) {
        let measured_at = now() - TimeDelta::milliseconds(age.into());
        let reading = SensorReading { sensor_id: SensorId::parse(&id).unwrap(), measured_at, temperature_c, humidity_pct, latitude, longitude };
        prop_assert_eq!(sensors::decode(&sensors::encode(&reading), now()), Ok(reading));
    }

    #[test]
    fn a_customer_is_decoded_as_it_was_encoded(customer in any_customer()) {
        prop_assert_eq!(customers::decode(&customers::encode(&customer), now()), Ok(customer));
    }

    #[test]
    fn a_batch_is_read_as_it_was_written(records in prop::collection::vec(any_record(), 1..8)) {
        let envelope = Envelope { event_source_arn: "arn", bootstrap_servers: "b" };
        let written = write_batch(&envelope, &[OutgoingPartition { topic: "t", partition: 7, records: &records }]);
        prop_assert!(written.len() <= 120 + records.iter().map(|record| record_len("t", 7, record)).sum::<usize>());
        let batch = KafkaBatch::parse(&written).unwrap();
        let read: Vec<OutgoingRecord> = batch.partitions[0].records.iter().map(|record| OutgoingRecord {
            offset: record.offset,
            timestamp_ms: record.timestamp.timestamp_millis(),
            key: record.key.as_ref().map(|key| key.decode().unwrap()),
            value: record.value.as_ref().map(|value| value.decode().unwrap()),
            headers: record.headers.iter().map(|header| (header.name.clone().into_owned(), header.value.clone())).collect(),
        }).collect();
        prop_assert_eq!(read, records);
    }

    #[test]
    fn a_price_is_right_in_its_parts(mut event in any_event(), seconds in 0..200_000_u64, allowance in 0..2_000_u64) {
        event.service = Service::Voice;
        event.destination = event.destination.or_else(|| Destination::parse("21").ok());
        event.usage = seconds;
        match price(&full_tariff(), &event, allowance) {
            Ok(charge) => {
                prop_assert_eq!(charge.spans.iter().map(|span| span.units).sum::<u64>(), seconds);
                prop_assert_eq!(charge.allowance_used, allowance.min(seconds));
                prop_assert!(charge.amount >= Decimal::ZERO && charge.amount <= MAX_AMOUNT);
                let parts: Decimal = charge.connect_fee + charge.spans.iter().map(|span| span.amount).sum::<Decimal>();
                prop_assert!((parts - charge.amount).abs() <= Decimal::new(6, 5), "{charge:?}");
                prop_assert_eq!(charge.connect_fee.is_zero(), allowance >= seconds);
            }
            Err(error) => prop_assert!(matches!(error, RatingError::NoRate | RatingError::MaxCost)),
        }
    }

    #[test]
    fn a_price_is_what_reckoning_each_second_gives(event in any_event(), seconds in 0..15_000_u64, allowance in 0..200_u64) {
        let destination = event.destination.clone().or_else(|| Destination::parse("21").ok());
        let event = UsageEvent { service: Service::Voice, usage: seconds, destination, ..event };
        let priced = price(&full_tariff(), &event, allowance).map(|charge| charge.amount);
        prop_assert_eq!(priced, reckon(&event, allowance));
    }

    #[test]
    fn any_event_has_a_price_or_a_reason(event in any_event(), allowance in any::<u64>()) {
        if let Err(error) = price(&full_tariff(), &event, allowance) {
            prop_assert!(error.as_str().len() <= 32);
        }
    }

    #[test]
    fn more_usage_never_costs_less(event in any_event(), seconds in 0..100_000_u64, more in 0..100_000_u64) {
        let tariff = full_tariff();
        let cost = |usage| {
            let destination = Destination::parse("1").ok();
            price(&tariff, &UsageEvent { service: Service::Voice, usage, destination, ..event.clone() }, 0).unwrap().amount
        };
        prop_assert!(cost(seconds) <= cost(seconds + more));
    }
}
