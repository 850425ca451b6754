//! The sample operator's files, as `millrace import` reads them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use millrace_simulation::SampleOperator;
use millrace_wire::reference;

fn file(kind: &str) -> Vec<u8> {
    let files = SampleOperator::new(1).unwrap().files();
    files.into_iter().find(|file| file.kind == kind).unwrap().bytes
}

#[test]
fn every_file_is_accepted_and_refers_to_what_the_others_hold() {
    let operator = reference::parse_operator(&file("operator")).unwrap();
    let tariffs = reference::parse_tariffs(&file("tariffs"), operator.timezone).unwrap();
    let plans = reference::parse_plans(&file("plans")).unwrap();
    let accounts = reference::parse_accounts(&file("accounts")).unwrap();
    let subscriptions = reference::parse_subscriptions(&file("subscriptions")).unwrap();
    let cells = reference::parse_cells(&file("cells")).unwrap();
    let sensors = reference::parse_sensors(&file("sensors")).unwrap();

    assert_eq!((operator.currency.as_str(), operator.timezone.name()), ("MAD", "Africa/Casablanca"));
    let names: HashSet<_> = tariffs.iter().map(|version| version.name.as_str()).collect();
    assert!(plans.len() == 4 && plans.iter().all(|plan| names.contains(plan.tariff.as_str())));
    let ids: HashSet<_> = accounts.iter().map(|account| account.account_id.as_str()).collect();
    let sold: HashSet<_> = plans.iter().map(|plan| plan.plan.as_str()).collect();
    assert_eq!(accounts.len(), 300);
    assert!(subscriptions.iter().all(|row| ids.contains(row.account_id.as_str()) && sold.contains(row.plan.as_str())));
    assert!((380..520).contains(&subscriptions.len()), "{} subscriptions", subscriptions.len());
    let numbers: HashSet<_> = subscriptions.iter().map(|row| row.msisdn.as_str()).collect();
    assert!(numbers.len() + 20 < subscriptions.len(), "some numbers changed their plan");
    let days: HashSet<_> = accounts.iter().map(|account| account.cycle_day).collect();
    assert_eq!(days.len(), 28, "accounts spread over all cycle days");
    assert_eq!((cells.len(), sensors.len()), (72, 40));
    let sites: HashSet<_> = cells.iter().map(|cell| cell.site.as_str()).collect();
    assert!(sites.len() == 24 && sensors.iter().all(|sensor| sites.contains(sensor.site.as_str())));
}

#[test]
fn a_seed_makes_one_operator_and_another_seed_another() {
    let files = |seed| SampleOperator::new(seed).unwrap().files();
    assert_eq!(files(1), files(1));
    assert_ne!(files(1), files(2));
}
