//! Tariff files: what makes one bad, by path.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use millrace_domain::usage::Service;
use millrace_wire::tariff;

fn file() -> Value {
    json!({
        "currency": "MAD", "timezone": "Africa/Casablanca",
        "timings": {"any": {}, "peak": {"weekdays": ["mon", "tue"], "from": "08:00", "to": "24:00", "months": [1, 12], "month_days": [31], "years": [2026]}},
        "rates": [
            {"service": "voice", "prefix": "+1003", "timing": "peak", "roaming": false, "weight": 20, "connect_fee": "0.20",
             "steps": [{"from": 0, "price": "1.20", "per": 60, "increment": 60}, {"from": 120, "price": "0", "per": 1, "increment": 1}],
             "max_cost": "10", "after_max": "free", "zone": "national", "rounding": "up", "decimals": 4},
            {"service": "data", "prefix": "", "timing": "any", "weight": 10, "connect_fee": "0",
             "steps": [{"from": 0, "price": "0.05", "per": 1048576, "increment": 1024}], "rounding": "half_up", "decimals": 2}
        ],
        "allowances": [{"service": "voice", "amount": 60}]
    })
}

/// The paths that a file is refused for once `pointer` is `value`; a null takes the member out.
fn wrong(pointer: &str, value: Value) -> Vec<String> {
    let mut file = file();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match file.pointer_mut(parent).unwrap() {
        Value::Object(members) if value.is_null() => drop(members.remove(name)),
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{parent} has no members"),
    }
    match tariff::parse(file.to_string().as_bytes()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.path).collect(),
    }
}

#[test]
fn a_file_is_read_and_written_as_the_same_tariff() {
    let tariff = tariff::parse(file().to_string().as_bytes()).unwrap();
    assert_eq!((tariff.allowance(Service::Voice), tariff.allowance(Service::Sms)), (60, 0));
    let written = tariff::write(&tariff);
    assert_eq!(tariff::parse(written.as_bytes()).unwrap(), tariff);
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), file());
}

#[test]
fn every_wrong_field_is_named_by_its_path() {
    let checks = [
        ("/currency", json!("mad"), "currency"),
        ("/timezone", json!("Africa/Casa"), "timezone"),
        ("/timings", json!([]), "timings"),
        ("/timings/peak/weekdays/1", json!("Tuesday"), "timings.peak.weekdays[1]"),
        ("/timings/peak/weekdays", json!([]), "timings.peak.weekdays"),
        ("/timings/peak/from", json!("24:00"), "timings.peak.from"),
        ("/timings/peak/from", json!("8:00"), "timings.peak.from"),
        ("/timings/peak/to", json!("08:00"), "timings.peak.to"),
        ("/timings/peak/to", json!("24:01"), "timings.peak.to"),
        ("/timings/peak/months", json!([13]), "timings.peak.months"),
        ("/timings/peak/month_days", json!([0]), "timings.peak.month_days"),
        ("/timings/peak/month_days", json!([5_000_000_000_u64]), "timings.peak.month_days"),
        ("/timings/peak/years/0", json!("2026"), "timings.peak.years[0]"),
        ("/timings/peak/until", json!("10:00"), "timings.peak.until"),
        ("/rates", json!({}), "rates"),
        ("/rates/0/service", json!("mms"), "rates[0].service"),
        ("/rates/0/prefix", json!("10a"), "rates[0].prefix"),
        ("/rates/0/prefix", Value::Null, "rates[0].prefix"),
        ("/rates/1/timing", json!("never"), "rates[1].timing"),
        ("/rates/0/roaming", json!("no"), "rates[0].roaming"),
        ("/rates/0/weight", json!(1.5), "rates[0].weight"),
        ("/rates/0/connect_fee", json!(0.2), "rates[0].connect_fee"),
        ("/rates/0/connect_fee", json!("-0.1"), "rates[0].connect_fee"),
        ("/rates/0/connect_fee", json!("1e3"), "rates[0].connect_fee"),
        ("/rates/0/connect_fee", json!("0.00000000000000000000000000001"), "rates[0].connect_fee"),
        ("/rates/0/steps", json!([]), "rates[0].steps"),
        ("/rates/1/steps/0/from", json!(1), "rates[1].steps[0].from"),
        ("/rates/0/steps/1/from", json!(0), "rates[0].steps[1].from"),
        ("/rates/0/steps/1/from", json!(90), "rates[0].steps[0].increment"),
        ("/rates/0/steps/0/per", json!(0), "rates[0].steps[0].per"),
        ("/rates/0/steps/0/increment", json!(0), "rates[0].steps[0].increment"),
        ("/rates/0/steps/0/price", json!("2000000000000"), "rates[0].steps[0].price"),
        ("/rates/0/max_cost", Value::Null, "rates[0].max_cost"),
        ("/rates/0/after_max", Value::Null, "rates[0].after_max"),
        ("/rates/0/after_max", json!("stop"), "rates[0].after_max"),
        ("/rates/0/zone", json!("z".repeat(65)), "rates[0].zone"),
        ("/rates/0/zone", json!(""), "rates[0].zone"),
        ("/rates/0/rounding", json!("even"), "rates[0].rounding"),
        ("/rates/0/decimals", json!(5), "rates[0].decimals"),
        ("/rates/0/note", json!("x"), "rates[0].note"),
        ("/rates/1/steps/0/price", json!("0.00000000000000000001"), "rates[1].steps"),
        ("/allowances/0/amount", json!(-1), "allowances[0].amount"),
        ("/name", json!("x"), "name"),
    ];
    for (pointer, value, path) in checks {
        assert_eq!(wrong(pointer, value.clone()), [path], "{pointer} {value}");
    }
}

#[test]
fn whatever_is_wrong_is_named_at_once() {
    let rate = |weight: Value, rounding: Value| {
        json!({"service": "sms", "prefix": "33", "timing": "any", "weight": weight, "connect_fee": "0",
               "steps": [{"from": 0, "price": "1", "per": 1, "increment": 1}], "rounding": rounding, "decimals": 2})
    };
    let file = json!({
        "currency": "mad", "timezone": "Africa/Casa", "name": "x",
        "timings": {
            "any": {}, "night": {"from": "8:00", "months": [1, "2", 13]},
            "dusk": {"weekdays": ["sunday"], "from": "20:00", "to": "19:00"},
        },
        "rates": [
            {"service": "voice", "prefix": "10a", "timing": "night", "weight": 1, "connect_fee": "-0.1",
             "steps": [{"from": 0, "price": "1", "per": 60, "increment": 60}, {"from": 90, "price": 1, "per": 0, "increment": 1}],
             "max_cost": "-1", "rounding": "even", "decimals": 5},
            {"service": "data", "prefix": "", "timing": "noon", "weight": "high", "connect_fee": "0",
             "steps": [], "zone": "", "rounding": "up", "decimals": 2},
            rate(json!(1), json!("up")),
            rate(json!(1), json!(null)),
            rate(json!("1"), json!("up")),
            // No unit is small enough for its price, whatever the rates above.
            {"service": "sms", "prefix": "44", "timing": "any", "weight": 1, "connect_fee": "0",
             "steps": [{"from": 0, "price": "0.00000000000000000000001", "per": 1, "increment": 1}], "rounding": "up", "decimals": 2},
        ],
        "allowances": [{"service": "voice", "amount": "60"}, {"service": "voice", "amount": 60}]
    });
    let errors = tariff::parse(file.to_string().as_bytes()).unwrap_err();
    let mut paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "allowances[0].amount",
            "allowances[1].service",
            "currency",
            "name",
            "rates[0].after_max",
            "rates[0].connect_fee",
            "rates[0].decimals",
            "rates[0].max_cost",
            "rates[0].prefix",
            "rates[0].rounding",
            "rates[0].steps[0].increment",
            "rates[0].steps[1].per",
            "rates[0].steps[1].price",
            "rates[1].steps",
            "rates[1].timing",
            "rates[1].weight",
            "rates[1].zone",
            "rates[3].rounding",
            "rates[3].timing",
            "rates[4].weight",
            "rates[5].steps",
            "timezone",
            "timings.dusk.to",
            "timings.dusk.weekdays[0]",
            "timings.night.from",
            "timings.night.months",
            "timings.night.months[1]",
        ],
        "{errors:#?}"
    );
}

#[test]
fn nothing_is_said_of_what_follows_from_a_field_that_cannot_be_read() {
    let step = |from: Value| json!({"from": from, "price": "1", "per": 1, "increment": 60});
    let any_voice = file()["rates"][0].clone();
    let unknown_service = |mut rate: Value| {
        rate["service"] = json!("mms");
        rate
    };
    let checks = [
        ("/timings", Value::Null, "timings"),
        ("/timings/peak", json!("08:00-24:00"), "timings.peak"),
        ("/timings/peak/months", json!(["x"]), "timings.peak.months[0]"),
        ("/rates/0", json!("free"), "rates[0]"),
        ("/rates/0/timing", json!(1), "rates[0].timing"),
        ("/rates/0/max_cost", json!(10), "rates[0].max_cost"),
        ("/rates/0/steps/1", json!([]), "rates[0].steps[1]"),
        // 130 is no multiple of 60 above 0, but may be above what stands before it.
        ("/rates/0/steps", json!([step(json!(0)), step(json!("60")), step(json!(130))]), "rates[0].steps[1].from"),
        ("/rates", json!([any_voice.clone(), unknown_service(any_voice)]), "rates[1].service"),
        (
            "/allowances",
            json!([{"service": "mms", "amount": 1}, {"service": "voice", "amount": 1}]),
            "allowances[0].service",
        ),
        ("/allowances", json!([7, {"service": "voice", "amount": 1}]), "allowances[0]"),
    ];
    for (pointer, value, path) in checks {
        assert_eq!(wrong(pointer, value.clone()), [path], "{pointer} {value}");
    }
}

#[test]
fn rates_that_could_claim_one_event_make_the_file_bad() {
    let rate = |timing: &str, weight: i32, prefix: &str, roaming: Value| {
        json!({"service": "voice", "prefix": prefix, "timing": timing, "roaming": roaming, "weight": weight, "connect_fee": "0",
               "steps": [{"from": 0, "price": "1", "per": 1, "increment": 1}], "rounding": "up", "decimals": 2})
    };
    let refused = |first: Value, second: Value| {
        let timings = json!({"any": {}, "morning": {"to": "12:00"}, "afternoon": {"from": "12:00"}, "sunday": {"weekdays": ["sun"]},
                             "thursdays": {"years": [2026], "months": [1], "month_days": [1, 8]}});
        let file = json!({"currency": "MAD", "timezone": "UTC", "timings": timings, "rates": [first, second]});
        tariff::parse(file.to_string().as_bytes()).is_err_and(|errors| errors[0].path == "rates[1].timing")
    };
    let null = Value::Null;
    assert!(refused(rate("any", 1, "2", null.clone()), rate("morning", 1, "2", null.clone())));
    assert!(refused(rate("any", 1, "+2", null.clone()), rate("any", 1, "2", null.clone())));
    assert!(refused(rate("sunday", 1, "2", null.clone()), rate("morning", 1, "2", null.clone())));
    assert!(
        refused(rate("any", 1, "2", null.clone()), rate("any", 1, "2", json!(true))),
        "a roaming event would match both"
    );
    assert!(!refused(rate("morning", 1, "2", null.clone()), rate("afternoon", 1, "2", null.clone())));
    assert!(!refused(rate("sunday", 1, "2", null.clone()), rate("thursdays", 1, "2", null.clone())));
    assert!(!refused(rate("any", 1, "2", null.clone()), rate("any", 2, "2", null.clone())));
    assert!(!refused(rate("any", 1, "2", null.clone()), rate("any", 1, "21", null)));
    assert!(!refused(rate("any", 1, "2", json!(true)), rate("any", 1, "2", json!(false))));
}

#[test]
fn doubled_keys_and_what_is_no_json_are_refused() {
    let text = file().to_string();
    let doubled = text.replacen("\"currency\":\"MAD\"", "\"currency\":\"MAD\",\"currency\":\"EUR\"", 1);
    assert_eq!(tariff::parse(doubled.as_bytes()).unwrap_err()[0].path, "currency");
    let doubled = text.replacen("\"any\":{}", "\"any\":{},\"any\":{}", 1);
    assert_eq!(tariff::parse(doubled.as_bytes()).unwrap_err()[0].path, "timings.any");
    for bytes in [&b""[..], b"7", b"{", b"\xff"] {
        assert_eq!(tariff::parse(bytes).unwrap_err()[0].path, "tariff");
    }
}
