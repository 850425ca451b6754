//! Reading the fields of a stored document.

use chrono::{DateTime, Utc};
use millrace_domain::customers::PeriodUsage;
use mongodb::bson::{self, Bson, Document};
use rust_decimal::Decimal;

use crate::error::DocumentError;

/// A document of one collection while it is read.
pub(crate) struct Fields<'a> {
    pub(crate) collection: &'static str,
    pub(crate) document: &'a Document,
}

impl Fields<'_> {
    pub(crate) fn text(&self, field: &'static str) -> Result<&str, DocumentError> {
        self.document.get_str(field).map_err(|e| self.malformed(field, e))
    }

    pub(crate) fn count(&self, field: &'static str) -> Result<u64, DocumentError> {
        let number = match self.document.get(field) {
            Some(Bson::Int32(n)) => i64::from(*n),
            Some(Bson::Int64(n)) => *n,
            _ => return Err(self.malformed(field, "expected an integer")),
        };
        u64::try_from(number).map_err(|e| self.malformed(field, e))
    }

    pub(crate) fn small_count(&self, field: &'static str) -> Result<u32, DocumentError> {
        u32::try_from(self.count(field)?).map_err(|e| self.malformed(field, e))
    }

    pub(crate) fn number(&self, field: &'static str) -> Result<f64, DocumentError> {
        self.document.get_f64(field).map_err(|e| self.malformed(field, e))
    }

    /// What was called in a part of the day, from its three fields.
    pub(crate) fn period(
        &self,
        minutes: &'static str,
        calls: &'static str,
        charge: &'static str,
    ) -> Result<PeriodUsage, DocumentError> {
        Ok(PeriodUsage {
            minutes: self.number(minutes)?,
            calls: self.small_count(calls)?,
            charge: self.number(charge)?,
        })
    }

    pub(crate) fn flag(&self, field: &'static str) -> Result<bool, DocumentError> {
        self.document.get_bool(field).map_err(|e| self.malformed(field, e))
    }

    pub(crate) fn time(&self, field: &'static str) -> Result<DateTime<Utc>, DocumentError> {
        let at = self.document.get_datetime(field).map_err(|e| self.malformed(field, e))?;
        DateTime::from_timestamp_millis(at.timestamp_millis())
            .ok_or_else(|| self.malformed(field, "beyond the calendar"))
    }

    pub(crate) fn money(&self, field: &'static str) -> Result<Decimal, DocumentError> {
        let stored = self.document.get_decimal128(field).map_err(|e| self.malformed(field, e))?.to_string();
        // The driver writes large values with an exponent.
        stored.parse().or_else(|_| Decimal::from_scientific(&stored)).map_err(|e| self.malformed(field, e))
    }

    /// `None` where the field is absent.
    pub(crate) fn optional<T>(
        &self,
        field: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Result<T, DocumentError>,
    ) -> Result<Option<T>, DocumentError> {
        if self.document.contains_key(field) { read(self, field).map(Some) } else { Ok(None) }
    }

    pub(crate) fn malformed(&self, field: &'static str, reason: impl ToString) -> DocumentError {
        DocumentError::Malformed { collection: self.collection, field, reason: reason.to_string() }
    }
}

/// An instant as documents keep it.
pub(crate) fn time(at: DateTime<Utc>) -> bson::DateTime {
    bson::DateTime::from_millis(at.timestamp_millis())
}

/// A count as documents keep it. Nothing that is counted here comes near 2^63.
pub(crate) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// An exact decimal as documents keep it.
pub(crate) fn money(
    collection: &'static str,
    field: &'static str,
    value: Decimal,
) -> Result<bson::Decimal128, DocumentError> {
    value.to_string().parse().map_err(|e: bson::error::Error| DocumentError::Malformed {
        collection,
        field,
        reason: e.to_string(),
    })
}
