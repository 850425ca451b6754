//! The price of one event by the terms of its number.

use std::sync::Arc;

use millrace_domain::rating;
use millrace_domain::usage::UsageEvent;
use millrace_store_mysql::reference::Terms;
use millrace_store_mysql::usage::{Charge, Pricing};

/// Prices by the tariff version of the number's plan.
pub(crate) struct ByTariff;

impl Pricing for ByTariff {
    fn charge(&self, event: &UsageEvent, terms: Option<Terms<'_>>) -> Charge {
        let Some(terms) = terms else { return Charge { rating_error: "no_subscription", ..Charge::default() } };
        let unrated = |rating_error| Charge { account_no: Some(terms.account_no), rating_error, ..Charge::default() };
        let Some(version) = terms.tariff else { return unrated("no_tariff") };
        match rating::price(&version.tariff, event, 0) {
            Ok(price) => Charge {
                account_no: Some(terms.account_no),
                tariff_no: Some(version.tariff_no),
                zone: price.zone.to_owned(),
                amount: Some(price.amount),
                currency: Some(Arc::clone(&version.currency)),
                rating_error: "",
            },
            Err(error) => unrated(error.as_str()),
        }
    }
}
