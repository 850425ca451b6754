//! Accounts and their subscriptions.

use std::collections::HashMap;

use millrace_domain::identity::Msisdn;
use millrace_domain::reference::{Account, Subscription};

use super::table::{self, Column, date, id, maybe, name, optional, required, text};
use super::{Faulty, LineError};
use crate::number;

const ACCOUNTS: [Column; 11] = [
    required("account_id"),
    required("name"),
    required("segment"),
    required("city"),
    required("cycle_day"),
    required("tax_exempt"),
    required("customer_id"),
    optional("address"),
    optional("postcode"),
    optional("country"),
    optional("tax_id"),
];

const SUBSCRIPTIONS: [Column; 5] =
    [required("msisdn"), required("active_from"), required("account_id"), required("plan"), optional("active_to")];

/// Reads accounts (CSV).
///
/// # Errors
/// Every wrong line.
pub fn parse_accounts(bytes: &[u8]) -> Result<Vec<Account>, Faulty<Account>> {
    let (accounts, mut errors) = table::read(bytes, &ACCOUNTS, |row| {
        let account_id = row.get("account_id", id);
        let account_name = row.get("name", name(200));
        let segment = row.get("segment", text(64));
        let city = row.get("city", text(100));
        let cycle_day = row.get("cycle_day", cycle_day);
        let tax_exempt = row.get("tax_exempt", boolean);
        let customer_id = row.get("customer_id", maybe(id));
        let address = row.get("address", text(400));
        let postcode = row.get("postcode", text(32));
        let country = row.get("country", text(64));
        let tax_id = row.get("tax_id", text(64));
        Some(Account {
            account_id: account_id?,
            name: account_name?,
            segment: segment?,
            city: city?,
            cycle_day: cycle_day?,
            tax_exempt: tax_exempt?,
            customer_id: customer_id?.unwrap_or_default(),
            address: address?,
            postcode: postcode?,
            country: country?,
            tax_id: tax_id?,
        })
    });
    table::refuse_doubles(&accounts, "account_id", &mut errors, |account| account.account_id.clone());
    table::finish(accounts, errors)
}

fn cycle_day(cell: &str) -> Result<u8, String> {
    let day = number::unsigned(cell).ok().and_then(|day| u8::try_from(day).ok());
    day.filter(|day| (1..=28).contains(day)).ok_or_else(|| "expected 1 to 28".into())
}

fn boolean(cell: &str) -> Result<bool, String> {
    cell.parse().map_err(|_| "expected true or false".into())
}

/// Writes accounts as [`parse_accounts`] reads them.
pub fn write_accounts(accounts: &[Account]) -> String {
    let rows = accounts.iter().map(|account| {
        [
            account.account_id.clone(),
            account.name.clone(),
            account.segment.clone(),
            account.city.clone(),
            account.cycle_day.to_string(),
            account.tax_exempt.to_string(),
            account.customer_id.clone(),
            account.address.clone(),
            account.postcode.clone(),
            account.country.clone(),
            account.tax_id.clone(),
        ]
    });
    table::write(ACCOUNTS.map(|column| column.name), rows)
}

/// Reads subscriptions (CSV). Two rows of one number must not overlap.
///
/// # Errors
/// Every wrong line.
pub fn parse_subscriptions(bytes: &[u8]) -> Result<Vec<Subscription>, Faulty<Subscription>> {
    let (subscriptions, mut errors) = table::read(bytes, &SUBSCRIPTIONS, |row| {
        let msisdn = row.get("msisdn", table::by(Msisdn::parse));
        let active_from = row.get("active_from", date);
        let account_id = row.get("account_id", id);
        let plan = row.get("plan", id);
        let active_to = row.get("active_to", maybe(date));
        let (active_from, active_to) = (active_from?, active_to?);
        if active_to.is_some_and(|to| to <= active_from) {
            row.wrong("active_to", "must be after active_from");
            return None;
        }
        Some(Subscription { msisdn: msisdn?, active_from, active_to, account_id: account_id?, plan: plan? })
    });
    refuse_overlaps(&subscriptions, &mut errors);
    table::finish(subscriptions, errors)
}

fn refuse_overlaps(subscriptions: &[(u64, Subscription)], errors: &mut Vec<LineError>) {
    let mut by_number: HashMap<&str, Vec<&(u64, Subscription)>> = HashMap::new();
    for row in subscriptions {
        by_number.entry(row.1.msisdn.as_str()).or_default().push(row);
    }
    let mut overlaps = Vec::new();
    for rows in by_number.values_mut() {
        rows.sort_by_key(|(line, row)| (row.active_from, *line));
        for pair in rows.windows(2) {
            let [(line, row), (next_line, next)] = pair else {
                continue;
            };
            if row.active_to.is_none_or(|to| to > next.active_from) {
                overlaps.push(LineError::at_line(
                    *next_line,
                    "active_from",
                    format!("overlaps line {line}, of the same number"),
                ));
            }
        }
    }
    errors.extend(overlaps);
}

/// Writes subscriptions as [`parse_subscriptions`] reads them.
pub fn write_subscriptions(subscriptions: &[Subscription]) -> String {
    let rows = subscriptions.iter().map(|row| {
        [
            row.msisdn.to_string(),
            row.active_from.to_string(),
            row.account_id.clone(),
            row.plan.clone(),
            row.active_to.map(|to| to.to_string()).unwrap_or_default(),
        ]
    });
    table::write(SUBSCRIPTIONS.map(|column| column.name), rows)
}
