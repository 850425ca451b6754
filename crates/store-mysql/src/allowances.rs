//! Free units that numbers have used in their cycles, locked while events are priced.

use std::collections::HashMap;

use chrono::NaiveDate;
use millrace_domain::identity::Msisdn;
use millrace_domain::usage::Service;
use sqlx::mysql::MySqlArguments;
use sqlx::{MySqlConnection, Row as _};

use crate::fault::StoreError;
use crate::insert::{self, Statement, add};
use crate::usage::{service_code, service_of};

/// A number's allowance for a service in the cycle that begins on a day.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AllowanceKey {
    /// First day of the cycle.
    pub(crate) cycle_start: NaiveDate,
    /// The number.
    pub(crate) subscriber: Msisdn,
    /// The service.
    pub(crate) service: Service,
}

/// The allowances that one transaction has locked, and what it has used of them.
#[derive(Default)]
pub(crate) struct Allowances {
    places: HashMap<AllowanceKey, usize>,
    uses: Vec<Use>,
    /// Those from here on are not locked yet.
    locked: usize,
}

struct Use {
    key: AllowanceKey,
    /// As it is stored; `None` has no row.
    stored: Option<u64>,
    used: u64,
}

// Both engines look the list of whole primary keys up one by one, in the key's order. A row that is absent is not locked.
static LOCK: Statement = Statement::new(
    "SELECT cycle_start, subscriber, service, used FROM allowance_use FORCE INDEX (PRIMARY) \
     WHERE (cycle_start, subscriber, service) IN (",
    "(?,?,?)",
    ") FOR UPDATE",
);

static INSERT: Statement =
    Statement::new("INSERT INTO allowance_use (cycle_start, subscriber, service, used) VALUES ", "(?,?,?,?)", "");

static UPDATE: Statement = Statement::new(
    "INSERT INTO allowance_use (cycle_start, subscriber, service, used) VALUES ",
    "(?,?,?,?)",
    " ON DUPLICATE KEY UPDATE used = VALUES(used)",
);

impl Allowances {
    /// The place of an allowance, which is to be locked before it is used.
    pub(crate) fn place(&mut self, key: AllowanceKey) -> usize {
        let next = self.uses.len();
        *self.places.entry(key).or_insert_with_key(|key| {
            self.uses.push(Use { key: key.clone(), stored: None, used: 0 });
            next
        })
    }

    /// Locks those that were placed since the last call, in order of their keys, one roundtrip for [`insert::MOST`] of them. A
    /// row that is absent is inserted when the transaction ends: if another one inserts it first, this one runs again.
    pub(crate) async fn lock(&mut self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        let mut keys: Vec<&AllowanceKey> = self.uses[self.locked..].iter().map(|new| &new.key).collect();
        keys.sort_unstable();
        let found = insert::select_by_keys(connection, &LOCK, &keys, |arguments, key| add_key(arguments, key)).await?;
        for row in found {
            let malformed = || StoreError::Stored("allowance_use has a malformed key".into());
            let key = AllowanceKey {
                cycle_start: row.try_get(0)?,
                subscriber: Msisdn::parse(row.try_get(1)?).map_err(|_| malformed())?,
                service: service_of(row.try_get(2)?).ok_or_else(malformed)?,
            };
            let used = row.try_get(3)?;
            if let Some(place) = self.places.get(&key) {
                self.uses[*place].stored = Some(used);
                self.uses[*place].used = used;
            }
        }
        self.locked = self.uses.len();
        Ok(())
    }

    /// What is left of an allowance of `amount` units.
    pub(crate) fn left(&self, place: usize, amount: u64) -> u64 {
        amount.saturating_sub(self.uses[place].used)
    }

    /// Uses units.
    pub(crate) fn spend(&mut self, place: usize, units: u64) {
        self.uses[place].used += units;
    }

    /// Gives units back.
    pub(crate) fn give_back(&mut self, place: usize, units: u64) {
        self.uses[place].used = self.uses[place].used.saturating_sub(units);
    }

    /// Writes what has changed.
    pub(crate) async fn save(mut self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        self.uses.retain(|used| used.used != used.stored.unwrap_or(0));
        self.uses.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let (stored, new): (Vec<Use>, Vec<Use>) = self.uses.into_iter().partition(|used| used.stored.is_some());
        insert::insert_all(connection, &UPDATE, &stored).await?;
        insert::insert_all(connection, &INSERT, &new).await?;
        Ok(())
    }
}

fn add_key(arguments: &mut MySqlArguments, key: &AllowanceKey) -> Result<(), sqlx::Error> {
    add(arguments, key.cycle_start)?;
    add(arguments, key.subscriber.as_str())?;
    add(arguments, service_code(key.service))
}

impl insert::Row for Use {
    const COLUMNS: usize = 4;
    const BYTES: usize = 40;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add_key(arguments, &self.key)?;
        add(arguments, self.used)
    }
}
