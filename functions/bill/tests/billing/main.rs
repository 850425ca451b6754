//! Billing on a real database, sentence by sentence of `docs/billing.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adding_up;
mod cancelled;
mod corrections;
mod cycles;
mod invoices;
mod runs;
mod support;
