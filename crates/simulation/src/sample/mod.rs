//! The sample operator: reference data of a small mobile operator in Morocco, made from a seed.

mod network;
mod people;
mod tariffs;

use std::collections::BTreeSet;

use chrono_tz::Tz;
use millrace_domain::identity::{CustomerId, Malformed};
use millrace_domain::reference::{Account, Cell, Sensor, Subscription};
use millrace_wire::reference;
use serde_json::{Value, json};

use crate::draws::{Stream, generator};
use crate::world::{Parts, World};

/// The sample operator's time zone.
const TIMEZONE: Tz = chrono_tz::Africa::Casablanca;

/// A city where the operator has sites and customers.
struct City {
    code: &'static str,
    name: &'static str,
    postcode: &'static str,
    latitude: f64,
    longitude: f64,
    /// Share of the accounts.
    weight: f64,
}

const CITIES: [City; 8] = [
    City { code: "CAS", name: "Casablanca", postcode: "20000", latitude: 33.5731, longitude: -7.5898, weight: 34.0 },
    City { code: "RAB", name: "Rabat", postcode: "10000", latitude: 34.0209, longitude: -6.8416, weight: 16.0 },
    City { code: "MAR", name: "Marrakesh", postcode: "40000", latitude: 31.6295, longitude: -7.9811, weight: 13.0 },
    City { code: "FES", name: "Fes", postcode: "30000", latitude: 34.0181, longitude: -5.0078, weight: 12.0 },
    City { code: "TNG", name: "Tangier", postcode: "90000", latitude: 35.7595, longitude: -5.8340, weight: 10.0 },
    City { code: "AGA", name: "Agadir", postcode: "80000", latitude: 30.4278, longitude: -9.5981, weight: 7.0 },
    City { code: "MEK", name: "Meknes", postcode: "50000", latitude: 33.8935, longitude: -5.5473, weight: 5.0 },
    City { code: "OUJ", name: "Oujda", postcode: "60000", latitude: 34.6814, longitude: -1.9086, weight: 3.0 },
];

/// One file that `millrace import KIND FILE` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFile {
    /// The kind to import it as.
    pub kind: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The sample operator's reference data.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleOperator {
    accounts: Vec<Account>,
    subscriptions: Vec<Subscription>,
    cells: Vec<Cell>,
    sensors: Vec<Sensor>,
}

impl SampleOperator {
    /// The operator of a seed.
    ///
    /// # Errors
    /// Never for the ids that are made here: an error would be a mistake in this module.
    pub fn new(seed: u64) -> Result<Self, Malformed> {
        let mut rng = generator(seed, Stream::Sample, 0);
        let (cells, sensors) = network::network(&mut rng)?;
        let accounts = people::accounts(&mut rng);
        let subscriptions = people::subscriptions(&mut rng, &accounts)?;
        Ok(Self { accounts, subscriptions, cells, sensors })
    }

    /// The files to import, in an order in which each finds what it refers to.
    pub fn files(&self) -> Vec<ImportFile> {
        vec![
            ImportFile { kind: "operator", bytes: document(&operator()) },
            ImportFile { kind: "tariffs", bytes: document(&tariffs::tariffs()) },
            ImportFile { kind: "plans", bytes: document(&tariffs::plans()) },
            ImportFile { kind: "accounts", bytes: reference::write_accounts(&self.accounts).into_bytes() },
            ImportFile {
                kind: "subscriptions",
                bytes: reference::write_subscriptions(&self.subscriptions).into_bytes(),
            },
            ImportFile { kind: "cells", bytes: reference::write_cells(&self.cells).into_bytes() },
            ImportFile { kind: "sensors", bytes: reference::write_sensors(&self.sensors).into_bytes() },
        ]
    }

    /// The world of this operator's open numbers, cells, sensors and customers.
    pub fn world(&self, seed: u64) -> World {
        let numbers: BTreeSet<_> =
            self.subscriptions.iter().filter(|row| row.active_to.is_none()).map(|row| &row.msisdn).collect();
        World::from_parts(
            seed,
            Parts {
                numbers: numbers.into_iter().cloned().collect(),
                cells: self.cells.clone(),
                sensors: self.sensors.clone(),
                customers: self
                    .accounts
                    .iter()
                    .filter_map(|account| CustomerId::parse(&account.customer_id).ok())
                    .collect(),
                timezone: TIMEZONE,
            },
        )
    }
}

fn operator() -> Value {
    json!({
        "name": "Atlas Mobile (sample)",
        "address": ["12, boulevard de la Corniche"],
        "currency": "MAD",
        "timezone": TIMEZONE.name(),
        "tax_rate": "0.20",
        "invoice_prefix": "MR",
        "payment_days": 30,
        "close_after_hours": 48,
        "tax_id": "00123456",
        "postcode": "20000",
        "city": "Casablanca",
        "country": "MA",
    })
}

fn document(value: &Value) -> Vec<u8> {
    let mut text = format!("{value:#}").into_bytes();
    text.push(b'\n');
    text
}
