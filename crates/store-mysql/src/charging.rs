//! What a usage event costs by the terms of its number, and on which invoice it stands.

use std::sync::Arc;

use millrace_domain::cycles::Cycle;
use millrace_domain::rating;
use millrace_domain::usage::UsageEvent;
use rust_decimal::Decimal;
use sqlx::MySqlConnection;

use crate::allowances::{AllowanceKey, Allowances};
use crate::fault::StoreError;
use crate::gate::Gate;
use crate::reference::{Reference, Terms};

/// What an event costs and by which terms, or why it has no price.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Charge {
    /// The account that pays, when the number has a subscription on that day.
    pub(crate) account_no: Option<u32>,
    /// The tariff version that priced it.
    pub(crate) tariff_no: Option<u32>,
    /// The zone under which usage is summed, at most 64 characters; empty while unrated.
    pub(crate) zone: String,
    /// The price in `currency`, at most 4 decimals; `None` while unrated.
    pub(crate) amount: Option<Decimal>,
    /// ISO 4217 code; `None` while unrated.
    pub(crate) currency: Option<Arc<str>>,
    /// Why there is no price, as in `no_rate`; empty when there is one.
    pub(crate) rating_error: &'static str,
    /// Units that the number's allowance paid for.
    pub(crate) allowance_used: u64,
}

/// What an event is priced by: the terms of its number, and the allowance that it may use.
pub(crate) struct Basis {
    /// `None` when the number has no subscription on that day.
    pub(crate) terms: Option<Terms>,
    /// The allowance that it may use.
    allowance: Option<usize>,
}

/// Finds what events are priced by, and places the allowances that they may use, which are still to be locked.
pub(crate) async fn prepare<'e>(
    connection: &mut MySqlConnection,
    reference: &Reference,
    allowances: &mut Allowances,
    events: impl Iterator<Item = &'e UsageEvent> + Clone,
) -> Result<Vec<Basis>, StoreError> {
    let numbers = reference.numbers(connection, events.clone().map(|event| &event.subscriber)).await?;
    let prepare = |event: &UsageEvent| {
        let terms = numbers.terms(&event.subscriber, event.started_at);
        let limited = terms.as_ref().filter(|terms| terms.allowance(event.service) > 0);
        let allowance = limited.map(|terms| {
            allowances.place(AllowanceKey {
                cycle_start: terms.cycle_start(),
                subscriber: event.subscriber.clone(),
                service: event.service,
            })
        });
        Basis { terms, allowance }
    };
    Ok(events.map(prepare).collect())
}

impl Basis {
    /// Prices the event and spends what it uses of the allowance, which is locked by now.
    pub(crate) fn charge(&self, event: &UsageEvent, allowances: &mut Allowances) -> Charge {
        let Some(terms) = &self.terms else {
            return Charge { rating_error: "no_subscription", ..Charge::default() };
        };
        let unrated = |rating_error| Charge { account_no: Some(terms.account_no), rating_error, ..Charge::default() };
        let Some(version) = &terms.tariff else { return unrated(rating::RatingError::NoRate.as_str()) };
        let left = self.allowance.map_or(0, |place| allowances.left(place, terms.allowance(event.service)));
        match rating::price(&version.tariff, event, left) {
            Ok(price) => {
                if let Some(place) = self.allowance {
                    allowances.spend(place, price.allowance_used);
                }
                Charge {
                    account_no: Some(terms.account_no),
                    tariff_no: Some(version.tariff_no),
                    zone: price.zone.to_owned(),
                    amount: Some(price.amount),
                    currency: Some(Arc::clone(&version.currency)),
                    rating_error: "",
                    allowance_used: price.allowance_used,
                }
            }
            Err(error) => unrated(error.as_str()),
        }
    }

    /// Takes back what [`Basis::charge`] has spent.
    pub(crate) fn take_back(&self, charge: &Charge, allowances: &mut Allowances) {
        if let Some(place) = self.allowance {
            allowances.give_back(place, charge.allowance_used);
        }
    }

    /// The account and its cycle, if that may be closed.
    pub(crate) fn may_be_late(&self, gate: &Gate) -> Option<u32> {
        let terms = self.terms.as_ref()?;
        gate.may_be_closed(terms.cycle_day, terms.cycle).then_some(terms.account_no)
    }

    /// The cycle whose invoice carries a charge of the event that is first rated now.
    pub(crate) fn bill_cycle(&self, gate: &Gate) -> Option<Cycle> {
        self.terms.as_ref().map(|terms| gate.bill_cycle(terms.account_no, terms.cycle))
    }
}
