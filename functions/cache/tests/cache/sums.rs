//! What usage and readings become.

use chrono::TimeDelta;
use millrace_domain::usage::Service;
use millrace_store_documents::UsageGrain;

use crate::world::{World, event, hour, reading};

#[tokio::test]
async fn usage_becomes_documents_by_hour_and_day_and_late_events_are_added() {
    let world = World::new().await;
    world
        .events(vec![
            event(hour(), Service::Voice, "C-1", 60),
            event(hour(), Service::Voice, "C-2", 30),
            event(hour(), Service::Data, "C-1", 1),
        ])
        .await;
    world.run().await;
    let documents = &world.cache.documents;
    let by_cell = documents.usage(UsageGrain::HourByCell, hour()).await.unwrap();
    assert_eq!(by_cell.len(), 3);
    let voice = |sums: Vec<millrace_domain::aggregates::UsageSum>| {
        sums.into_iter()
            .filter(|sum| sum.service == Service::Voice && sum.starts_at == hour())
            .map(|s| (s.events, s.usage_total.to_string(), s.amount.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        voice(documents.usage(UsageGrain::HourByService, hour()).await.unwrap()),
        [(2, "90".into(), "0.5000".into())]
    );

    world
        .events(vec![
            event(hour() - TimeDelta::days(30), Service::Sms, "C-9", 1),
            event(hour() + TimeDelta::minutes(59), Service::Voice, "C-1", 10),
        ])
        .await;
    let summary = world.run().await;
    assert_eq!(summary.usage.written, 6, "an hour, its total and its day, of the two that changed: {summary:?}");
    assert_eq!(
        voice(documents.usage(UsageGrain::HourByService, hour()).await.unwrap()),
        [(3, "100".into(), "0.7500".into())]
    );
    let days = documents.usage(UsageGrain::DayByCell, hour() - TimeDelta::days(31)).await.unwrap();
    assert_eq!(
        days.iter().filter(|day| day.cell.as_deref() == Some("C-9")).map(|day| day.events).collect::<Vec<_>>(),
        [1]
    );
    documents.clear().await.unwrap();
}

#[tokio::test]
async fn a_sensors_document_shows_its_latest_reading_and_open_alarm() {
    let world = World::new().await;
    let minute = TimeDelta::minutes(1);
    world
        .readings(vec![
            reading("S-1", hour(), 20.0),
            reading("S-1", hour() + minute, 85.0),
            reading("S-2", hour(), 30.0),
        ])
        .await;
    world.run().await;
    world.readings(vec![reading("S-1", hour() - minute, 25.0), reading("S-2", hour() + minute, 31.0)]).await;
    world.run().await;
    let sensors = world.cache.documents.sensors(10).await.unwrap();
    let seen: Vec<_> =
        sensors.iter().map(|s| (s.sensor_id.as_str(), s.temperature_c, s.measured_at, s.alarm.is_some())).collect();
    assert_eq!(
        seen,
        [("S-1", 85.0, hour() + minute, true), ("S-2", 31.0, hour() + minute, false)],
        "a late reading changes nothing"
    );
    world.cache.documents.clear().await.unwrap();
}

#[tokio::test]
async fn readings_become_documents_by_hour_and_sensor_and_late_ones_are_added() {
    let world = World::new().await;
    world
        .database
        .run("INSERT INTO sensors (sensor_id, site, latitude, longitude, critical_c) VALUES ('S-1', 'A', 0, 0, 70)")
        .await;
    let minute = TimeDelta::minutes(1);
    world
        .readings(vec![
            reading("S-1", hour(), 20.0),
            reading("S-1", hour() + minute, 30.0),
            reading("S-1", hour() + TimeDelta::hours(1), 50.0),
            reading("S-2", hour(), 10.0),
        ])
        .await;
    let summary = world.run().await;
    assert_eq!(summary.sensor_hours.written, 3);
    world.readings(vec![reading("S-1", hour() + minute * 2, 40.0)]).await;
    let summary = world.run().await;
    assert_eq!(summary.sensor_hours.written, 1, "only the hour that changed");
    let sensors = ["S-1".to_owned(), "S-2".to_owned()];
    let mut hours = world.cache.documents.sensor_hours(&sensors, hour()).await.unwrap();
    hours.sort_by(|a, b| (&a.sensor_id, a.hour).cmp(&(&b.sensor_id, b.hour)));
    let seen: Vec<_> = hours.iter().map(|h| (h.site.as_str(), h.readings, h.mean_c, h.max_c, h.critical_c)).collect();
    let expected = [("A", 3, 30.0, 40.0, Some(70.0)), ("A", 1, 50.0, 50.0, Some(70.0)), ("", 1, 10.0, 10.0, None)];
    assert_eq!(seen, expected);

    world.cache.documents.clear().await.unwrap();
    assert_eq!(world.run().await.sensor_hours.written, 3, "lost documents are written again");
    world.cache.documents.clear().await.unwrap();
}
