//! A small operator with allowances, whose accounts' cycles begin on two days of the month.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use millrace_test_support::stack::Stack;
use serde_json::{Value, json};

use crate::database::Views;

/// The operator's clock.
pub const TIMEZONE: &str = "Africa/Casablanca";

const NUMBERS: u64 = 24;
const EVENTS: u64 = 3_000;
const CUSTOMERS: u64 = 200;
/// How far back its events reach: three cycles.
const DAYS: i64 = 80;

/// Files to import and to replay.
pub struct Operator {
    folder: tempfile::TempDir,
    /// Events by their id.
    events: HashMap<String, String>,
}

impl Operator {
    /// Makes its files. Every sixth number has no account, the first customer has two with other cycles, and messages abroad have
    /// no price.
    pub fn of_two_cycle_days() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let now = Utc::now();
        let mut accounts = "account_id,name,segment,city,cycle_day,tax_exempt,customer_id\n".to_owned();
        let mut subscriptions = "msisdn,active_from,account_id,plan,active_to\n".to_owned();
        for n in (0..NUMBERS).filter(|n| n % 6 != 5) {
            let (cycle_day, customer) = (if n.is_multiple_of(2) { 1 } else { 15 }, if n == 7 { 0 } else { n });
            let _ = writeln!(accounts, "A-{n},Customer {n},,,{cycle_day},false,C-{customer}");
            let _ = writeln!(subscriptions, "{},2020-01-01,A-{n},basic,", number(n));
        }
        let lines: Vec<(String, Value)> = (0..EVENTS).map(|n| event(n, now)).collect();
        let (tariff, dearer) = (tariff("0.60"), tariff("0.7777"));
        let files = [
            ("operator.json", operator().to_string()),
            (
                "tariffs.json",
                json!([{"name": "standard", "valid_from": "2020-01-01", "valid_to": null, "tariff": tariff}])
                    .to_string(),
            ),
            ("plans.json", json!([{"plan": "basic", "description": "", "fee": "0", "tariff": "standard"}]).to_string()),
            ("accounts.csv", accounts),
            ("subscriptions.csv", subscriptions),
            ("tariff.json", tariff.to_string()),
            ("dearer.json", dearer.to_string()),
            ("events.jsonl", lines.iter().map(|(_, line)| format!("{line}\n")).collect()),
            ("customers.jsonl", (0..CUSTOMERS).map(|n| format!("{}\n", customer(n, now))).collect()),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file is written");
        }
        Self { folder, events: lines.into_iter().map(|(id, line)| (id, line.to_string())).collect() }
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Imports the reference data.
    pub fn import(&self, stack: &Stack) {
        for file in ["operator.json", "tariffs.json", "plans.json", "accounts.csv", "subscriptions.csv"] {
            let kind = file.split('.').next().unwrap_or(file);
            let path = self.folder().join(file);
            stack.succeed(["import", kind, path.to_str().expect("a path of text")]);
        }
    }

    /// The events that have an account, by the day on which its cycles begin, as they were replayed, in the order in which they were
    /// stored. Needs the administrator's eyes.
    pub fn events_in_stored_order(&self, database: &Views) -> BTreeMap<String, String> {
        let mut by_cycle_day: BTreeMap<String, String> = BTreeMap::new();
        let stored = database.lines(
            "SELECT CAST(a.cycle_day AS CHAR), LOWER(HEX(e.event_id)) FROM usage_events e \
             JOIN accounts a ON a.account_no = e.account_no ORDER BY e.seq",
        );
        for line in stored {
            let (cycle_day, id) = line.split_once('|').unwrap_or_default();
            let lines = by_cycle_day.entry(cycle_day.to_owned()).or_default();
            lines.push_str(&self.events[id]);
            lines.push('\n');
        }
        by_cycle_day
    }
}

fn operator() -> Value {
    json!({"name": "Atlas", "address": ["1, rue"], "currency": "MAD", "timezone": TIMEZONE, "tax_rate": "0.20",
        "invoice_prefix": "AT", "payment_days": 30})
}

/// A tariff by the price of a minute.
fn tariff(minute: &str) -> Value {
    let rate = |service: &str, prefix: &str, price: &str, per: u64, increment: u64| {
        json!({"service": service, "prefix": prefix, "timing": "any", "weight": 1, "connect_fee": "0.05",
            "steps": [{"from": 0, "price": price, "per": per, "increment": increment}], "rounding": "up", "decimals": 4})
    };
    json!({"currency": "MAD", "timezone": TIMEZONE, "timings": {"any": {}},
        "rates": [rate("voice", "", minute, 60, 10), rate("sms", "212", "0.35", 1, 1), rate("data", "", "0.0375", 1_000_000, 10_000)],
        "allowances": [{"service": "voice", "amount": 3_000}, {"service": "data", "amount": 50_000_000}]})
}

fn number(n: u64) -> String {
    format!("2126{:08}", 1_000 + n)
}

/// Spread like random numbers.
fn spread(n: u64) -> u64 {
    let mixed = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 11
}

fn event(n: u64, now: DateTime<Utc>) -> (String, Value) {
    let id = uuid::Uuid::from_u64_pair(spread(n), n);
    let random = spread(n + 1_000_000);
    let service = ["voice", "sms", "data"][(random % 3) as usize];
    let started_at =
        now - Duration::days(DAYS) + Duration::milliseconds((random / 7 % (DAYS as u64 * 86_300_000)) as i64);
    let usage = match service {
        "voice" => random / 11 % 900,
        "sms" => 1,
        _ => random / 13 % 20_000_000,
    };
    let mut event = json!({"event_id": id, "service": service, "subscriber": number(random / 17 % NUMBERS), "usage": usage,
        "started_at": started_at.to_rfc3339_opts(SecondsFormat::Millis, true), "roaming": (random / 19).is_multiple_of(20)});
    if service != "data" {
        let abroad = (random / 23).is_multiple_of(5);
        let prefix = if abroad { "33" } else { "2125" };
        event["destination"] = format!("{prefix}{:08}", random / 29 % 100_000_000).into();
    }
    if !(random / 31).is_multiple_of(3) {
        event["cell"] = format!("C{:03}", random / 37 % 72).into();
    }
    (id.simple().to_string(), event)
}

/// A customer; those of the first numbers have accounts. One in five is to be scored, and whoever calls often about trouble leaves.
fn customer(n: u64, now: DateTime<Utc>) -> Value {
    let random = spread(n + 2_000_000);
    let calls = random % 9;
    let minutes = |part: u64| (random / part % 3_000) as f64 / 10.0;
    let state = ["OH", "NJ", "KS"][(random / 3 % 3) as usize];
    let mut customer = json!({"customer_id": format!("C-{n}"), "state": state,
        "observed_at": (now - Duration::days(2)).to_rfc3339_opts(SecondsFormat::Millis, true), "account_length": random / 5 % 200,
        "area_code": 415, "international_plan": if (random / 7).is_multiple_of(10) { "Yes" } else { "No" }, "voice_mail_plan": "No",
        "number_vmail_messages": random / 11 % 40, "customer_service_calls": calls});
    for (period, part) in [("day", 13), ("eve", 17), ("night", 19), ("intl", 23)] {
        customer[format!("total_{period}_minutes")] = minutes(part).into();
        customer[format!("total_{period}_calls")] = (random / part % 120).into();
        customer[format!("total_{period}_charge")] = (minutes(part) * 0.17).into();
    }
    if n % 5 != 4 {
        customer["churn"] = (calls > 5).into();
    }
    customer
}
