//! One transaction of a run: some numbers with all of their events in the period.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use millrace_domain::cycles::Cycle;
use millrace_domain::time::local_day;
use rust_decimal::Decimal;
use sqlx::{MySqlConnection, MySqlPool, Row as _};

use super::RerateError;
use super::change::{self, Change, Own};
use super::events::{self, Adjustment, Rewritten, StoredEvent};
use super::run::Run;
use crate::allowances::{AllowanceKey, Allowances};
use crate::charging;
use crate::fault::StoreError;
use crate::gate::Gate;
use crate::insert::{self, Statement, add};
use crate::late_charges::{self, LateCharge};
use crate::leases;
use crate::reference::ReferenceCache;

/// The identity of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventKey {
    pub(super) started_at: DateTime<Utc>,
    pub(super) event_id: [u8; 16],
}

/// The events of some numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Chunk {
    pub(super) keys: Vec<EventKey>,
    pub(super) last_subscriber: String,
}

/// Prices the events of a chunk again. Answers how far the run is then.
pub(super) async fn run(
    pool: &MySqlPool,
    reference: &ReferenceCache,
    holder: &str,
    run: &Run,
    chunk: &Chunk,
) -> Result<Run, RerateError> {
    let mut transaction = pool.begin().await?;
    if !leases::holds(&mut transaction, leases::BILLING, holder).await? {
        return Err(RerateError::Interrupted);
    }
    let mut gate = Gate::lock(&mut transaction).await?;
    let reference = reference.current(&mut transaction).await?;
    if reference.version() != run.reference_version {
        return Err(RerateError::ReferenceChanged);
    }
    let stored = events::read(&mut transaction, &chunk.keys).await?;
    let accounts: Vec<u32> = stored.iter().filter_map(|event| event.account_no).collect();
    let cycle_days = events::cycle_days(&mut transaction, accounts.clone()).await?;

    let mut allowances = Allowances::default();
    let bases =
        charging::prepare(&mut transaction, &reference, &mut allowances, stored.iter().map(|event| &event.event))
            .await?;
    let timezone = reference.timezone();
    let old_cycles: Vec<Option<(Cycle, u8)>> =
        stored.iter().map(|event| old_cycle(event, timezone, &cycle_days)).collect();
    let spent = stored.iter().zip(&old_cycles).filter(|(event, _)| event.allowance_used > 0);
    let spent: Vec<(usize, u64)> = spent
        .filter_map(|(event, cycle)| {
            let (cycle, cycle_day) = (*cycle)?;
            let key = AllowanceKey {
                cycle_start: cycle.first_day(cycle_day),
                subscriber: event.event.subscriber.clone(),
                service: event.event.service,
            };
            Some((allowances.place(key), event.allowance_used))
        })
        .collect();
    allowances.lock(&mut transaction).await?;
    let perhaps_closed = bases.iter().filter_map(|basis| basis.may_be_late(&gate)).chain(accounts).collect();
    gate.read_closed(&mut transaction, perhaps_closed).await?;

    for (place, units) in spent {
        allowances.give_back(place, units);
    }
    let mut outcome = Written::default();
    for ((old, basis), old_cycle) in stored.iter().zip(&bases).zip(old_cycles) {
        let charge = basis.charge(&old.event, &mut allowances);
        let new_cycle = basis.terms.as_ref().map(|terms| terms.cycle);
        let own = Own { old: old_cycle.map(|(cycle, _)| cycle), new: new_cycle };
        if let Some(change) = change::change(&gate, old, &charge, &own) {
            outcome.add(run.run_id, old, charge, &own, &change);
        }
    }
    allowances.save(&mut transaction).await?;
    outcome.withhold_cancelled(&mut transaction).await?;
    outcome.write(&mut transaction).await?;
    let run = Run {
        last_subscriber: chunk.last_subscriber.clone(),
        events: run.events + stored.len() as u64,
        changed: run.changed + outcome.rows.len() as u64,
        difference: run.difference + outcome.difference,
        ..run.clone()
    };
    run.save(&mut transaction).await?;
    transaction.commit().await?;
    Ok(run)
}

/// The cycle of an event as the account has it that its row says, with the day on which that begins.
fn old_cycle(event: &StoredEvent, timezone: Option<Tz>, cycle_days: &HashMap<u32, u8>) -> Option<(Cycle, u8)> {
    let cycle_day = *cycle_days.get(&event.account_no?)?;
    Some((Cycle::of(local_day(event.event.started_at, timezone?), cycle_day), cycle_day))
}

/// What a transaction writes.
#[derive(Default)]
struct Written<'a> {
    rows: Vec<Rewritten<'a>>,
    adjustments: Vec<Adjustment<'a>>,
    late: Vec<LateCharge>,
    no_longer_late: Vec<&'a StoredEvent>,
    /// What amounts have become more, all in all.
    difference: Decimal,
}

static CANCELLED: Statement = Statement::new(
    "SELECT i.account_no, i.cycle FROM invoices i JOIN invoices c ON c.cancels = i.invoice_id WHERE i.account_no IN (",
    "?",
    ")",
);

static NO_LONGER_LATE: Statement = Statement::new(
    "DELETE FROM late_charges WHERE (bill_cycle, account_no, started_at, event_id) IN (",
    "(?,?,?,?)",
    ")",
);

impl<'a> Written<'a> {
    fn add(&mut self, run_id: u32, old: &'a StoredEvent, charge: charging::Charge, own: &Own, change: &Change) {
        let event = &old.event;
        if let (Some(own_cycle), Some(bill_cycle), Some(account_no)) =
            (change.late_from, change.bill_cycle, charge.account_no)
        {
            let (started_at, event_id) = (event.started_at, event.event_id);
            self.late.push(LateCharge { bill_cycle, account_no, started_at, event_id, own_cycle });
        }
        if change.no_longer_late {
            self.no_longer_late.push(old);
        }
        let difference = charge.amount.unwrap_or_default() - old.amount.unwrap_or_default();
        self.difference += difference;
        if change.counts {
            self.adjustments.push(Adjustment {
                run_id,
                old,
                new_account_no: charge.account_no,
                new_bill_cycle: change.bill_cycle,
                new_amount: charge.amount,
                credit: change.credit.map(|(credit, _)| credit),
                own_cycle: own.old.or(own.new).map(Cycle::code),
                difference: change.credit.map_or(difference, |(_, credited)| credited),
            });
        }
        self.rows.push(Rewritten { old, charge, bill_cycle: change.bill_cycle });
    }

    /// What a cancelled invoice carried is not billed again: neither is a difference from it.
    async fn withhold_cancelled(&mut self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        let credited = self.adjustments.iter().filter_map(|adjustment| adjustment.credit);
        let accounts: HashSet<u32> = credited.map(|credit| credit.account_no).collect();
        let rows = insert::select_by(connection, &CANCELLED, accounts.into_iter()).await?;
        let cancelled = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let cancelled: HashSet<(u32, u32)> = cancelled.collect::<Result<_, sqlx::Error>>()?;
        for adjustment in self.adjustments.iter_mut().filter(|adjustment| adjustment.credit.is_some()) {
            let invoice = adjustment.old.account_no.zip(adjustment.old.bill_cycle);
            if invoice.is_some_and(|invoice| cancelled.contains(&invoice)) {
                adjustment.credit = None;
                adjustment.difference = Decimal::ZERO;
            }
        }
        Ok(())
    }

    async fn write(&self, connection: &mut MySqlConnection) -> Result<(), StoreError> {
        insert::insert_all(connection, &events::REWRITE, &self.rows).await?;
        insert::execute_by_keys(connection, &NO_LONGER_LATE, &self.no_longer_late, |arguments, old| {
            add(arguments, old.bill_cycle)?;
            add(arguments, old.account_no)?;
            add(arguments, old.event.started_at.naive_utc())?;
            add(arguments, old.event.event_id.as_bytes().as_slice())
        })
        .await?;
        insert::insert_all(connection, &late_charges::INSERT, &self.late).await?;
        Ok(insert::insert_all(connection, &events::ADJUST, &self.adjustments).await?)
    }
}
