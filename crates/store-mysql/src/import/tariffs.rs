//! The operator, tariffs and plans.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use millrace_domain::reference::{Operator, Plan, TariffVersion};
use millrace_domain::tariffs::Tariff;
use rust_decimal::Decimal;
use sqlx::mysql::MySqlArguments;
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use super::{Import, ImportError, Imported, Target, closed};
use crate::fault::StoreError;
use crate::insert::{Row, Statement, add, select_by};

const OPERATOR: &str = "SELECT name, address, currency, timezone, tax_rate, invoice_prefix, payment_days, close_after_hours, tax_id, \
    postcode, city, country FROM operator WHERE id = 1";

/// The operator that was imported, if one was.
///
/// # Errors
/// When the database cannot be asked.
pub async fn stored_operator(pool: &MySqlPool) -> Result<Option<Operator>, StoreError> {
    select_operator(&mut *pool.acquire().await?).await
}

pub(super) async fn select_operator(connection: &mut MySqlConnection) -> Result<Option<Operator>, StoreError> {
    let Some(row) = sqlx::query(OPERATOR).fetch_optional(connection).await? else { return Ok(None) };
    let address: &str = row.try_get("address")?;
    let timezone: &str = row.try_get("timezone")?;
    Ok(Some(Operator {
        name: row.try_get("name")?,
        address: address.lines().map(str::to_owned).collect(),
        currency: row.try_get("currency")?,
        timezone: timezone.parse().map_err(|_| StoreError::Stored("operator.timezone is unknown".into()))?,
        tax_rate: row.try_get("tax_rate")?,
        invoice_prefix: row.try_get("invoice_prefix")?,
        payment_days: row.try_get("payment_days")?,
        close_after_hours: row.try_get("close_after_hours")?,
        tax_id: row.try_get("tax_id")?,
        postcode: row.try_get("postcode")?,
        city: row.try_get("city")?,
        country: row.try_get("country")?,
    }))
}

static UPSERT_OPERATOR: Statement = Statement::new(
    "INSERT INTO operator (id, name, address, currency, timezone, tax_rate, invoice_prefix, payment_days, close_after_hours, tax_id, \
     postcode, city, country) VALUES ",
    "(1,?,?,?,?,?,?,?,?,?,?,?,?)",
    " ON DUPLICATE KEY UPDATE name = VALUES(name), address = VALUES(address), currency = VALUES(currency), timezone = VALUES(timezone), \
     tax_rate = VALUES(tax_rate), invoice_prefix = VALUES(invoice_prefix), payment_days = VALUES(payment_days), \
     close_after_hours = VALUES(close_after_hours), tax_id = VALUES(tax_id), postcode = VALUES(postcode), city = VALUES(city), \
     country = VALUES(country)",
);

struct OperatorRow<'a>(&'a Operator);

impl Row for OperatorRow<'_> {
    const COLUMNS: usize = 12;
    const BYTES: usize = 400;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let operator = self.0;
        add(arguments, operator.name.as_str())?;
        add(arguments, operator.address.join("\n"))?;
        add(arguments, operator.currency.as_str())?;
        add(arguments, operator.timezone.name())?;
        add(arguments, operator.tax_rate)?;
        add(arguments, operator.invoice_prefix.as_str())?;
        add(arguments, operator.payment_days)?;
        add(arguments, operator.close_after_hours)?;
        add(arguments, operator.tax_id.as_str())?;
        add(arguments, operator.postcode.as_str())?;
        add(arguments, operator.city.as_str())?;
        add(arguments, operator.country.as_str())
    }
}

/// Imports the operator.
///
/// # Errors
/// When it has another currency than the tariffs that are stored, or another currency or time zone than what was charged or billed.
pub async fn operator(target: impl Into<Target<'_>>, operator: &Operator) -> Result<Imported, ImportError> {
    let mut import = Import::begin(target).await?;
    let stored = select_operator(import.connection()).await?;
    if let Some(stored) = stored.as_ref().filter(|stored| stored.currency != operator.currency) {
        let priced: i64 =
            sqlx::query("SELECT COUNT(*) FROM tariffs").fetch_one(import.connection()).await?.try_get(0)?;
        if priced > 0 {
            import.refuse(
                0,
                "currency",
                format!("expected {}, the currency of the tariffs that are stored", stored.currency),
            );
        }
    }
    if let Some(stored) = &stored {
        keep_terms(&mut import, stored, operator).await?;
    }
    let differs = import.differs(operator, stored.as_ref());
    let rows = if differs { vec![(0, OperatorRow(operator))] } else { Vec::new() };
    import.finish(&UPSERT_OPERATOR, rows).await
}

/// Refuses another time zone or currency once cycles are closed by the stored one, or charges were given their cycle by it.
async fn keep_terms(import: &mut Import, stored: &Operator, new: &Operator) -> Result<(), ImportError> {
    if stored.timezone == new.timezone && stored.currency == new.currency {
        return Ok(());
    }
    closed::close_gate(import.connection()).await?;
    let reason = match closed::latest_closed(import.connection()).await? {
        Some(cycle) => format!("cycles are closed, up to {cycle}"),
        None if closed::has_charges(import.connection()).await? => "charges are stored".to_owned(),
        None => return Ok(()),
    };
    if stored.timezone != new.timezone {
        import.refuse(0, "timezone", format!("must stay {}: {reason}", stored.timezone));
    }
    if stored.currency != new.currency && !import.errors.iter().any(|error| error.field == "currency") {
        import.refuse(0, "currency", format!("must stay {}: {reason}", stored.currency));
    }
    Ok(())
}

static TARIFFS: Statement =
    Statement::new("SELECT name, valid_from, valid_to, body FROM tariffs WHERE name IN (", "?", ")");

static UPSERT_TARIFFS: Statement = Statement::new(
    "INSERT INTO tariffs (name, valid_from, valid_to, body) VALUES ",
    "(?,?,?,?)",
    " ON DUPLICATE KEY UPDATE valid_to = VALUES(valid_to), body = VALUES(body)",
);

struct TariffRow<'a> {
    version: &'a TariffVersion,
    body: String,
}

impl Row for TariffRow<'_> {
    const COLUMNS: usize = 4;
    const BYTES: usize = 4096;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.version.name.as_str())?;
        add(arguments, self.version.valid_from.naive_utc())?;
        add(arguments, self.version.valid_to.map(|to| to.naive_utc()))?;
        add(arguments, self.body.as_str())
    }
}

/// A version's name and beginning, and what is stored under them: its end and its document.
type StoredVersions = HashMap<(String, DateTime<Utc>), (Option<DateTime<Utc>>, String)>;

/// By name and beginning: the end, and the row of the file that says so; `None` is stored already.
pub(super) type Spans<'a, T> = BTreeMap<(&'a str, T), (Option<T>, Option<usize>)>;

/// Imports tariff versions; `write` gives the document that is kept of a tariff.
///
/// # Errors
/// When there is no operator yet, when a tariff's currency is not the operator's, or when versions of one name overlap, those
/// that are stored included.
pub async fn tariffs(
    target: impl Into<Target<'_>>,
    versions: &[TariffVersion],
    write: impl Fn(&Tariff) -> String,
) -> Result<Imported, ImportError> {
    let mut import = Import::begin(target).await?;
    let currency = select_operator(import.connection()).await?.map(|operator| operator.currency);
    let names: HashSet<&str> = versions.iter().map(|version| version.name.as_str()).collect();
    let stored = select_by(import.connection(), &TARIFFS, names.into_iter()).await?;
    let stored = stored.iter().map(|row| {
        let version: (String, DateTime<Utc>) = (row.try_get(0)?, row.try_get(1)?);
        let content: (Option<DateTime<Utc>>, String) = (row.try_get(2)?, row.try_get(3)?);
        Ok((version, content))
    });
    let stored: StoredVersions = stored.collect::<Result<_, sqlx::Error>>()?;
    // The file's rows replace stored ones.
    let mut spans: Spans<'_, DateTime<Utc>> =
        stored.iter().map(|((name, from), (to, _))| ((name.as_str(), *from), (*to, None))).collect();
    let mut rows = Vec::new();
    for (n, version) in versions.iter().enumerate() {
        match &currency {
            None => import.refuse(n, "tariff", "there is no operator yet: import it first"),
            Some(currency) if version.tariff.currency() != currency => {
                import.refuse(n, "tariff.currency", format!("expected {currency}, the operator's"));
            }
            Some(_) => {}
        }
        spans.insert((&version.name, version.valid_from), (version.valid_to, Some(n)));
        let new = (version.valid_to, write(&version.tariff));
        if import.differs(&new, stored.get(&(version.name.clone(), version.valid_from))) {
            rows.push((n, TariffRow { version, body: new.1 }));
        }
    }
    for (n, reason) in overlaps(&spans) {
        import.refuse(n, "valid_from", reason);
    }
    import.finish(&UPSERT_TARIFFS, rows).await
}

/// The rows of the file among spans that overlap. An end is exclusive.
pub(super) fn overlaps<T: Ord + std::fmt::Display>(spans: &Spans<'_, T>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (((name, from), (to, row)), ((next_name, next_from), (_, next_row))) in spans.iter().zip(spans.iter().skip(1)) {
        if name != next_name || to.as_ref().is_some_and(|to| to <= next_from) {
            continue;
        }
        // Of two, the later one is named if the file has it.
        match (next_row, row) {
            (Some(n), _) => found.push((*n, format!("overlaps the one from {from}"))),
            (None, Some(n)) => found.push((*n, format!("overlaps the one from {next_from}"))),
            (None, None) => {}
        }
    }
    found
}

static PLANS: Statement = Statement::new("SELECT plan, description, fee, tariff FROM plans WHERE plan IN (", "?", ")");

static UPSERT_PLANS: Statement = Statement::new(
    "INSERT INTO plans (plan, description, fee, tariff) VALUES ",
    "(?,?,?,?)",
    " ON DUPLICATE KEY UPDATE description = VALUES(description), fee = VALUES(fee), tariff = VALUES(tariff)",
);

static TARIFF_NAMES: Statement = Statement::new("SELECT DISTINCT name FROM tariffs WHERE name IN (", "?", ")");

struct PlanRow<'a>(&'a Plan);

impl Row for PlanRow<'_> {
    const COLUMNS: usize = 4;
    const BYTES: usize = 200;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        add(arguments, self.0.plan.as_str())?;
        add(arguments, self.0.description.as_str())?;
        add(arguments, self.0.fee)?;
        add(arguments, self.0.tariff.as_str())
    }
}

/// Imports plans.
///
/// # Errors
/// When a plan names a tariff that is not stored.
pub async fn plans(target: impl Into<Target<'_>>, plans: &[Plan]) -> Result<Imported, ImportError> {
    let mut import = Import::begin(target).await?;
    let names: HashSet<&str> = plans.iter().map(|plan| plan.tariff.as_str()).collect();
    let tariffs = select_by(import.connection(), &TARIFF_NAMES, names.into_iter()).await?;
    let tariffs: HashSet<String> = tariffs.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>()?;
    let stored = select_by(import.connection(), &PLANS, plans.iter().map(|plan| plan.plan.as_str())).await?;
    let stored = stored.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))));
    let stored: HashMap<String, (String, Decimal, String)> = stored.collect::<Result<_, sqlx::Error>>()?;
    let mut rows = Vec::new();
    for (n, plan) in plans.iter().enumerate() {
        if !tariffs.contains(&plan.tariff) {
            import.refuse(n, "tariff", format!("there is no tariff named {}", plan.tariff));
        }
        let new = (plan.description.clone(), plan.fee, plan.tariff.clone());
        if import.differs(&new, stored.get(&plan.plan)) {
            rows.push((n, PlanRow(plan)));
        }
    }
    import.finish(&UPSERT_PLANS, rows).await
}
