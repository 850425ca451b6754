//! Customer snapshots, and the scores of those without a label in the same transaction.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use millrace_churn_model::CustomerScore;
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::CustomerId;
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use crate::batch::{self, Incoming, Intake, Originals, Source, Stored};
use crate::fault::StoreError;
use crate::insert::{Statement, add};
use crate::scores::{self, Scored, SnapshotKey};
use crate::sensors::known_text_keys;

/// What storing a batch of snapshots did.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSnapshots {
    /// Its records.
    pub stored: Stored,
    /// The scores of those without a label.
    pub scored: Scored,
}

/// Stores a batch of snapshots with the scores of those without a label, in one transaction. `scores` are of this batch's
/// snapshots, at most one of each; a snapshot without a label that has none waits for it. A label closes the customer's open alert.
///
/// # Errors
/// When the transaction failed as often as it was run; nothing is stored then.
pub async fn store(
    pool: &MySqlPool,
    scores: Vec<CustomerScore>,
    source: Source<'_>,
    incoming: Incoming<CustomerSnapshot>,
    originals: &dyn Originals,
) -> Result<StoredSnapshots, StoreError> {
    let scores = scores::storable(scores);
    let scores = scores.iter().map(|score| ((score.observed_at, score.customer_id.clone()), score)).collect();
    let intake = SnapshotIntake { scores, scored: Mutex::default() };
    let stored = batch::commit(pool, &intake, source, incoming, originals).await?;
    Ok(StoredSnapshots { stored, scored: intake.scored.into_inner().unwrap_or_else(PoisonError::into_inner) })
}

struct SnapshotIntake<'a> {
    scores: HashMap<SnapshotKey, &'a CustomerScore>,
    /// By the last run of the transaction, which is the one that was committed.
    scored: Mutex<Scored>,
}

/// The columns of a snapshot, in the order in which [`SnapshotIntake`] binds them: all that [`snapshot`] reads.
macro_rules! columns {
    () => {
        "observed_at, customer_id, state, account_length, area_code, international_plan, voice_mail_plan, number_vmail_messages, \
         total_day_minutes, total_day_calls, total_day_charge, total_eve_minutes, total_eve_calls, total_eve_charge, \
         total_night_minutes, total_night_calls, total_night_charge, total_intl_minutes, total_intl_calls, total_intl_charge, \
         customer_service_calls, churn"
    };
}
pub(crate) use columns;

static INSERT: Statement = Statement::new(
    concat!("INSERT INTO customer_snapshots (", columns!(), ") VALUES "),
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "",
);

// A second index holds both columns too. Left to choose, MariaDB weighs every way to combine the two: 140 ms for 500 snapshots of
// one time, against 2 ms by the primary key.
static KNOWN: Statement = Statement::new(
    "SELECT observed_at, customer_id FROM customer_snapshots FORCE INDEX (PRIMARY) WHERE (observed_at, customer_id) IN (",
    "(?,?)",
    ")",
);

/// The snapshots of a batch that were stored.
#[derive(Default)]
struct Work {
    unlabelled: Vec<SnapshotKey>,
    labelled: Vec<SnapshotKey>,
}

impl Intake for SnapshotIntake<'_> {
    type Record = CustomerSnapshot;
    type Identity = SnapshotKey;
    type Basis = ();
    type Derived = ();
    type Work = Work;

    const COLUMNS: usize = 22;
    const BYTES: usize = 200;

    fn statement() -> &'static Statement {
        &INSERT
    }

    fn identity(snapshot: &CustomerSnapshot) -> Self::Identity {
        (snapshot.observed_at, snapshot.customer_id.clone())
    }

    async fn begin(&self, _: &mut MySqlConnection) -> Result<Self::Work, StoreError> {
        Ok(Work::default())
    }

    async fn known(
        connection: &mut MySqlConnection,
        identities: &[Self::Identity],
    ) -> Result<HashSet<Self::Identity>, StoreError> {
        let keys = identities.iter().map(|(at, customer_id)| (*at, customer_id.as_str()));
        let rows = known_text_keys(connection, &KNOWN, keys).await?;
        rows.into_iter()
            .map(|(at, id)| {
                let id =
                    CustomerId::parse(&id).map_err(|error| StoreError::Stored(format!("a customer_id: {error}")))?;
                Ok((at, id))
            })
            .collect()
    }

    async fn prepare(
        &self,
        _: &mut MySqlConnection,
        _: &mut Self::Work,
        snapshots: &[&CustomerSnapshot],
    ) -> Result<Vec<()>, StoreError> {
        Ok(vec![(); snapshots.len()])
    }

    fn derive(&self, _: &mut Self::Work, _: &CustomerSnapshot, (): &()) {}

    fn add_row(arguments: &mut MySqlArguments, snapshot: &CustomerSnapshot, (): &()) -> Result<(), sqlx::Error> {
        add(arguments, snapshot.observed_at.naive_utc())?;
        add(arguments, snapshot.customer_id.as_str())?;
        add(arguments, snapshot.state.as_str())?;
        add(arguments, snapshot.account_length)?;
        add(arguments, snapshot.area_code)?;
        add(arguments, snapshot.international_plan)?;
        add(arguments, snapshot.voice_mail_plan)?;
        add(arguments, snapshot.number_vmail_messages)?;
        for period in [&snapshot.day, &snapshot.eve, &snapshot.night, &snapshot.intl] {
            add(arguments, period.minutes)?;
            add(arguments, period.calls)?;
            add(arguments, period.charge)?;
        }
        add(arguments, snapshot.customer_service_calls)?;
        add(arguments, snapshot.churn)
    }

    fn stored(&self, work: &mut Self::Work, snapshot: &CustomerSnapshot, (): &()) {
        let of_its_kind = if snapshot.churn.is_none() { &mut work.unlabelled } else { &mut work.labelled };
        of_its_kind.push(Self::identity(snapshot));
    }

    async fn finish(&self, connection: &mut MySqlConnection, work: Self::Work) -> Result<(), StoreError> {
        let scored = scores::store_new(connection, &self.scores, work.unlabelled, &work.labelled).await?;
        *self.scored.lock().unwrap_or_else(PoisonError::into_inner) = scored;
        Ok(())
    }
}

/// Reads a row that has every column of a snapshot.
pub(crate) fn snapshot(row: &MySqlRow) -> Result<CustomerSnapshot, StoreError> {
    let customer: &str = row.try_get("customer_id")?;
    let period = |minutes, calls, charge| {
        Ok::<_, sqlx::Error>(PeriodUsage {
            minutes: row.try_get(minutes)?,
            calls: row.try_get(calls)?,
            charge: row.try_get(charge)?,
        })
    };
    Ok(CustomerSnapshot {
        customer_id: CustomerId::parse(customer)
            .map_err(|e| StoreError::Stored(format!("customer_snapshots.customer_id: {e}")))?,
        observed_at: row.try_get("observed_at")?,
        state: row.try_get("state")?,
        account_length: row.try_get("account_length")?,
        area_code: row.try_get("area_code")?,
        international_plan: row.try_get("international_plan")?,
        voice_mail_plan: row.try_get("voice_mail_plan")?,
        number_vmail_messages: row.try_get("number_vmail_messages")?,
        day: period("total_day_minutes", "total_day_calls", "total_day_charge")?,
        eve: period("total_eve_minutes", "total_eve_calls", "total_eve_charge")?,
        night: period("total_night_minutes", "total_night_calls", "total_night_charge")?,
        intl: period("total_intl_minutes", "total_intl_calls", "total_intl_charge")?,
        customer_service_calls: row.try_get("customer_service_calls")?,
        churn: row.try_get("churn")?,
    })
}
