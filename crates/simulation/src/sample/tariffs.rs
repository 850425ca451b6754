//! The sample operator's tariffs and plans, in the form that `millrace import` reads.

use serde_json::{Value, json};

/// The versions of the four tariffs; the essential one has been raised once.
pub(super) fn tariffs() -> Value {
    json!([
        version("essential", "2024-01-01", Some("2026-07-01"), essential("0.90", "0.60")),
        version("essential", "2026-07-01", None, essential("0.96", "0.66")),
        version("youth", "2024-01-01", None, youth()),
        version("plus", "2024-01-01", None, plus()),
        version("business", "2024-01-01", None, business()),
    ])
}

/// What subscriptions buy.
pub(super) fn plans() -> Value {
    json!([
        {"plan": "essential", "description": "Essential: pay for what you use", "fee": "29.00", "tariff": "essential"},
        {"plan": "youth", "description": "Youth: cheap data and messages", "fee": "49.00", "tariff": "youth"},
        {"plan": "plus", "description": "Plus: two hours of calls and 5 GiB included", "fee": "129.00", "tariff": "plus"},
        {"plan": "business", "description": "Business: billed by the second", "fee": "199.00", "tariff": "business"},
    ])
}

fn version(name: &str, valid_from: &str, valid_to: Option<&str>, tariff: Value) -> Value {
    json!({"name": name, "valid_from": valid_from, "valid_to": valid_to, "tariff": tariff})
}

/// A tariff's frame, with calls abroad, roaming and messages, which all of them price alike.
fn tariff(mut rates: Vec<Value>, allowances: Value) -> Value {
    for (prefix, zone, price) in
        [("33", "europe", "3.20"), ("34", "europe", "3.20"), ("32", "europe", "3.60"), ("39", "europe", "3.60")]
    {
        rates.push(voice(prefix, zone, "any", "0.20", price, 60));
    }
    for (prefix, zone, price) in [("44", "europe", "3.60"), ("49", "europe", "3.60"), ("1", "america", "4.20")] {
        rates.push(voice(prefix, zone, "any", "0.20", price, 60));
    }
    rates.push(voice("", "world", "any", "0.40", "6.00", 60));
    for (service, price, per, increment) in
        [("voice", "8.00", 60, 60), ("sms", "3.00", 1, 1), ("data", "1.50", 1_048_576, 102_400)]
    {
        rates.push(json!({
            "service": service, "prefix": "", "timing": "any", "roaming": true, "weight": 10, "connect_fee": "0",
            "steps": [{"from": 0, "price": price, "per": per, "increment": increment}],
            "zone": "roaming", "rounding": "half_up", "decimals": 4,
        }));
    }
    json!({
        "currency": "MAD",
        "timezone": "Africa/Casablanca",
        "timings": {
            "any": {},
            "peak": {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00"},
        },
        "rates": rates,
        "allowances": allowances,
    })
}

fn essential(peak: &str, off_peak: &str) -> Value {
    tariff(
        vec![
            voice("212", "national", "any", "0.10", off_peak, 60),
            weighted(voice("212", "national", "peak", "0.10", peak, 60), 20),
            sms("212", "national", "0.40"),
            sms("", "world", "1.60"),
            data("0.20"),
        ],
        json!([]),
    )
}

fn youth() -> Value {
    tariff(
        vec![
            voice("212", "national", "any", "0", "0.80", 30),
            sms("212", "national", "0.10"),
            sms("", "world", "1.20"),
            data("0.05"),
        ],
        json!([]),
    )
}

fn plus() -> Value {
    tariff(
        vec![
            voice("212", "national", "any", "0.10", "0.50", 60),
            weighted(voice("212", "national", "peak", "0.10", "0.70", 60), 20),
            sms("212", "national", "0.20"),
            sms("", "world", "1.20"),
            data("0.08"),
        ],
        json!([{"service": "voice", "amount": 7_200}, {"service": "data", "amount": 5_368_709_120_u64}]),
    )
}

fn business() -> Value {
    tariff(
        vec![
            voice("212", "national", "any", "0", "0.45", 1),
            sms("212", "national", "0.15"),
            sms("", "world", "1.00"),
            data("0.04"),
        ],
        json!([]),
    )
}

/// A call's rate by the minute; the first `increment` seconds are charged whole, what follows by the second.
fn voice(prefix: &str, zone: &str, timing: &str, connect_fee: &str, price: &str, increment: u32) -> Value {
    let mut steps = vec![json!({"from": 0, "price": price, "per": 60, "increment": increment})];
    if increment > 1 {
        steps.push(json!({"from": increment, "price": price, "per": 60, "increment": 1}));
    }
    json!({
        "service": "voice", "prefix": prefix, "timing": timing, "roaming": false, "weight": 10, "connect_fee": connect_fee,
        "steps": steps, "zone": zone, "rounding": "half_up", "decimals": 4,
    })
}

fn sms(prefix: &str, zone: &str, price: &str) -> Value {
    json!({
        "service": "sms", "prefix": prefix, "timing": "any", "roaming": false, "weight": 10, "connect_fee": "0",
        "steps": [{"from": 0, "price": price, "per": 1, "increment": 1}], "zone": zone, "rounding": "half_up", "decimals": 4,
    })
}

/// Data by the MiB, in steps of 10 KiB.
fn data(price: &str) -> Value {
    json!({
        "service": "data", "prefix": "", "timing": "any", "roaming": false, "weight": 10, "connect_fee": "0",
        "steps": [{"from": 0, "price": price, "per": 1_048_576, "increment": 10_240}],
        "zone": "data", "rounding": "half_up", "decimals": 4,
    })
}

fn weighted(mut rate: Value, weight: u32) -> Value {
    rate["weight"] = json!(weight);
    rate
}
