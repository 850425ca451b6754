//! Records of the three topics: what is accepted, and which field a reject names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use millrace_wire::usage::Limits;
use millrace_wire::{Rejection, Topic, customers, sensors, usage};

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn decode(topic: Topic, json: &[u8]) -> Result<String, Rejection> {
    match topic {
        Topic::UsageEvents => usage::decode(json, now(), &Limits::default()).map(|event| format!("{event:?}")),
        Topic::SensorReadings => sensors::decode(json, now()).map(|reading| format!("{reading:?}")),
        Topic::Customers => customers::decode(json, now()).map(|customer| format!("{customer:?}")),
    }
}

fn record(topic: Topic) -> Value {
    match topic {
        Topic::UsageEvents => json!({
            "event_id": "3f2c1e0a-1111-4222-8333-444455556666", "service": "voice", "subscriber": "212600000001",
            "destination": "+212700000002", "started_at": "2026-11-21T11:59:00.123987+01:00", "usage": 61, "cell": "C-1",
            "roaming": true, "something": {"else": [1, 2]}
        }),
        Topic::SensorReadings => json!({
            "sensor_id": "s-1", "measured_at": "2026-11-21T11:59:00Z", "temperature_c": 21.5, "humidity_pct": 40,
            "latitude": 33.5, "longitude": -7.6
        }),
        Topic::Customers => json!({
            "customer_id": "c-1", "observed_at": "2026-11-21T00:00:00Z", "state": "KS", "account_length": 128, "area_code": 415,
            "international_plan": "No", "voice_mail_plan": "Yes", "number_vmail_messages": 25, "total_day_minutes": 265.1,
            "total_day_calls": 110, "total_day_charge": 45.07, "total_eve_minutes": 197.4, "total_eve_calls": 99,
            "total_eve_charge": 16.78, "total_night_minutes": 244.7, "total_night_calls": 91, "total_night_charge": 11.01,
            "total_intl_minutes": 10.0, "total_intl_calls": 3, "total_intl_charge": 2.7, "customer_service_calls": 1, "churn": false
        }),
    }
}

/// The field that a record is refused for once `field` is `value`; `None` takes it out. Empty when it is accepted.
fn refused_for(topic: Topic, field: &str, value: impl Into<Option<Value>>) -> String {
    let mut record = record(topic);
    let fields = record.as_object_mut().unwrap();
    match value.into() {
        Some(value) => fields.insert(field.to_owned(), value),
        None => fields.remove(field),
    };
    match decode(topic, record.to_string().as_bytes()) {
        Ok(_) => String::new(),
        Err(rejection) => {
            assert!(
                rejection.field.len() <= 64 && rejection.reason.chars().count() <= 400 && !rejection.reason.is_empty()
            );
            rejection.field.into_owned()
        }
    }
}

fn accepts(topic: Topic, field: &str, values: &[Value]) {
    for value in values {
        assert_eq!(refused_for(topic, field, value.clone()), "", "{topic} {field} {value}");
    }
}

fn refuses(topic: Topic, field: &str, values: &[Value]) {
    for value in values {
        assert_eq!(refused_for(topic, field, value.clone()), field, "{topic} {field} {value}");
    }
}

#[test]
fn a_usage_event_is_read_field_by_field() {
    let event = usage::decode(record(Topic::UsageEvents).to_string().as_bytes(), now(), &Limits::default()).unwrap();
    assert_eq!(event.event_id.to_string(), "3f2c1e0a-1111-4222-8333-444455556666");
    assert_eq!(event.started_at.to_rfc3339(), "2026-11-21T10:59:00.123+00:00");
    assert_eq!((event.destination.unwrap().digits(), event.usage, event.roaming), ("212700000002", 61, true));
}

#[test]
fn a_missing_field_is_named_and_an_optional_one_is_not_missed() {
    let optional = ["cell", "roaming", "humidity_pct", "latitude", "longitude", "churn", "something"];
    for topic in Topic::ALL {
        for field in record(topic).as_object().unwrap().keys() {
            let expected = if optional.contains(&field.as_str()) { "" } else { field };
            assert_eq!(refused_for(topic, field, None), expected, "{topic} without {field}");
            assert_eq!(refused_for(topic, field, Value::Null), expected, "{topic} with null for {field}");
        }
    }
}

#[test]
fn the_rules_of_usage_events_hold() {
    let topic = Topic::UsageEvents;
    accepts(topic, "event_id", &[json!("3F2C1E0A-1111-4222-8333-444455556666")]);
    refuses(topic, "event_id", &[json!(""), json!("x"), json!(5), json!("3f2c1e0a-1111-4222-8333-44445555666")]);
    refuses(topic, "service", &[json!("Voice"), json!("mms"), json!(1)]);
    accepts(topic, "subscriber", &[json!("123456"), json!("123456789012345")]);
    refuses(
        topic,
        "subscriber",
        &[json!("12345"), json!("1234567890123456"), json!("+21260000"), json!("2126٣0000"), json!(212600000001_u64)],
    );
    accepts(topic, "destination", &[json!("1"), json!("+12345678901234567890")]);
    refuses(
        topic,
        "destination",
        &[json!(""), json!("+"), json!("123456789012345678901"), json!("++1"), json!("12a"), json!([])],
    );
    accepts(
        topic,
        "usage",
        &[json!(0), json!("12"), json!(12.0), json!("12.0"), json!(1e15), json!("1e3"), json!(-0.0)],
    );
    refuses(
        topic,
        "usage",
        &[
            json!(-1),
            json!(1.5),
            json!("1.5"),
            json!(1_000_000_000_000_001_u64),
            json!("NaN"),
            json!(""),
            json!("1 "),
            json!(true),
            json!({}),
        ],
    );
    accepts(topic, "cell", &[json!("x".repeat(32)), json!("é".repeat(32)), json!("a b")]);
    refuses(topic, "cell", &[json!(""), json!(" a"), json!("a "), json!("x".repeat(33)), json!(7)]);
    accepts(topic, "roaming", &[json!(false)]);
    refuses(topic, "roaming", &[json!("true"), json!(1), json!("")]);
}

#[test]
fn data_has_no_destination_whatever_the_record_says() {
    let mut record = record(Topic::UsageEvents);
    record["service"] = json!("data");
    for destination in [json!("+212700000002"), json!({"not": "digits"}), Value::Null] {
        record["destination"] = destination;
        let event = usage::decode(record.to_string().as_bytes(), now(), &Limits::default()).unwrap();
        assert_eq!(event.destination, None);
    }
}

#[test]
fn times_are_held_against_the_brokers_clock() {
    for (topic, field) in
        [(Topic::UsageEvents, "started_at"), (Topic::SensorReadings, "measured_at"), (Topic::Customers, "observed_at")]
    {
        accepts(
            topic,
            field,
            &[
                json!("2026-11-21T12:05:00.000999Z"),
                json!("2026-11-21t12:00:00+00:00"),
                json!("2026-11-21T13:00:00.5+01:00"),
            ],
        );
        refuses(
            topic,
            field,
            &[
                json!("2026-11-21T12:05:00.001Z"),
                json!("2026-11-21T12:00:00"),
                json!("2026-11-21"),
                json!("2026-02-30T00:00:00Z"),
            ],
        );
        refuses(
            topic,
            field,
            &[json!(1_764_000_000), json!(""), json!("0000-01-01T00:00:00Z"), json!("0999-12-31T23:59:59Z")],
        );
    }
    accepts(Topic::UsageEvents, "started_at", &[json!("2025-10-17T12:00:00Z")]);
    refuses(Topic::UsageEvents, "started_at", &[json!("2025-10-17T11:59:59.999Z")]);
    accepts(Topic::SensorReadings, "measured_at", &[json!("1999-12-31T23:59:60Z")]);
}

#[test]
fn the_rules_of_readings_hold() {
    let topic = Topic::SensorReadings;
    accepts(topic, "sensor_id", &[json!("x".repeat(64))]);
    refuses(topic, "sensor_id", &[json!(""), json!("x".repeat(65)), json!(" s"), json!("s ")]);
    accepts(topic, "temperature_c", &[json!(-90), json!("200"), json!("2.15e1")]);
    refuses(
        topic,
        "temperature_c",
        &[json!(-90.1), json!(200.5), json!("hot"), json!("inf"), json!("nan"), json!("1e999"), json!(false)],
    );
    refuses(topic, "humidity_pct", &[json!(-1), json!(101), json!("")]);
    refuses(topic, "latitude", &[json!(91), json!("-91")]);
    refuses(topic, "longitude", &[json!(181), json!([1])]);
}

#[test]
fn the_rules_of_customers_hold() {
    let topic = Topic::Customers;
    refuses(topic, "state", &[json!(""), json!("123456789"), json!(5)]);
    refuses(topic, "account_length", &[json!(-1), json!(1.5), json!(1_000_001), json!("")]);
    accepts(topic, "international_plan", &[json!(true), json!("Yes"), json!("No")]);
    refuses(topic, "voice_mail_plan", &[json!("yes"), json!(""), json!("true"), json!(1)]);
    accepts(topic, "total_intl_charge", &[json!("1000000"), json!(0)]);
    refuses(topic, "total_intl_charge", &[json!(-0.01), json!(1_000_000.1)]);
    accepts(topic, "churn", &[json!(""), json!("True"), json!("false"), json!(true)]);
    refuses(topic, "churn", &[json!("False."), json!("TRUE"), json!(0)]);
}

#[test]
fn what_is_no_object_of_json_is_refused_as_a_whole() {
    for bytes in [
        &b""[..],
        b" ",
        b"null",
        b"[]",
        b"7",
        b"\"x\"",
        b"{",
        b"{}x",
        b"{\"a\":1,}",
        b"\xff\xfe",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        &[b'['; 100_000],
    ] {
        for topic in Topic::ALL {
            assert_eq!(decode(topic, bytes).unwrap_err().field, "value");
        }
    }
}

#[test]
fn a_field_that_stands_twice_is_named() {
    let twice = br#"{"event_id":"3f2c1e0a-1111-4222-8333-444455556666","usage":1,"usage":1}"#;
    assert_eq!(decode(Topic::UsageEvents, twice).unwrap_err().field, "usage");
}

#[test]
fn escapes_and_deep_unknown_fields_are_no_hindrance() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = record(Topic::UsageEvents).to_string();
    let text =
        text.replace("\"C-1\"", r#""\u0043-\u00e9""#).replace("\"usage\"", r#""\u0075sage""#).replace("[1,2]", &deep);
    let event = usage::decode(text.as_bytes(), now(), &Limits::default()).unwrap();
    assert_eq!((event.cell.unwrap().as_str(), event.usage), ("C-é", 61));
    let lone = record(Topic::UsageEvents).to_string().replace("\"C-1\"", r#""\ud800""#);
    assert_eq!(decode(Topic::UsageEvents, lone.as_bytes()).unwrap_err().field, "cell");
}

#[test]
fn the_retention_is_a_setting() {
    let event = record(Topic::UsageEvents).to_string();
    let limits = Limits { retention: TimeDelta::minutes(60) };
    assert_eq!(usage::decode(event.as_bytes(), now(), &limits).unwrap_err().field, "started_at");
}

#[test]
fn the_key_of_a_record_is_its_key_field() {
    assert_eq!(Topic::SensorReadings.key_of(br#"{"sensor_id":"s-1"}"#).as_deref(), Some("s-1"));
    assert_eq!(Topic::SensorReadings.key_of(br#"{"sensor_id":5}"#), None);
    assert_eq!(Topic::SensorReadings.key_of(b"{broken"), None);
}

#[test]
fn what_was_encoded_decodes_as_it_was() {
    for topic in Topic::ALL {
        let json = record(topic).to_string();
        let again = match topic {
            Topic::UsageEvents => usage::encode(&usage::decode(json.as_bytes(), now(), &Limits::default()).unwrap()),
            Topic::SensorReadings => sensors::encode(&sensors::decode(json.as_bytes(), now()).unwrap()),
            Topic::Customers => customers::encode(&customers::decode(json.as_bytes(), now()).unwrap()),
        };
        assert_eq!(decode(topic, json.as_bytes()), decode(topic, &again));
    }
}
