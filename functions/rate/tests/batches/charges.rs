//! What events cost, and why some have no price yet.

use crate::support::{Fixture, TOPIC, event, now, values};
use chrono::{TimeZone, Utc};
use millrace_domain::identity::{Destination, Msisdn};
use millrace_domain::usage::UsageEvent;
use millrace_store_mysql::batch::{Incoming, Original, Originals, Record, Source};
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::usage::store;
use millrace_wire::{tariff, usage};

/// No record is refused here.
struct NoRejects;

impl Originals for NoRejects {
    fn original(&self, offset: u64) -> Original {
        panic!("the record at {offset} was refused")
    }
}

async fn charges(fixture: &Fixture) -> Vec<String> {
    fixture
        .database
        .texts(
            "SELECT CONCAT_WS(' ', account_id, zone, COALESCE(amount, '-'), COALESCE(currency, '-'), rating_error) \
             FROM bi_usage_events ORDER BY started_at DESC, event_id",
        )
        .await
}

#[tokio::test]
async fn an_event_is_stored_with_its_charge() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, 0, now(), &values([1])).await;
    assert_eq!(charges(&fixture).await, ["A-1 national 1.2000 MAD "]);
    assert_eq!(
        fixture.events().await,
        [
            "00000000000000000000000000001001 2026-11-20 11:59:59.000 2026-11-20 1 212600000001 +212611111111 60 CASA-0001 0 1 1 national 1.2000 MAD "
        ]
    );
}

#[tokio::test]
async fn an_event_without_a_price_keeps_the_reason() {
    let fixture = Fixture::new().await;
    let mut stranger = event(1);
    stranger.subscriber = Msisdn::parse("212699999999").unwrap();
    let mut abroad = event(2);
    abroad.destination = Some(Destination::parse("+33123456789").unwrap());
    fixture.deliver(0, 0, now(), &[usage::encode(&stranger), usage::encode(&abroad)]).await;
    assert_eq!(charges(&fixture).await, ["  - - no_subscription", "A-1  - - no_rate"]);
    assert_eq!(fixture.ledger().await, ["0: 0 2 0 2 0 0"], "they are stored like any other");
}

#[tokio::test]
async fn without_an_operator_events_are_kept_unrated() {
    let fixture = Fixture::without_operator().await;
    fixture.deliver(0, 0, now(), &values([1])).await;
    assert_eq!(charges(&fixture).await, ["  - - no_subscription"]);
}

#[tokio::test]
async fn a_batch_tells_how_many_events_it_could_not_price() {
    let fixture = Fixture::new().await;
    let unrated = async |first_offset: u64, events: Vec<UsageEvent>| {
        let source = Source { topic: TOPIC, partition: 0, records: events.len() };
        let record = |(offset, event)| Record { offset, recorded_at: now(), content: Ok(event) };
        let records = (first_offset..).zip(events).map(record).collect();
        let reference = ReferenceCache::new(tariff::parse_stored);
        store(&fixture.pool, &reference, source, Incoming::ready(records), &NoRejects).await.unwrap().unrated
    };
    let stranger = |n: u32| UsageEvent { subscriber: Msisdn::parse("212699999999").unwrap(), ..event(n) };
    assert_eq!(unrated(0, vec![event(1), stranger(2), stranger(3)]).await, 2);
    assert_eq!(unrated(0, vec![event(1), stranger(2), stranger(3)]).await, 0, "delivered again");
    assert_eq!(unrated(3, vec![event(4), event(1)]).await, 0);
}

#[tokio::test]
async fn an_import_holds_from_the_next_batch_on() {
    let fixture = Fixture::new().await;
    fixture.deliver(0, 0, now(), &values([1])).await;
    fixture.import_tariffs(&[("standard", "2025-01-01", None, "0.60")]).await;
    fixture.deliver(0, 1, now(), &values([2])).await;
    fixture.subscribe("212600000001", "2025-01-01", Some("2026-01-01")).await;
    fixture.deliver(0, 2, now(), &values([3])).await;
    assert_eq!(
        charges(&fixture).await,
        ["A-1 national 1.2000 MAD ", "A-1 national 0.6000 MAD ", "  - - no_subscription"]
    );
}

#[tokio::test]
async fn the_version_in_force_at_the_start_of_an_event_prices_it() {
    let fixture = Fixture::new().await;
    // In Casablanca, midnight is 23:00 UTC of the day before.
    fixture
        .import_tariffs(&[
            ("standard", "2025-01-01", Some("2026-11-20"), "1.20"),
            ("standard", "2026-11-20", Some("2026-11-21"), "2.40"),
        ])
        .await;
    let mut events = Vec::new();
    for (n, at) in [(1, (19, 22, 59)), (2, (19, 23, 0)), (3, (20, 11, 0))] {
        let mut event = event(n);
        event.started_at = Utc.with_ymd_and_hms(2026, 11, at.0, at.1, at.2, 0).unwrap();
        events.push(usage::encode(&event));
    }
    fixture.deliver(0, 0, now(), &events).await;
    assert_eq!(
        charges(&fixture).await,
        ["A-1 national 2.4000 MAD ", "A-1 national 2.4000 MAD ", "A-1 national 1.2000 MAD "]
    );
    let mut late = event(4);
    late.started_at = Utc.with_ymd_and_hms(2026, 11, 20, 23, 30, 0).unwrap();
    fixture.deliver(0, 3, late.started_at, &[usage::encode(&late)]).await;
    assert_eq!(charges(&fixture).await[0], "A-1  - - no_rate", "between versions there is none");
}
