//! What was spent of a tariff's allowances.

use std::collections::HashMap;

use chrono::Datelike;

use millrace_domain::tariffs::Tariff;
use millrace_domain::time::local_day;
use millrace_domain::usage::UsageEvent;

/// Units spent by number, service and month. Memory is bounded by the numbers and months that had an allowance to spend.
#[derive(Debug)]
pub(crate) struct Allowances<'t> {
    tariff: &'t Tariff,
    spent: HashMap<(u64, u32), u64>,
}

/// An allowance of a number in a month; small, as there may be one for each number of an operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Month {
    key: (u64, u32),
    amount: u64,
}

impl<'t> Allowances<'t> {
    pub(crate) fn new(tariff: &'t Tariff) -> Self {
        Self { tariff, spent: HashMap::new() }
    }

    /// The allowance that an event may use; `None` when its service has none.
    pub(crate) fn month(&self, event: &UsageEvent) -> Option<Month> {
        let amount = self.tariff.allowance(event.service);
        if amount == 0 {
            return None;
        }
        // A one before the digits keeps leading zeros apart; 15 digits and the one are below 2^64.
        let digits = event.subscriber.as_str().bytes();
        let number = digits.fold(1, |number: u64, digit| number * 10 + u64::from(digit - b'0'));
        let day = local_day(event.started_at, self.tariff.timezone());
        let month = (day.year() as u32 * 12 + day.month0()) * 3 + event.service as u32;
        Some(Month { key: (number, month), amount })
    }

    /// The units that are left of it.
    pub(crate) fn left(&self, month: Option<Month>) -> u64 {
        month.map_or(0, |month| month.amount - self.spent.get(&month.key).copied().unwrap_or(0).min(month.amount))
    }

    /// Spends units of it.
    pub(crate) fn spend(&mut self, month: Option<Month>, units: u64) {
        if let Some(month) = month.filter(|_| units > 0) {
            *self.spent.entry(month.key).or_default() += units;
        }
    }
}
