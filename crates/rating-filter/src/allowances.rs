//! What was spent of a tariff's allowances.

use std::collections::HashMap;

use millrace_domain::cycles::Cycle;
use millrace_domain::tariffs::Tariff;
use millrace_domain::time::local_day;
use millrace_domain::usage::UsageEvent;

/// Units spent by number, service and cycle. Memory is bounded by the numbers and cycles that had an allowance to spend.
#[derive(Debug)]
pub(crate) struct Allowances<'t> {
    tariff: &'t Tariff,
    cycle_day: u8,
    spent: HashMap<(u64, u32), u64>,
}

/// An allowance of a number in a cycle; small, as there may be one for each number of an operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CycleAllowance {
    key: (u64, u32),
    amount: u64,
}

impl<'t> Allowances<'t> {
    pub(crate) fn new(tariff: &'t Tariff, cycle_day: u8) -> Self {
        Self { tariff, cycle_day, spent: HashMap::new() }
    }

    /// The allowance that an event may use; `None` when its service has none.
    pub(crate) fn of(&self, event: &UsageEvent) -> Option<CycleAllowance> {
        let amount = self.tariff.allowance(event.service);
        if amount == 0 {
            return None;
        }
        // A one before the digits keeps leading zeros apart; 15 digits and the one are below 2^64.
        let digits = event.subscriber.as_str().bytes();
        let number = digits.fold(1, |number: u64, digit| number * 10 + u64::from(digit - b'0'));
        let day = local_day(event.started_at, self.tariff.timezone());
        let cycle = Cycle::of(day, self.cycle_day).code() * 3 + event.service as u32;
        Some(CycleAllowance { key: (number, cycle), amount })
    }

    /// The units that are left of it.
    pub(crate) fn left(&self, cycle: Option<CycleAllowance>) -> u64 {
        cycle.map_or(0, |cycle| cycle.amount - self.spent.get(&cycle.key).copied().unwrap_or(0).min(cycle.amount))
    }

    /// Spends units of it.
    pub(crate) fn spend(&mut self, cycle: Option<CycleAllowance>, units: u64) {
        if let Some(cycle) = cycle.filter(|_| units > 0) {
            *self.spent.entry(cycle.key).or_default() += units;
        }
    }
}
