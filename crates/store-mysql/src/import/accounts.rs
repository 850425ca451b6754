//! Accounts and subscriptions.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use millrace_domain::reference::{Account, Subscription};
use sqlx::Row as _;
use sqlx::mysql::{MySqlArguments, MySqlRow};

use super::closed::{self, ClosedCycles, Days};
use super::tariffs::{Spans, overlaps, select_operator};
use super::{Import, ImportError, Imported, Target, numbers_by_name};
use crate::insert::{Row, Statement, add, select_by};

static ACCOUNTS: Statement = Statement::new(
    "SELECT account_no, account_id, name, segment, city, cycle_day, tax_exempt, customer_id, address, postcode, country, tax_id \
     FROM accounts WHERE account_id IN (",
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
/// When an account that was billed or charged would get another cycle day, or when the database refuses a row's values.
pub async fn accounts(target: impl Into<Target<'_>>, accounts: &[Account]) -> Result<Imported, ImportError> {
    let mut import = Import::begin(target).await?;
    let stored =
        select_by(import.connection(), &ACCOUNTS, accounts.iter().map(|account| account.account_id.as_str())).await?;
    let stored = stored.iter().map(|row| Ok((row.try_get("account_no")?, account(row)?)));
    let stored: Vec<(u32, Account)> = stored.collect::<Result<_, sqlx::Error>>()?;
    let stored: HashMap<&str, &(u32, Account)> = stored.iter().map(|row| (row.1.account_id.as_str(), row)).collect();
    let mut rows = Vec::new();
    let mut moved = Vec::new();
    for (n, account) in accounts.iter().enumerate() {
        let stored = stored.get(account.account_id.as_str());
        if import.differs(account, stored.map(|(_, account)| account)) {
            rows.push((n, AccountRow(account)));
        }
        moved.extend(stored.filter(|(_, stored)| stored.cycle_day != account.cycle_day).map(|(no, old)| (n, *no, old)));
    }
    keep_cycle_days(&mut import, &moved).await?;
    import.finish(&UPSERT_ACCOUNTS, rows).await
}

/// Refuses to move the cycles of accounts that have closed ones, or charges: those were given their cycle when they were stored.
/// `moved` are rows with the account's number and what is stored of it.
async fn keep_cycle_days(import: &mut Import, moved: &[(usize, u32, &Account)]) -> Result<(), ImportError> {
    if moved.is_empty() {
        return Ok(());
    }
    closed::close_gate(import.connection()).await?;
    let numbers: Vec<u32> = moved.iter().map(|(_, account_no, _)| *account_no).collect();
    let closed = closed_cycles(import, numbers.iter().copied()).await?;
    let charged: HashSet<u32> = closed::charged(import.connection(), &numbers).await?.into_iter().collect();
    for (n, account_no, stored) in moved {
        let reason = match closed.latest(*account_no) {
            Some(cycle) => format!("its cycle {cycle} is closed"),
            None if charged.contains(account_no) => {
                "it has charges, which were given their cycle by that day".to_owned()
            }
            None => continue,
        };
        import.refuse(*n, "cycle_day", format!("must stay {}: {reason}", stored.cycle_day));
    }
    Ok(())
}

/// The closed cycles of accounts; none while there is no operator.
async fn closed_cycles(import: &mut Import, accounts: impl Iterator<Item = u32>) -> Result<ClosedCycles, ImportError> {
    let timezone = select_operator(import.connection()).await?.map_or(Tz::UTC, |operator| operator.timezone);
    Ok(ClosedCycles::read(import.connection(), accounts, timezone).await?)
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

/// What may change of a subscription: its end, its account's number and its plan.
type Content = (Option<NaiveDate>, u32, String);

/// A stored subscription that would change.
struct Change<'a> {
    row: usize,
    from: NaiveDate,
    old: &'a Content,
    new: Content,
}

impl Change<'_> {
    /// The field that changes, and the days for which it does, by account.
    fn days(&self) -> (&'static str, Vec<(u32, Days)>) {
        let ((old_to, old_account, old_plan), (new_to, new_account, new_plan)) = (self.old, &self.new);
        if old_account != new_account || old_plan != new_plan {
            let field = if old_account == new_account { "plan" } else { "account_id" };
            return (field, vec![(*old_account, (self.from, *old_to)), (*new_account, (self.from, *new_to))]);
        }
        // Between the two ends; the later one may be none.
        let changed = match (*old_to, *new_to) {
            (Some(old), Some(new)) => (old.min(new), Some(old.max(new))),
            (Some(end), None) | (None, Some(end)) => (end, None),
            (None, None) => return ("active_to", Vec::new()),
        };
        ("active_to", vec![(*old_account, changed)])
    }
}

/// Refuses changes for days of closed cycles. New rows may begin in one: their fees are billed for open cycles only.
async fn keep_closed_days(import: &mut Import, changes: &[Change<'_>]) -> Result<(), ImportError> {
    if changes.is_empty() {
        return Ok(());
    }
    closed::hold_gate(import.connection()).await?;
    let accounts: HashSet<u32> = changes.iter().flat_map(|change| [change.old.1, change.new.1]).collect();
    let closed = closed_cycles(import, accounts.into_iter()).await?;
    for change in changes {
        let (field, days) = change.days();
        let touched = days.into_iter().filter_map(|(account_no, days)| closed.touched(account_no, days)).min();
        if let Some(cycle) = touched {
            import.refuse(change.row, field, format!("cannot change for days of cycle {cycle}, which is closed"));
        }
    }
    Ok(())
}

/// Imports subscriptions.
///
/// # Errors
/// When a row names an account or a plan that is not stored, when rows of one number overlap, those that are stored included, or
/// when a stored row would change for days of a closed cycle.
pub async fn subscriptions(
    target: impl Into<Target<'_>>,
    subscriptions: &[Subscription],
) -> Result<Imported, ImportError> {
    let mut import = Import::begin(target).await?;
    let ids: HashSet<&str> = subscriptions.iter().map(|row| row.account_id.as_str()).collect();
    let accounts = numbers_by_name(&select_by(import.connection(), &ACCOUNT_NUMBERS, ids.into_iter()).await?)?;
    let names: HashSet<&str> = subscriptions.iter().map(|row| row.plan.as_str()).collect();
    let plans = select_by(import.connection(), &PLAN_NAMES, names.into_iter()).await?;
    let plans: HashSet<String> = plans.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>()?;
    let numbers: HashSet<&str> = subscriptions.iter().map(|row| row.msisdn.as_str()).collect();
    let stored = select_by(import.connection(), &SUBSCRIPTIONS, numbers.into_iter()).await?;
    let stored = stored.iter().map(|row| {
        let identity: (String, NaiveDate) = (row.try_get(0)?, row.try_get(1)?);
        let content: Content = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        Ok((identity, content))
    });
    let stored: HashMap<(String, NaiveDate), Content> = stored.collect::<Result<_, sqlx::Error>>()?;
    let mut spans: Spans<'_, NaiveDate> =
        stored.iter().map(|((number, from), (to, ..))| ((number.as_str(), *from), (*to, None))).collect();
    let mut rows = Vec::new();
    let mut changes = Vec::new();
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
        let old = stored.get(&(subscription.msisdn.to_string(), subscription.active_from));
        if import.differs(&new, old) {
            rows.push((n, SubscriptionRow { subscription, account_no }));
            changes.extend(old.map(|old| Change { row: n, from: subscription.active_from, old, new }));
        }
    }
    keep_closed_days(&mut import, &changes).await?;
    for (n, reason) in overlaps(&spans) {
        import.refuse(n, "active_from", reason);
    }
    import.finish(&UPSERT_SUBSCRIPTIONS, rows).await
}
