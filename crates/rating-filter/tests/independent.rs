//! The engine and a second computation, written from the contract in another language and style, answer 10,000 random tariffs
//! and events alike, to the last digit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use millrace_domain::rating::{Charge, price};
use support::{Case, Cases};

const CASES: usize = 10_000;

/// What the second computation answers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Second {
    Charge {
        amount: Decimal,
        currency: String,
        connect_fee: Decimal,
        allowance_used: u64,
        zone: String,
        limited: bool,
        spans: Vec<SecondSpan>,
    },
    Error {
        error: String,
    },
}

#[derive(Debug, Deserialize)]
struct SecondSpan {
    timing: String,
    units: u64,
    charged_units: u64,
    amount: Decimal,
}

/// What is not the same.
fn difference(charge: &Charge<'_>, second: &Second) -> Option<&'static str> {
    let Second::Charge { amount, currency, connect_fee, allowance_used, zone, limited, spans } = second else {
        return Some("a price");
    };
    let cost = |spans: &[Decimal]| spans.iter().sum::<Decimal>();
    let same_spans = spans.len() == charge.spans.len()
        && spans.iter().zip(&charge.spans).all(|(second, span)| {
            let units = second.timing == span.timing && second.units == span.units;
            units && (*limited || (second.charged_units == span.charged_units && second.amount == span.amount))
        });
    let parts = charge.connect_fee + cost(&charge.spans.iter().map(|span| span.amount).collect::<Vec<_>>());
    let checks = [
        (charge.amount == *amount, "the amount"),
        (charge.currency == currency, "the currency"),
        (charge.connect_fee == *connect_fee, "the connect fee"),
        (charge.allowance_used == *allowance_used, "the allowance"),
        (charge.zone == zone, "the zone"),
        (same_spans, "the spans"),
        // Each span is rounded to 8 decimals, and the sum to 0 or more.
        ((parts - charge.amount).abs() < Decimal::new(1_001, 3), "the sum of the parts"),
    ];
    checks.iter().find(|(same, _)| !same).map(|(_, what)| *what)
}

fn check(case: &Case, answer: &str) -> bool {
    let second: Second = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{answer}: {error}"));
    let first = price(&case.tariff, &case.event, case.allowance_left);
    let different = match (&first, &second) {
        (Ok(charge), second) => difference(charge, second),
        (Err(first), Second::Error { error }) => (first.as_str() != error).then_some("the reason"),
        (Err(_), Second::Charge { .. }) => Some("a reason"),
    };
    if let Some(what) = different {
        panic!(
            "{what} differs\ntariff {}\nevent {}\nallowance_left {}\nengine {first:#?}\nsecond {second:#?}",
            case.tariff_json, case.event_json, case.allowance_left
        );
    }
    first.is_ok()
}

#[test]
fn ten_thousand_random_tariffs_and_events_are_answered_alike_by_an_independent_computation() {
    // Another seed each time; the one that failed is named and can be given again.
    let seed =
        std::env::var("MILLRACE_TEST_SEED").ok().map(|seed| seed.parse().expect("MILLRACE_TEST_SEED is a number"));
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("MILLRACE_TEST_SEED={seed}");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/independent/rating.py");
    let mut child = Command::new("python3")
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs the second computation");
    let mut input = BufWriter::new(child.stdin.take().unwrap());
    let output = BufReader::new(child.stdout.take().unwrap());
    let writer = std::thread::spawn(move || {
        let mut cases = Cases::new(seed);
        for _ in 0..CASES {
            let Case { tariff_json, event_json, allowance_left, .. } = cases.case();
            let question = json!({"tariff": tariff_json, "event": event_json, "allowance_left": allowance_left});
            writeln!(input, "{question}").expect("the second computation reads on");
        }
        input.flush().unwrap();
    });
    let mut cases = Cases::new(seed);
    let (mut answered, mut priced) = (0, 0);
    for line in output.lines() {
        priced += usize::from(check(&cases.case(), &line.unwrap()));
        answered += 1;
    }
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(answered, CASES);
    // Most have a price, or there was little to compare.
    assert!(priced > CASES / 2, "{priced} of {CASES} have a price");
    println!("{priced} of {CASES} have a price");
}
