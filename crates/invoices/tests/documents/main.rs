//! Invoices as documents: what they look like, and that each says what the invoice says, whatever stands in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod golden;
mod outside;
mod properties;
mod sample;
mod sums;
mod ubl;
