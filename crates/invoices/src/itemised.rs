//! The usage behind an invoice as CSV, written row by row: a large customer's does not fit in memory.

use std::io::{self, Write};

use chrono_tz::Tz;
use millrace_domain::billing::ItemisedCharge;

use crate::sheet::exact;

const HEADER: [&str; 14] = [
    "invoice_number",
    "kind",
    "msisdn",
    "started_at",
    "local_time",
    "service",
    "destination",
    "cell",
    "roaming",
    "quantity",
    "zone",
    "own_cycle",
    "amount",
    "event_id",
];

/// Writes itemised usage as CSV (RFC 4180, UTF-8) with a header.
pub struct ItemisedUsage<W: Write> {
    rows: csv::Writer<W>,
    invoice_number: String,
    timezone: Tz,
}

impl<W: Write> ItemisedUsage<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When `to` takes no more.
    pub fn new(to: W, invoice_number: &str, timezone: Tz) -> io::Result<Self> {
        let mut rows = csv::Writer::from_writer(to);
        rows.write_record(HEADER).map_err(io_error)?;
        Ok(Self { rows, invoice_number: invoice_number.to_owned(), timezone })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&mut self, charge: &ItemisedCharge) -> io::Result<()> {
        let local = charge.started_at.with_timezone(&self.timezone);
        let row = [
            self.invoice_number.clone(),
            charge.kind.as_str().to_owned(),
            charge.msisdn.clone(),
            crate::json::time(charge.started_at),
            // With its offset: an hour is twice on the clock when clocks are put back.
            local.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
            charge.service.as_str().to_owned(),
            charge.destination.clone(),
            charge.cell.clone(),
            charge.roaming.to_string(),
            charge.usage.to_string(),
            charge.zone.clone(),
            charge.own_cycle.map(|cycle| cycle.to_string()).unwrap_or_default(),
            exact(charge.amount),
            charge.event_id.to_string(),
        ];
        self.rows.write_record(&row).map_err(io_error)
    }

    /// Writes what is still buffered.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.rows.flush()
    }
}

/// The cause itself: whoever reads from a pipe may have left, and that is told apart by its kind.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
