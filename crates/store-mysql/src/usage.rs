//! Usage events with their charge.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use millrace_domain::cycles::Cycle;
use millrace_domain::usage::{Service, UsageEvent};
use sqlx::mysql::MySqlArguments;
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use crate::allowances::Allowances;
use crate::batch::{self, Incoming, Intake, Originals, Source, Stored};
use crate::charging::{self, Basis, Charge};
use crate::fault::StoreError;
use crate::gate::Gate;
use crate::insert::{self, Statement, add};
use crate::late_charges::{self, LateCharge};
use crate::reference::{Reference, ReferenceCache};

/// What storing a batch of events did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUsage {
    /// Its records.
    pub stored: Stored,
    /// Events that were stored without a price.
    pub unrated: u64,
}

/// Stores a batch of events with their charges in one transaction. Each event is priced by the tariff version in force at its
/// start, of the plan that its number has on that day; one without a price is kept with the reason. Allowances are spent in the
/// order in which events are stored.
///
/// # Errors
/// When the transaction failed as often as it was run; nothing is stored then.
pub async fn store(
    pool: &MySqlPool,
    reference: &ReferenceCache,
    source: Source<'_>,
    incoming: Incoming<UsageEvent>,
    originals: &dyn Originals,
) -> Result<StoredUsage, StoreError> {
    let intake = UsageIntake { reference, unrated: AtomicU64::new(0) };
    let stored = batch::commit(pool, &intake, source, incoming, originals).await?;
    Ok(StoredUsage { stored, unrated: intake.unrated.into_inner() })
}

/// The number under which a service is stored.
pub fn service_code(service: Service) -> u8 {
    match service {
        Service::Voice => 1,
        Service::Sms => 2,
        Service::Data => 3,
    }
}

/// The service of a stored number.
pub fn service_of(code: u8) -> Option<Service> {
    Service::ALL.into_iter().find(|service| service_code(*service) == code)
}

struct UsageIntake<'a> {
    reference: &'a ReferenceCache,
    /// By the last run of the transaction, which is the one that was committed.
    unrated: AtomicU64,
}

/// What a transaction carries along.
struct Work {
    gate: Gate,
    reference: Arc<Reference>,
    allowances: Allowances,
    late: Vec<LateCharge>,
    unrated: u64,
}

/// What an event's row says beside the event.
struct Charged {
    charge: Charge,
    /// The cycle (YYYYMM) whose invoice carries the charge; `None` while unrated.
    bill_cycle: Option<u32>,
    /// The cycle (YYYYMM) of the account at the event's start, when that is closed.
    late_from: Option<u32>,
}

static INSERT: Statement = Statement::new(
    "INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, \
     account_no, tariff_no, zone, amount, currency, rating_error, bill_cycle, allowance_used) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "",
);

// Both engines look up a list of whole primary keys one by one, whatever else the table holds at those times.
static KNOWN: Statement =
    Statement::new("SELECT started_at, event_id FROM usage_events WHERE (started_at, event_id) IN (", "(?,?)", ")");

/// How many values [`add_columns`] adds.
pub(crate) const COLUMNS: usize = 17;
/// About how many bytes they take.
pub(crate) const BYTES: usize = 172;

/// Adds an event with its charge: the columns that [`INSERT`] names.
pub(crate) fn add_columns(
    arguments: &mut MySqlArguments,
    event: &UsageEvent,
    charge: &Charge,
    bill_cycle: Option<u32>,
) -> Result<(), sqlx::Error> {
    add(arguments, event.started_at.naive_utc())?;
    add(arguments, event.event_id.as_bytes().as_slice())?;
    add(arguments, event.started_at.date_naive())?;
    add(arguments, service_code(event.service))?;
    add(arguments, event.subscriber.as_str())?;
    add(arguments, event.destination.as_ref().map_or("", |to| to.as_str()))?;
    add(arguments, event.usage)?;
    add(arguments, event.cell.as_ref().map_or("", |cell| cell.as_str()))?;
    add(arguments, event.roaming)?;
    add(arguments, charge.account_no)?;
    add(arguments, charge.tariff_no)?;
    add(arguments, charge.zone.as_str())?;
    add(arguments, charge.amount)?;
    add(arguments, charge.currency.as_deref())?;
    add(arguments, charge.rating_error)?;
    add(arguments, bill_cycle)?;
    add(arguments, charge.allowance_used)
}

impl Intake for UsageIntake<'_> {
    type Record = UsageEvent;
    type Identity = (DateTime<Utc>, [u8; 16]);
    type Basis = Basis;
    type Derived = Charged;
    type Work = Work;

    const COLUMNS: usize = COLUMNS;
    const BYTES: usize = BYTES;

    fn statement() -> &'static Statement {
        &INSERT
    }

    fn identity(event: &UsageEvent) -> Self::Identity {
        (event.started_at, *event.event_id.as_bytes())
    }

    /// Allowances are spent in this order, and re-rating spends them anew in the order of the rows.
    fn in_order_of_arrival(work: &Work) -> bool {
        work.reference.has_allowances()
    }

    async fn begin(&self, connection: &mut MySqlConnection) -> Result<Work, StoreError> {
        let gate = Gate::lock(connection).await?;
        let reference = self.reference.current(connection).await?;
        Ok(Work { gate, reference, allowances: Allowances::default(), late: Vec::new(), unrated: 0 })
    }

    async fn known(
        connection: &mut MySqlConnection,
        identities: &[Self::Identity],
    ) -> Result<HashSet<Self::Identity>, StoreError> {
        let rows = insert::select_by_keys(connection, &KNOWN, identities, |arguments, (started_at, event_id)| {
            add(arguments, started_at.naive_utc())?;
            add(arguments, event_id.as_slice())
        })
        .await?;
        rows.iter()
            .map(|row| {
                let event_id: &[u8] = row.try_get(1)?;
                let event_id =
                    event_id.try_into().map_err(|_| StoreError::Stored("an event_id is not 16 bytes".into()))?;
                Ok((row.try_get(0)?, event_id))
            })
            .collect()
    }

    async fn prepare(
        &self,
        connection: &mut MySqlConnection,
        work: &mut Work,
        events: &[&UsageEvent],
    ) -> Result<Vec<Basis>, StoreError> {
        let Work { gate, reference, allowances, .. } = work;
        let bases = charging::prepare(connection, reference, allowances, events.iter().copied()).await?;
        let perhaps_closed = bases.iter().filter_map(|basis| basis.may_be_late(gate)).collect();
        gate.read_closed(connection, perhaps_closed).await?;
        allowances.lock(connection).await?;
        Ok(bases)
    }

    fn derive(&self, work: &mut Work, event: &UsageEvent, basis: &Basis) -> Charged {
        let charge = basis.charge(event, &mut work.allowances);
        let own = basis.terms.as_ref().map(|terms| terms.cycle.code());
        let bill_cycle = basis.bill_cycle(&work.gate).map(Cycle::code).filter(|_| charge.amount.is_some());
        let late_from = own.filter(|_| bill_cycle.is_some() && bill_cycle != own);
        Charged { charge, bill_cycle, late_from }
    }

    fn take_back(&self, work: &mut Work, basis: &Basis, charged: &Charged) {
        basis.take_back(&charged.charge, &mut work.allowances);
    }

    fn add_row(arguments: &mut MySqlArguments, event: &UsageEvent, charged: &Charged) -> Result<(), sqlx::Error> {
        add_columns(arguments, event, &charged.charge, charged.bill_cycle)
    }

    fn stored(&self, work: &mut Work, event: &UsageEvent, charged: &Charged) {
        work.unrated += u64::from(charged.charge.amount.is_none());
        if let (Some(own_cycle), Some(bill_cycle), Some(account_no)) =
            (charged.late_from, charged.bill_cycle, charged.charge.account_no)
        {
            let (started_at, event_id) = (event.started_at, event.event_id);
            work.late.push(LateCharge { bill_cycle, account_no, started_at, event_id, own_cycle });
        }
    }

    async fn finish(&self, connection: &mut MySqlConnection, work: Work) -> Result<(), StoreError> {
        work.allowances.save(connection).await?;
        insert::insert_all(connection, &late_charges::INSERT, &work.late).await?;
        self.unrated.store(work.unrated, Ordering::Relaxed);
        Ok(())
    }
}
