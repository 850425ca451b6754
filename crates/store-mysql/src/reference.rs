//! Reference data as batches need it: kept in the process, and read again when an import has changed it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use millrace_domain::cycles::Cycle;
use millrace_domain::identity::Msisdn;
use millrace_domain::tariffs::Tariff;
use millrace_domain::time::local_day;
use millrace_domain::usage::Service;
use sqlx::{MySqlConnection, Row};

use crate::fault::StoreError;
use crate::insert::{self, Statement};

/// Reads a tariff from the document that was imported. An error says what is wrong with it.
pub type ReadTariff = fn(&str) -> Result<Tariff, String>;

/// Numbers whose subscriptions are kept; beyond that the memory is used anew.
const MOST_NUMBERS: usize = 100_000;

/// What is at hand of the reference data, for one process.
pub struct ReferenceCache {
    read_tariff: ReadTariff,
    current: RwLock<Option<Arc<Reference>>>,
}

/// One version of the reference data. Tariffs and plans are read whole; subscriptions when their number is first met.
pub struct Reference {
    version: u64,
    timezone: Option<Tz>,
    /// By plan.
    plans: HashMap<Box<str>, Vec<Arc<StoredTariff>>>,
    /// Whether some tariff has an allowance.
    allowances: bool,
    subscriptions: RwLock<Subscriptions>,
}

type Subscriptions = HashMap<Msisdn, Box<[StoredSubscription]>>;

/// A tariff version with the number that events keep of it.
#[derive(Debug, Clone)]
pub struct StoredTariff {
    /// Its number.
    pub tariff_no: u32,
    /// In force from here.
    pub valid_from: DateTime<Utc>,
    /// Until here, exclusive; `None` is open.
    pub valid_to: Option<DateTime<Utc>>,
    /// The rates.
    pub tariff: Tariff,
    /// ISO 4217 code.
    pub currency: Arc<str>,
}

struct StoredSubscription {
    active_from: NaiveDate,
    active_to: Option<NaiveDate>,
    account_no: u32,
    cycle_day: u8,
    plan: Box<str>,
}

/// Who pays for an event, in which cycle, and by which tariff version, if one is in force.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// The account.
    pub(crate) account_no: u32,
    /// The day of the month on which its cycles begin.
    pub(crate) cycle_day: u8,
    /// Its cycle at the event's start.
    pub(crate) cycle: Cycle,
    /// The version in force at the event's start; `None` when the plan's tariff has none.
    pub(crate) tariff: Option<Arc<StoredTariff>>,
}

impl Terms {
    /// Free units of a service in a cycle.
    pub(crate) fn allowance(&self, service: Service) -> u64 {
        self.tariff.as_ref().map_or(0, |version| version.tariff.allowance(service))
    }

    /// The first day of the cycle.
    pub(crate) fn cycle_start(&self) -> NaiveDate {
        self.cycle.first_day(self.cycle_day)
    }
}

impl ReferenceCache {
    /// Nothing at hand yet.
    pub fn new(read_tariff: ReadTariff) -> Self {
        Self { read_tariff, current: RwLock::new(None) }
    }

    /// The reference data of the caller's transaction.
    pub(crate) async fn current(&self, connection: &mut MySqlConnection) -> Result<Arc<Reference>, StoreError> {
        let version: u64 = sqlx::query("SELECT version FROM reference_version WHERE id = 1")
            .fetch_one(&mut *connection)
            .await?
            .try_get(0)?;
        {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(reference) = current.as_ref().filter(|reference| reference.version == version) {
                return Ok(reference.clone());
            }
        }
        let reference = Arc::new(Reference::load(connection, version, self.read_tariff).await?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(reference.clone());
        Ok(reference)
    }
}

impl Reference {
    async fn load(connection: &mut MySqlConnection, version: u64, read_tariff: ReadTariff) -> Result<Self, StoreError> {
        let operator = sqlx::query("SELECT timezone, currency FROM operator WHERE id = 1")
            .fetch_optional(&mut *connection)
            .await?;
        let (timezone, currency) = match operator {
            Some(row) => {
                let timezone: Tz = row
                    .try_get::<&str, _>(0)?
                    .parse()
                    .map_err(|_| StoreError::Stored("operator.timezone is unknown".into()))?;
                (Some(timezone), Arc::from(row.try_get::<&str, _>(1)?))
            }
            None => (None, Arc::from("")),
        };
        let mut versions: HashMap<String, Vec<Arc<StoredTariff>>> = HashMap::new();
        let rows =
            sqlx::query("SELECT tariff_no, name, valid_from, valid_to, body FROM tariffs ORDER BY name, valid_from")
                .fetch_all(&mut *connection)
                .await?;
        for row in rows {
            let name: String = row.try_get("name")?;
            let tariff = read_tariff(row.try_get("body")?)
                .map_err(|reason| StoreError::Stored(format!("tariff {name} cannot be read: {reason}")))?;
            versions.entry(name).or_default().push(Arc::new(StoredTariff {
                tariff_no: row.try_get("tariff_no")?,
                valid_from: row.try_get("valid_from")?,
                valid_to: row.try_get("valid_to")?,
                tariff,
                currency: Arc::clone(&currency),
            }));
        }
        let rows = sqlx::query("SELECT plan, tariff FROM plans").fetch_all(&mut *connection).await?;
        let mut plans = HashMap::with_capacity(rows.len());
        for row in rows {
            let tariff: &str = row.try_get("tariff")?;
            plans.insert(row.try_get::<String, _>("plan")?.into(), versions.get(tariff).cloned().unwrap_or_default());
        }
        let mut tariffs = versions.values().flatten();
        let allowances =
            tariffs.any(|version| Service::ALL.iter().any(|service| version.tariff.allowance(*service) > 0));
        Ok(Self { version, timezone, plans, allowances, subscriptions: RwLock::default() })
    }

    /// Which one it is: every import makes a new one.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The operator's time zone, if there is an operator.
    pub(crate) fn timezone(&self) -> Option<Tz> {
        self.timezone
    }

    /// Whether some tariff has an allowance.
    pub(crate) fn has_allowances(&self) -> bool {
        self.allowances
    }

    /// The subscriptions of `wanted`; those that are not at hand are read.
    pub(crate) async fn numbers<'a>(
        &'a self,
        connection: &mut MySqlConnection,
        wanted: impl Iterator<Item = &Msisdn> + Clone,
    ) -> Result<Numbers<'a>, StoreError> {
        let missing = self.missing(wanted.clone());
        if !missing.is_empty() {
            let mut found = load_subscriptions(connection, &missing).await?;
            let full = self.read().len() + missing.len() > MOST_NUMBERS;
            if full {
                // What was at hand for the other numbers of this batch goes too, so all of them are read again.
                let all: Vec<Msisdn> = wanted.collect::<HashSet<_>>().into_iter().cloned().collect();
                found = load_subscriptions(connection, &all).await?;
            }
            let mut at_hand = self.subscriptions.write().unwrap_or_else(PoisonError::into_inner);
            if full {
                at_hand.clear();
            }
            at_hand.extend(found);
        }
        Ok(Numbers { reference: self, subscriptions: self.read() })
    }

    fn missing<'a>(&self, wanted: impl Iterator<Item = &'a Msisdn>) -> Vec<Msisdn> {
        let at_hand = self.read();
        let missing: HashSet<&Msisdn> = wanted.filter(|number| !at_hand.contains_key(*number)).collect();
        missing.into_iter().cloned().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Subscriptions> {
        self.subscriptions.read().unwrap_or_else(PoisonError::into_inner)
    }
}

static SUBSCRIPTIONS: Statement = Statement::new(
    "SELECT s.msisdn, s.active_from, s.active_to, s.account_no, a.cycle_day, s.plan \
     FROM subscriptions s JOIN accounts a ON a.account_no = s.account_no WHERE s.msisdn IN (",
    "?",
    ") ORDER BY s.msisdn, s.active_from",
);

/// The subscriptions of all `numbers`; one without any has an empty list.
async fn load_subscriptions(connection: &mut MySqlConnection, numbers: &[Msisdn]) -> Result<Subscriptions, StoreError> {
    let mut found: HashMap<Msisdn, Vec<StoredSubscription>> =
        numbers.iter().map(|number| (number.clone(), Vec::new())).collect();
    for row in insert::select_by(connection, &SUBSCRIPTIONS, numbers.iter().map(Msisdn::as_str)).await? {
        let msisdn = Msisdn::parse(row.try_get("msisdn")?)
            .map_err(|_| StoreError::Stored("a subscription's number is malformed".into()))?;
        found.entry(msisdn).or_default().push(StoredSubscription {
            active_from: row.try_get("active_from")?,
            active_to: row.try_get("active_to")?,
            account_no: row.try_get("account_no")?,
            cycle_day: row.try_get("cycle_day")?,
            plan: row.try_get::<String, _>("plan")?.into(),
        });
    }
    Ok(found.into_iter().map(|(number, list)| (number, list.into_boxed_slice())).collect())
}

/// The subscriptions that a chunk of events needs, at hand.
pub(crate) struct Numbers<'a> {
    reference: &'a Reference,
    subscriptions: RwLockReadGuard<'a, Subscriptions>,
}

impl Numbers<'_> {
    /// The terms of a number at an instant: its subscription on that day (operator's time zone), and the version of its plan's
    /// tariff in force at that instant.
    pub(crate) fn terms(&self, number: &Msisdn, at: DateTime<Utc>) -> Option<Terms> {
        let day = local_day(at, self.reference.timezone?);
        let subscription = self.subscriptions.get(number)?.iter().find(|subscription| {
            subscription.active_from <= day && subscription.active_to.is_none_or(|end| day < end)
        })?;
        let tariff = self.reference.plans.get(&subscription.plan).and_then(|versions| {
            versions
                .iter()
                .rev()
                .find(|version| version.valid_from <= at && version.valid_to.is_none_or(|end| at < end))
                .map(Arc::clone)
        });
        let StoredSubscription { account_no, cycle_day, .. } = *subscription;
        Some(Terms { account_no, cycle_day, cycle: Cycle::of(day, cycle_day), tariff })
    }
}
