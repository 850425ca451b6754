//! How fast one core reads a batch: `cargo run --release -p millrace-wire --example decode_speed`.

use std::hint::black_box;
use std::time::Instant;

use chrono::{DateTime, Utc};

use millrace_domain::identity::{CellId, Destination, Msisdn};
use millrace_domain::rating::price;
use millrace_domain::usage::{Service, UsageEvent};
use millrace_wire::batch::{Envelope, KafkaBatch, OutgoingPartition, OutgoingRecord, write_batch};
use millrace_wire::{tariff, usage};

const EVENTS: u64 = 10_000;
const ROUNDS: u32 = 50;

const TARIFF: &[u8] = br#"{
  "currency": "MAD", "timezone": "Africa/Casablanca",
  "timings": { "any": {}, "peak": {"weekdays": ["mon","tue","wed","thu","fri"], "from": "08:00", "to": "19:00"} },
  "rates": [
    {"service": "voice", "prefix": "212", "timing": "any", "weight": 10, "connect_fee": "0.10",
     "steps": [{"from": 0, "price": "0.60", "per": 60, "increment": 60}, {"from": 60, "price": "0.60", "per": 60, "increment": 1}],
     "rounding": "up", "decimals": 4},
    {"service": "voice", "prefix": "212", "timing": "peak", "weight": 20, "connect_fee": "0.10",
     "steps": [{"from": 0, "price": "1.20", "per": 60, "increment": 60}, {"from": 60, "price": "1.20", "per": 60, "increment": 1}],
     "rounding": "up", "decimals": 4}
  ]
}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse()?;
    let mut records = Vec::new();
    for number in 0..EVENTS {
        let event = UsageEvent {
            event_id: uuid::Uuid::from_u64_pair(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number),
            service: Service::Voice,
            subscriber: Msisdn::parse(&format!("2126{number:08}"))?,
            destination: Some(Destination::parse(&format!("2127{number:08}"))?),
            started_at: now - chrono::TimeDelta::milliseconds(number as i64 * 977),
            usage: number % 900,
            cell: Some(CellId::parse(&format!("CASA-{:03}", number % 300))?),
            roaming: number % 50 == 0,
        };
        let key = Some(event.subscriber.as_str().into());
        let record = OutgoingRecord {
            offset: number as i64,
            timestamp_ms: now.timestamp_millis(),
            key,
            ..OutgoingRecord::default()
        };
        records.push(OutgoingRecord { value: Some(usage::encode(&event)), ..record });
    }
    let envelope = Envelope { event_source_arn: "arn", bootstrap_servers: "127.0.0.1:9092" };
    let write =
        || write_batch(&envelope, &[OutgoingPartition { topic: "usage-events", partition: 0, records: &records }]);
    let payload = write();
    println!("{EVENTS} events, {} bytes of payload; ns an event:", payload.len());
    measure("write the batch", || {
        black_box(write());
    });
    measure("parse the batch", || {
        black_box(KafkaBatch::parse(black_box(&payload)).ok());
    });
    let batch = KafkaBatch::parse(&payload)?;
    let limits = usage::Limits::default();
    let mut buffer = Vec::new();
    let mut events = Vec::new();
    measure("decode base64 and event", || {
        events.clear();
        for record in batch.partitions.iter().flat_map(|partition| &partition.records) {
            let event = record.value_into(&mut buffer).and_then(|json| usage::decode(json, record.timestamp, &limits));
            events.extend(event);
        }
    });
    assert_eq!(events.len() as u64, EVENTS, "every event is accepted");
    let tariff = tariff::parse(TARIFF).map_err(|errors| format!("{errors:?}"))?;
    measure("price", || {
        for event in &events {
            black_box(price(&tariff, event, 0).ok());
        }
    });
    Ok(())
}

fn measure(what: &str, mut work: impl FnMut()) {
    work();
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    println!("  {what}: {:.0}", begin.elapsed().as_nanos() as f64 / f64::from(ROUNDS) / EVENTS as f64);
}
