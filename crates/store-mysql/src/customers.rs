//! Customer snapshots.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::identity::CustomerId;
use sqlx::mysql::MySqlArguments;
use sqlx::{MySqlConnection, MySqlPool};

use crate::batch::{self, Incoming, Intake, Originals, Source, Stored};
use crate::fault::StoreError;
use crate::insert::{self, Statement, add};
use crate::sensors::known_text_keys;

/// Stores a batch of snapshots in one transaction.
///
/// # Errors
/// When the transaction failed as often as it was run; nothing is stored then.
pub async fn store(
    pool: &MySqlPool,
    source: Source<'_>,
    incoming: Incoming<CustomerSnapshot>,
    originals: &dyn Originals,
) -> Result<Stored, StoreError> {
    batch::commit(pool, &SnapshotIntake, source, incoming, originals).await
}

struct SnapshotIntake;

struct SnapshotRow<'a>(&'a CustomerSnapshot);

static INSERT: Statement = Statement::new(
    "INSERT INTO customer_snapshots (observed_at, customer_id, state, account_length, area_code, international_plan, voice_mail_plan, \
     number_vmail_messages, total_day_minutes, total_day_calls, total_day_charge, total_eve_minutes, total_eve_calls, total_eve_charge, \
     total_night_minutes, total_night_calls, total_night_charge, total_intl_minutes, total_intl_calls, total_intl_charge, \
     customer_service_calls, churn) VALUES ",
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

impl insert::Row for SnapshotRow<'_> {
    const COLUMNS: usize = 22;
    const BYTES: usize = 200;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let Self(snapshot) = self;
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
}

impl Intake for SnapshotIntake {
    type Record = CustomerSnapshot;
    type Identity = (DateTime<Utc>, CustomerId);
    type Row<'a> = SnapshotRow<'a>;
    type Work = ();

    fn statement() -> &'static Statement {
        &INSERT
    }

    fn identity(snapshot: &CustomerSnapshot) -> Self::Identity {
        (snapshot.observed_at, snapshot.customer_id.clone())
    }

    async fn begin(&self, _: &mut MySqlConnection) -> Result<(), StoreError> {
        Ok(())
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

    async fn rows<'a>(
        &self,
        _: &mut MySqlConnection,
        (): &mut (),
        snapshots: &[&'a CustomerSnapshot],
    ) -> Result<Vec<SnapshotRow<'a>>, StoreError> {
        Ok(snapshots.iter().map(|snapshot| SnapshotRow(snapshot)).collect())
    }

    fn stored(&self, (): &mut (), _: &CustomerSnapshot, _: &Self::Row<'_>) {}

    async fn finish(&self, _: &mut MySqlConnection, (): ()) -> Result<(), StoreError> {
        Ok(())
    }
}
