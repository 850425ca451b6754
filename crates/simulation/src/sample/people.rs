//! The sample operator's accounts and subscriptions.

use chrono::{Days, NaiveDate};
use millrace_domain::identity::{Malformed, Msisdn};
use millrace_domain::reference::{Account, Subscription};

use super::CITIES;
use crate::draws::Draws;

/// How many accounts there are.
const ACCOUNTS: usize = 300;

const GIVEN: [&str; 20] = [
    "Amina", "Youssef", "Salma", "Mehdi", "Khadija", "Omar", "Imane", "Rachid", "Nadia", "Karim", "Hajar", "Hamza",
    "Leila", "Said", "Zineb", "Anas", "Fatima", "Bilal", "Sara", "Driss",
];
const FAMILY: [&str; 20] = [
    "Alaoui", "Bennani", "Chraibi", "Daoudi", "El Fassi", "Filali", "Guessous", "Haddad", "Idrissi", "Jabri",
    "Kettani", "Lahlou", "Mansouri", "Naciri", "Ouazzani", "Rami", "Sebti", "Tazi", "Yacoubi", "Zerouali",
];
const TRADES: [&str; 10] = [
    "Transports",
    "Textiles",
    "Conserves",
    "Imprimerie",
    "Pharmacie",
    "Électricité",
    "Hôtel",
    "Menuiserie",
    "Librairie",
    "Garage",
];

pub(super) fn accounts(rng: &mut impl Draws) -> Vec<Account> {
    let weights = CITIES.map(|city| city.weight);
    (1..=ACCOUNTS)
        .map(|number| {
            let city = &CITIES[rng.weighted(&weights)];
            let segment = ["residential", "youth", "business", "public"][rng.weighted(&[62.0, 18.0, 17.0, 3.0])];
            let family = *rng.pick(&FAMILY);
            let name = match segment {
                "business" => format!("{} {family} SARL", rng.pick(&TRADES)),
                "public" => format!("Commune de {}", city.name),
                _ => format!("{} {family}", rng.pick(&GIVEN)),
            };
            Account {
                account_id: format!("A{number:05}"),
                name,
                segment: segment.to_owned(),
                city: city.name.to_owned(),
                cycle_day: 1 + rng.below(28) as u8,
                tax_exempt: segment == "public",
                customer_id: format!("C{number:05}"),
                address: format!("{}, rue {}", 1 + rng.below(180), 1 + rng.below(90)),
                postcode: city.postcode.to_owned(),
                country: "MA".to_owned(),
                tax_id: if segment == "business" {
                    format!("{:08}", 10_000_000 + rng.below(80_000_000))
                } else {
                    String::new()
                },
            }
        })
        .collect()
}

/// One number for most accounts, some for businesses; about one in eight has changed its plan, a few have ended.
pub(super) fn subscriptions(rng: &mut impl Draws, accounts: &[Account]) -> Result<Vec<Subscription>, Malformed> {
    let mut subscriptions = Vec::new();
    for (index, account) in accounts.iter().enumerate() {
        let numbers = match account.segment.as_str() {
            "business" => 1 + rng.below(3),
            "public" => 2,
            _ => 1 + usize::from(rng.chance(0.07)),
        };
        for line in 0..numbers {
            // The account's index keeps numbers apart.
            let msisdn = Msisdn::parse(&format!("2126{:02}{index:04}{line:02}", 10 + rng.below(80)))?;
            let begins = day(rng, 2024, 600);
            let plan = plan_of(rng, &account.segment);
            let row = |active_from, active_to, plan: &str| Subscription {
                msisdn: msisdn.clone(),
                active_from,
                active_to,
                account_id: account.account_id.clone(),
                plan: plan.to_owned(),
            };
            match rng.weighted(&[0.86, 0.12, 0.02]) {
                0 => subscriptions.push(row(begins, None, plan)),
                1 => {
                    let changes = day(rng, 2026, 300);
                    let next = if plan == "plus" { "essential" } else { "plus" };
                    subscriptions.push(row(begins, Some(changes), plan));
                    subscriptions.push(row(changes, None, next));
                }
                _ => subscriptions.push(row(begins, Some(day(rng, 2026, 300)), plan)),
            }
        }
    }
    Ok(subscriptions)
}

fn plan_of(rng: &mut impl Draws, segment: &str) -> &'static str {
    let weights = match segment {
        "youth" => [0.15, 0.8, 0.05, 0.0],
        "business" => [0.05, 0.0, 0.2, 0.75],
        "public" => [0.5, 0.0, 0.0, 0.5],
        _ => [0.6, 0.05, 0.35, 0.0],
    };
    ["essential", "youth", "plus", "business"][rng.weighted(&weights)]
}

/// A day among the first `days` of `year`.
fn day(rng: &mut impl Draws, year: i32, days: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default() + Days::new(rng.below(days) as u64)
}
