//! Files of reference data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono_tz::Tz;

use millrace_wire::reference::{self, Faulty, LineError};

fn told<E: Into<Errors>>(errors: E) -> Vec<String> {
    errors.into().0.iter().map(ToString::to_string).collect()
}

struct Errors(Vec<LineError>);

impl From<Vec<LineError>> for Errors {
    fn from(errors: Vec<LineError>) -> Self {
        Self(errors)
    }
}

impl<T> From<Faulty<T>> for Errors {
    fn from(faulty: Faulty<T>) -> Self {
        Self(faulty.errors)
    }
}

const TARIFF: &str = r#"{"currency":"MAD","timezone":"Africa/Casablanca","timings":{"any":{}},"rates":[]}"#;

#[test]
fn columns_may_stand_in_any_order_and_optional_ones_be_left_out() {
    let csv = "tax_exempt,city,account_id,customer_id,cycle_day,segment,name\r\nfalse,Casablanca,A-1,,28,home,\"Amal, née B\"\r\n";
    let accounts = reference::parse_accounts(csv.as_bytes()).unwrap();
    assert_eq!(
        (accounts[0].name.as_str(), accounts[0].cycle_day, accounts[0].customer_id.as_str()),
        ("Amal, née B", 28, "")
    );
    assert_eq!(reference::parse_accounts(reference::write_accounts(&accounts).as_bytes()).unwrap(), accounts);
}

#[test]
fn every_wrong_line_is_named_with_its_column_and_reason() {
    let csv = "account_id,name,segment,city,cycle_day,tax_exempt,customer_id\nA-1,n,s,c,29,true,\n A-2,n,s,c,0,yes,\nA-3,n,s,c,1,true\nA-4,\"two\nlines\",s,c,1,true,\nA-4,n,s,c,1,true,x \n";
    assert_eq!(
        told(reference::parse_accounts(csv.as_bytes()).unwrap_err()),
        [
            "line 2, column cycle_day: expected 1 to 28",
            "line 3, column account_id: must not begin or end with a space",
            "line 3, column cycle_day: expected 1 to 28",
            "line 3, column tax_exempt: expected true or false",
            "line 4, expected 7 cells, as the header has, found 6",
            "line 7, column customer_id: must not begin or end with a space",
        ]
    );
    assert_eq!(told(reference::parse_cells(b"").unwrap_err()), ["line 1, expected a header"]);
    let header = told(reference::parse_cells(b"cell,site,site,lat,longitude\n").unwrap_err());
    assert_eq!(
        header,
        [
            "line 1, column site: stands twice",
            "line 1, column lat: is not a column of this file",
            "line 1, column latitude: is missing"
        ]
    );
    let bytes = b"cell,site,latitude,longitude\n\xff,s,0,0\n";
    assert_eq!(told(reference::parse_cells(bytes).unwrap_err()), ["line 2, column cell: is not UTF-8"]);
}

#[test]
fn rows_of_one_number_must_not_overlap() {
    let csv = |rows: &str| format!("msisdn,active_from,active_to,account_id,plan\n{rows}");
    let fine =
        csv("212600000001,2026-01-01,2026-02-01,A,p\n212600000001,2026-02-01,,A,q\n212600000002,2026-01-01,,A,p\n");
    let subscriptions = reference::parse_subscriptions(fine.as_bytes()).unwrap();
    assert_eq!(
        reference::parse_subscriptions(reference::write_subscriptions(&subscriptions).as_bytes()).unwrap(),
        subscriptions
    );
    let refused = |rows: &str| told(reference::parse_subscriptions(csv(rows).as_bytes()).unwrap_err());
    let overlap = refused("212600000001,2026-01-31,,A,p\n212600000001,2026-01-01,2026-02-01,A,q\n");
    assert_eq!(overlap, ["line 2, column active_from: overlaps line 3, of the same number"]);
    let open = refused("212600000001,2026-01-01,,A,p\n212600000001,2027-01-01,,A,q\n");
    assert_eq!(open, ["line 3, column active_from: overlaps line 2, of the same number"]);
    assert_eq!(
        refused("212600000001,2026-01-01,2026-01-01,A,p\n"),
        ["line 2, column active_to: must be after active_from"]
    );
    assert_eq!(
        refused("212600000001,01/01/2026,,A,p\n"),
        ["line 2, column active_from: expected a date, as 2026-03-01"]
    );
    assert_eq!(refused("2126,2026-01-01,,A,p\n"), ["line 2, column msisdn: expected 6 to 15 digits"]);
}

#[test]
fn cells_and_sensors_are_read_and_written_alike() {
    let cells = reference::parse_cells(b"cell,site,latitude,longitude\nC-1,S,33.5,-7.6\nC-2,S,0,0\n").unwrap();
    assert_eq!(reference::parse_cells(reference::write_cells(&cells).as_bytes()).unwrap(), cells);
    let csv = "sensor_id,site,latitude,longitude,warning_c,critical_c,hysteresis_c\nT-1,S,33.5,-7.6,,,\nT-2,S,0,0,30,35.5,0\n";
    let sensors = reference::parse_sensors(csv.as_bytes()).unwrap();
    assert_eq!(sensors[0].limits.or_default().critical_c, 80.0);
    assert_eq!(reference::parse_sensors(reference::write_sensors(&sensors).as_bytes()).unwrap(), sensors);
    let short = reference::parse_sensors(b"sensor_id,site,latitude,longitude\nT-1,S,33.5,-7.6\n").unwrap();
    assert_eq!(short[0], sensors[0]);
    let wrong = format!("{csv}T-3,S,91,0,,60,-1\nT-4,S,0,0,90,,\nT-1,S,0,0,,,\n");
    assert_eq!(
        told(reference::parse_sensors(wrong.as_bytes()).unwrap_err()),
        [
            "line 4, column latitude: expected -90 to 90",
            "line 4, column hysteresis_c: expected 0 to 1000",
            "line 5, column critical_c: must not be below the warning: 80 is, of 90",
            "line 6, column sensor_id: stands on line 2 already",
        ]
    );
}

#[test]
fn the_operator_is_read_with_its_defaults() {
    let json = r#"{"name":"Atlas Télécom","address":["1, rue X","20000 Casablanca"],"currency":"MAD","timezone":"Africa/Casablanca","tax_rate":"0.20","invoice_prefix":"MR","payment_days":30}"#;
    let operator = reference::parse_operator(json.as_bytes()).unwrap();
    assert_eq!((operator.close_after_hours, operator.city.as_str(), operator.address.len()), (48, "", 2));
    assert_eq!(reference::parse_operator(reference::write_operator(&operator).as_bytes()).unwrap(), operator);
    let wrong = json
        .replace("\"0.20\"", "\"20\"")
        .replace("\"MAD\"", "\"Dirham\"")
        .replace("\"payment_days\":30", "\"paymentdays\":30");
    assert_eq!(
        told(reference::parse_operator(wrong.as_bytes()).unwrap_err()),
        [
            "currency: expected a code of three capital letters",
            "tax_rate: expected a fraction from 0 to 1 with up to 6 decimals, as \"0.20\"",
            "payment_days: is missing",
            "paymentdays: is not known",
        ]
    );
}

#[test]
fn plans_are_a_list_of_distinct_names() {
    let json = r#"[{"plan":"s","description":"Small","fee":"19.90","tariff":"base"},{"plan":"m","description":"","fee":49,"tariff":"base"}]"#;
    let plans = reference::parse_plans(json.as_bytes()).unwrap();
    assert_eq!(plans[1].fee, 49.into());
    assert_eq!(reference::parse_plans(reference::write_plans(&plans).as_bytes()).unwrap(), plans);
    let wrong = json.replace("\"m\"", "\"s\"").replace("19.90", "-1");
    assert_eq!(
        told(reference::parse_plans(wrong.as_bytes()).unwrap_err()),
        ["[0].fee: expected an amount from 0 up with up to 4 decimals"]
    );
    let twice = json.replace("\"m\"", "\"s\"");
    assert_eq!(told(reference::parse_plans(twice.as_bytes()).unwrap_err()), ["[1].plan: stands twice"]);
}

#[test]
fn a_tariffs_date_is_its_first_instant_and_versions_must_not_overlap() {
    let version =
        |from: &str, to: &str| format!(r#"{{"name":"base","valid_from":{from},"valid_to":{to},"tariff":{TARIFF}}}"#);
    let parse = |versions: &[String]| {
        reference::parse_tariffs(format!("[{}]", versions.join(",")).as_bytes(), Tz::Africa__Casablanca)
    };
    let fine = parse(&[version("\"2026-07-01\"", "null"), version("\"2026-01-01T00:00:00+01:00\"", "\"2026-07-01\"")])
        .unwrap();
    assert_eq!(fine[0].valid_from.to_rfc3339(), "2026-06-30T23:00:00+00:00");
    assert_eq!(fine[1].valid_to, Some(fine[0].valid_from));
    assert_eq!(reference::parse_tariffs(reference::write_tariffs(&fine).as_bytes(), Tz::UTC).unwrap(), fine);
    let overlap = parse(&[version("\"2026-01-01\"", "null"), version("\"2026-07-01\"", "null")]).unwrap_err();
    assert_eq!(told(overlap), ["[1].valid_from: overlaps [0], of the same name"]);
    let overlap =
        parse(&[version("\"2026-01-01\"", "null").replace("\"MAD\"", "\"mad\""), version("\"2026-07-01\"", "null")]);
    assert_eq!(
        told(overlap.unwrap_err()),
        [
            "[0].tariff.currency: expected a code of three capital letters",
            "[1].valid_from: overlaps [0], of the same name"
        ]
    );
    let backwards = parse(&[version("\"2026-01-01\"", "\"2025-12-31\"")]).unwrap_err();
    assert_eq!(told(backwards), ["[0].valid_to: must be after valid_from"]);
    let wrong = parse(&[version("\"soon\"", "null").replace("\"MAD\"", "5")]).unwrap_err();
    assert_eq!(
        told(wrong),
        ["[0].valid_from: expected an RFC 3339 time with offset, or a date", "[0].tariff.currency: expected a string"]
    );
}

#[test]
fn payments_are_amounts_of_up_to_two_decimals_with_a_reference_each() {
    let csv = "invoice_number,reference,amount,paid_on\nMR2026-00000001,R-1,120.5,2026-12-01\nMR2026-00000002,R-2,-0.500,2026-12-02\n";
    let payments = reference::parse_payments(csv.as_bytes()).unwrap();
    assert_eq!((payments[0].amount.to_string().as_str(), payments[1].reference.as_str()), ("120.5", "R-2"));
    assert_eq!(reference::parse_payments(reference::write_payments(&payments).as_bytes()).unwrap(), payments);
    let wrong = format!(
        "{csv}MR2026-00000003,R-1,1,2026-12-01\nMR2026-00000003,,0.00,2026-02-29\n,R-4,1.005,2026-12-01T00:00:00Z\nX,R-5,\"1,50\",2026-12-01\nX,R-6,1e2,2026-12-01\nX,R-7,99999999999999999.00,2026-12-01\n"
    );
    assert_eq!(
        told(reference::parse_payments(wrong.as_bytes()).unwrap_err()),
        [
            "line 4, column reference: stands on line 2 already",
            "line 5, column reference: expected 1 to 64 characters",
            "line 5, column paid_on: expected a date, as 2026-03-01",
            "line 5, column amount: must not be 0",
            "line 6, column invoice_number: must not be empty",
            "line 6, column paid_on: expected a date, as 2026-03-01",
            "line 6, column amount: expected up to 2 decimals",
            "line 7, column amount: expected a decimal, as 0.20",
            "line 8, column amount: expected a decimal, as 0.20",
            "line 9, column amount: expected less than 10000000000000000",
        ]
    );
}

#[test]
fn the_sound_rows_of_a_faulty_file_are_there_with_their_lines() {
    let csv = "cell,site,latitude,longitude\nC-1,S,0,0\n\nC-2,S,north,0\nC-3,S,1,1\n";
    let faulty = reference::parse_cells(csv.as_bytes()).unwrap_err();
    assert_eq!(
        faulty.sound.iter().map(|(line, cell)| (*line, cell.cell.as_str())).collect::<Vec<_>>(),
        [(2, "C-1"), (5, "C-3")]
    );
    let json = r#"[{"plan":"s","description":"","fee":"x","tariff":"t"},{"plan":"m","description":"","fee":"1","tariff":"t"}]"#;
    let faulty = reference::parse_plans(json.as_bytes()).unwrap_err();
    assert_eq!(faulty.sound.iter().map(|(place, plan)| (*place, plan.plan.as_str())).collect::<Vec<_>>(), [(1, "m")]);
}

#[test]
fn a_mark_before_the_text_is_passed_over() {
    let csv = b"\xef\xbb\xbf\"cell\",site,latitude,longitude\r\nC-1,S,0,0\r\n";
    assert_eq!(reference::parse_cells(csv).unwrap().len(), 1);
    assert_eq!(reference::parse_plans(b"\xef\xbb\xbf[]").unwrap().len(), 0);
}
