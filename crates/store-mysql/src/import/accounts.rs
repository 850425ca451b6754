//! Accounts and subscriptions.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use millrace_domain::reference::{Account, Subscription};
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{MySqlPool, Row as _};

use super::tariffs::{Spans, overlaps};
use super::{Import, ImportError, Imported, numbers_by_name, select_by};
use crate::insert::{Row, Statement, add};

static ACCOUNTS: Statement = Statement::new(
    "SELECT account_id, name, segment, city, cycle_day, tax_exempt, customer_id, address, postcode, country, tax_id FROM accounts \
     WHERE account_id IN (",
    "?",
    ")",
);

static UPSERT_ACCOUNTS: Statement = Statement::new(
    "INSERT INTO accounts (account_id, name, segment, city, cycle_day, tax_exempt, customer_id, address, postcode, country, tax_id) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE name = VALUES(name), segment = VALUES(segment), city = VALUES(city), cycle_day = VALUES(cycle_day), \
     tax_exempt = VALUES(tax_exempt), customer_id = VALUES(customer_id), address = VALUES(address), postcode = VALUES(postcode), \
     country = VALUES(country), tax_id = VALUES(tax_id)",
);

struct AccountRow<'a>(&'a Account);

impl Row for AccountRow<'_> {
    const COLUMNS: usize = 11;
    const BYTES: usize = 300;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let account = self.0;
        add(arguments, account.account_id.as_str())?;
        add(arguments, account.name.as_str())?;
        add(arguments, account.segment.as_str())?;
        add(arguments, account.city.as_str())?;
        add(arguments, account.cycle_day)?;
        add(arguments, account.tax_exempt)?;
        add(arguments, account.customer_id.as_str())?;
        add(arguments, account.address.as_str())?;
        add(arguments, account.postcode.as_str())?;
        add(arguments, account.country.as_str())?;
        add(arguments, account.tax_id.as_str())
    }
}

fn account(row: &MySqlRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        account_id: row.try_get("account_id")?,
        name: row.try_get("name")?,
        segment: row.try_get("segment")?,
        city: row.try_get("city")?,
        cycle_day: row.try_get("cycle_day")?,
        tax_exempt: row.try_get("tax_exempt")?,
        customer_id: row.try_get("customer_id")?,
        address: row.try_get("address")?,
        postcode: row.try_get("postcode")?,
        country: row.try_get("country")?,
        tax_id: row.try_get("tax_id")?,
    })
}

/// Imports accounts.
///
/// # Errors
/// When the database refuses a row's values.
pub async fn accounts(pool: &MySqlPool, accounts: &[Account]) -> Result<Imported, ImportError> {
    let mut import = Import::begin(pool).await?;
    let stored =
        select_by(import.connection(), &ACCOUNTS, accounts.iter().map(|account| account.account_id.as_str())).await?;
    let stored: Vec<Account> = stored.iter().map(account).collect::<Result<_, _>>()?;
    let stored: HashMap<&str, &Account> = stored.iter().map(|account| (account.account_id.as_str(), account)).collect();
    let mut rows = Vec::new();
    for (n, account) in accounts.iter().enumerate() {
        if import.differs(account, stored.get(account.account_id.as_str()).copied()) {
            rows.push((n, AccountRow(account)));
        }
    }
    import.finish(&UPSERT_ACCOUNTS, rows).await
}

static ACCOUNT_NUMBERS: Statement =
    Statement::new("SELECT account_no, account_id FROM accounts WHERE account_id IN (", "?", ")");

static PLAN_NAMES: Statement = Statement::new("SELECT plan FROM plans WHERE plan IN (", "?", ")");

static SUBSCRIPTIONS: Statement = Statement::new(
    "SELECT msisdn, active_from, active_to, account_no, plan FROM subscriptions WHERE msisdn IN (",
    "?",
    ")",
);

static UPSERT_SUBSCRIPTIONS: Statement = Statement::new(
    "INSERT INTO subscriptions (msisdn, active_from, active_to, account_no, plan) VALUES ",
    "(?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE active_to = VALUES(active_to), account_no = VALUES(account_no), plan = VALUES(plan)",
);

struct SubscriptionRow<'a> {
    subscription: &'a Subscription,
    account_no: u32,
}

impl Row for SubscriptionRow<'_> {
    const COLUMNS: usize = 5;
    const BYTES: usize = 64;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.subscription.msisdn.as_str())?;
        add(arguments, self.subscription.active_from)?;
        add(arguments, self.subscription.active_to)?;
        add(arguments, self.account_no)?;
        add(arguments, self.subscription.plan.as_str())
    }
}

/// Imports subscriptions.
///
/// # Errors
/// When a row names an account or a plan that is not stored, or when rows of one number overlap, those that are stored included.
pub async fn subscriptions(pool: &MySqlPool, subscriptions: &[Subscription]) -> Result<Imported, ImportError> {
    let mut import = Import::begin(pool).await?;
    let ids: HashSet<&str> = subscriptions.iter().map(|row| row.account_id.as_str()).collect();
    let accounts = numbers_by_name(&select_by(import.connection(), &ACCOUNT_NUMBERS, ids.into_iter()).await?)?;
    let names: HashSet<&str> = subscriptions.iter().map(|row| row.plan.as_str()).collect();
    let plans = select_by(import.connection(), &PLAN_NAMES, names.into_iter()).await?;
    let plans: HashSet<String> = plans.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>()?;
    let numbers: HashSet<&str> = subscriptions.iter().map(|row| row.msisdn.as_str()).collect();
    let stored = select_by(import.connection(), &SUBSCRIPTIONS, numbers.into_iter()).await?;
    let stored = stored.iter().map(|row| {
        let identity: (String, NaiveDate) = (row.try_get(0)?, row.try_get(1)?);
        let content: (Option<NaiveDate>, u32, String) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        Ok((identity, content))
    });
    let stored: HashMap<(String, NaiveDate), (Option<NaiveDate>, u32, String)> =
        stored.collect::<Result<_, sqlx::Error>>()?;
    let mut spans: Spans<'_, NaiveDate> =
        stored.iter().map(|((number, from), (to, ..))| ((number.as_str(), *from), (*to, None))).collect();
    let mut rows = Vec::new();
    for (n, subscription) in subscriptions.iter().enumerate() {
        let account_no = accounts.get(&subscription.account_id).copied();
        if account_no.is_none() {
            import.refuse(n, "account_id", format!("there is no account {}", subscription.account_id));
        }
        if !plans.contains(&subscription.plan) {
            import.refuse(n, "plan", format!("there is no plan {}", subscription.plan));
        }
        spans.insert((subscription.msisdn.as_str(), subscription.active_from), (subscription.active_to, Some(n)));
        let Some(account_no) = account_no else { continue };
        let new = (subscription.active_to, account_no, subscription.plan.clone());
        if import.differs(&new, stored.get(&(subscription.msisdn.to_string(), subscription.active_from))) {
            rows.push((n, SubscriptionRow { subscription, account_no }));
        }
    }
    for (n, reason) in overlaps(&spans) {
        import.refuse(n, "active_from", reason);
    }
    import.finish(&UPSERT_SUBSCRIPTIONS, rows).await
}
