//! Calls of customers, by the cycle that bills them and the part of the day.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use millrace_domain::calls::CallPeriod;
use millrace_domain::usage::Service;
use rust_decimal::Decimal;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use crate::cache::calls::period_no;
use crate::fault::StoreError;
use crate::usage::service_of;

/// A cycle (YYYYMM), an account and a part of the day as its number.
pub(super) type CallKey = (u32, u32, u8);

/// A voice event.
pub(super) struct Call {
    started_at: DateTime<Utc>,
    seconds: u64,
    subscriber: String,
    destination: String,
    roaming: bool,
}

impl Call {
    /// The call that an event, or a re-rated one, is: `None` for another service, and where the event is gone.
    pub(super) fn read(row: &MySqlRow) -> Result<Option<Self>, StoreError> {
        let (destination, roaming) = (row.try_get("destination")?, row.try_get("roaming")?);
        match (service_of(row.try_get("service")?), destination, roaming) {
            (Some(Service::Voice), Some(destination), Some(roaming)) => Ok(Some(Self {
                started_at: row.try_get("started_at")?,
                seconds: row.try_get("usage_amount")?,
                subscriber: row.try_get("subscriber")?,
                destination,
                roaming,
            })),
            _ => Ok(None),
        }
    }

    /// The number of the part of the day in which it falls.
    pub(super) fn period(&self, timezone: Tz) -> u8 {
        period_no(CallPeriod::of(self.started_at, timezone, &self.subscriber, &self.destination, self.roaming))
    }
}

/// What is added to the calls of a customer. Re-rating can take from them.
#[derive(Default)]
pub(super) struct CallsChange {
    pub(super) seconds: i64,
    pub(super) calls: i64,
    pub(super) charge: Decimal,
}

impl CallsChange {
    pub(super) fn add(&mut self, call: &Call, amount: Decimal, sign: i8) {
        // An event's usage is at most 10^15.
        self.seconds += i64::try_from(call.seconds).unwrap_or(i64::MAX) * i64::from(sign);
        self.calls += i64::from(sign);
        self.charge += amount * Decimal::from(sign);
    }
}

pub(super) struct CallRow<'a> {
    pub(super) key: &'a CallKey,
    pub(super) change: &'a CallsChange,
    pub(super) version: u64,
}
