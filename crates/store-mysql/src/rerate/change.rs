//! What a new charge does to an event: which invoice carries it, or its difference from what was invoiced.

use millrace_domain::cycles::Cycle;
use rust_decimal::Decimal;

use super::events::{Credit, StoredEvent};
use crate::charging::Charge;
use crate::gate::Gate;

/// What becomes of an event whose charge is another one now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The cycle (YYYYMM) whose invoice carries the charge.
    pub(super) bill_cycle: Option<u32>,
    /// The cycle (YYYYMM) of the event, when the charge becomes late by this.
    pub(super) late_from: Option<u32>,
    /// Whether it was late, on an invoice that is not written yet, and is not any more.
    pub(super) no_longer_late: bool,
    /// Where the difference from what was invoiced goes, and how much it is.
    pub(super) credit: Option<(Credit, Decimal)>,
    /// Whether the account, the amount, the reason or the cycle is another one: all that sums are made of.
    pub(super) counts: bool,
}

/// Cycles of an event.
pub(super) struct Own {
    /// Its cycle as the account has it that its row says.
    pub(super) old: Option<Cycle>,
    /// Its cycle as the account has it that pays for it now.
    pub(super) new: Option<Cycle>,
}

/// Decides; `None` when nothing is to be written.
pub(super) fn change(gate: &Gate, old: &StoredEvent, charge: &Charge, own: &Own) -> Option<Change> {
    let old_invoice = old.account_no.zip(old.bill_cycle);
    let invoiced = old_invoice.is_some_and(|(account_no, cycle)| gate.is_invoiced(account_no, cycle));
    let same_account = old.account_no == charge.account_no;
    let first_rated = || {
        let (account_no, own) = charge.account_no.zip(own.new).filter(|_| charge.amount.is_some())?;
        Some(gate.bill_cycle(account_no, own).code())
    };
    let bill_cycle = match old_invoice {
        // What an invoice carries stays with it; from the account that did not use it, it is taken as a whole.
        Some((_, cycle)) if invoiced && same_account => Some(cycle),
        Some((account_no, cycle)) if same_account && charge.amount.is_some() && stays(gate, account_no, cycle, own) => {
            Some(cycle)
        }
        _ => first_rated(),
    };
    let old_own = own.old.map(Cycle::code);
    let moves = bill_cycle != old.bill_cycle || !same_account;
    let late_from = own.new.map(Cycle::code).filter(|own| moves && bill_cycle.is_some_and(|cycle| cycle != *own));
    let counts = moves || old.amount != charge.amount || old.rating_error != charge.rating_error;
    let rewritten = counts
        || old.tariff_no != charge.tariff_no
        || old.zone != charge.zone
        || old.currency.as_deref() != charge.currency.as_deref()
        || old.allowance_used != charge.allowance_used;
    rewritten.then(|| Change {
        bill_cycle,
        late_from,
        no_longer_late: moves && !invoiced && old.bill_cycle.is_some() && old.bill_cycle != old_own,
        credit: credit(gate, old, charge, own).filter(|_| invoiced),
        counts,
    })
}

/// Whether a charge stays in the cycle that carries it: its own, or a later one because its own is closed.
fn stays(gate: &Gate, account_no: u32, cycle: u32, own: &Own) -> bool {
    own.new.is_some_and(|own| cycle == own.code() || cycle > own.code() && gate.is_closed(account_no, own.code()))
}

/// The difference from an invoiced charge, if there is one. It goes to the account that was invoiced.
fn credit(gate: &Gate, old: &StoredEvent, charge: &Charge, own: &Own) -> Option<(Credit, Decimal)> {
    let account_no = old.account_no?;
    let now = charge.amount.filter(|_| charge.account_no == Some(account_no));
    let difference = now.unwrap_or_default() - old.amount.unwrap_or_default();
    let cycle = gate.bill_cycle(account_no, own.old?).code();
    (!difference.is_zero()).then_some((Credit { account_no, cycle }, difference))
}
