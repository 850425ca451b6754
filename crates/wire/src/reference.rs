//! The files of reference data that `millrace import` reads and the sample world is made of.
//!
//! A parser reads the whole file and names everything that is wrong with it. What only the store can know, such as a plan that
//! an account's subscription names, is checked there.

mod accounts;
mod error;
mod payments;
mod places;
mod plans;
mod table;
mod tariffs;

pub use accounts::{parse_accounts, parse_subscriptions, write_accounts, write_subscriptions};
pub use error::{Faulty, LineError};
pub use payments::{parse_payments, write_payments};
pub use places::{parse_cells, parse_sensors, write_cells, write_sensors};
pub use plans::{parse_operator, parse_plans, write_operator, write_plans};
pub use table::line_of_row;
pub use tariffs::{parse_tariffs, write_tariffs};
