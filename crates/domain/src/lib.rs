//! Types and rules of Millrace, and nothing else: no I/O, no clock, no randomness, no environment. Whatever varies is an argument.
//!
//! Values here are valid by construction: private fields are filled by one `parse` or `new`, which names what was wrong.

pub mod aggregates;
pub mod alarms;
pub mod billing;
pub mod calls;
pub mod customers;
pub mod cycles;
pub mod forecasts;
pub mod identity;
mod inline_text;
pub mod rating;
pub mod reference;
pub mod sensors;
pub mod tariffs;
pub mod time;
pub mod usage;
