//! The only MongoDB driver of Millrace.
//!
//! Documents are a cache of what MySQL knows: whole documents with a version, written only over a smaller one, so that writing
//! them twice, late or in another order changes nothing. Commands stay in the common subset of Amazon DocumentDB 5, MongoDB and
//! the embedded server: no transactions, sessions, change streams, pipeline updates or client-level bulk writes.
//!
//! | collection | one document per | `_id` |
//! | --- | --- | --- |
//! | `usage_hourly` | hour, service, cell | `2026-11-21T08:00:00Z/voice/C-1` |
//! | `usage_hourly_by_service` | hour, service | `2026-11-21T08:00:00Z/voice` |
//! | `usage_daily` | day (UTC), service, cell | `2026-11-21T00:00:00Z/voice/C-1` |
//! | `revenue_by_cycle` | billing cycle | `2026-11` |
//! | `sensor_hourly` | hour, sensor | `2026-11-21T08:00:00Z/S-1` |
//! | `sensor_latest` | sensor | the sensor's id |
//! | `churn_scores` | customer: the latest score | the customer's id |
//! | `customer_features` | labelled example; customer to be scored | `id@milliseconds`; `id@latest` |
//! | `customer_usage` | account and billing cycle | `A-1/2026-11` |
//! | `model_cards` | trained model | its version |
//! | `forecasts` | series | `temperature/CAS-01` |
//! | `watermarks` | feed: a topic, or what is folded of it | its name |

mod connection;
mod customer_usage;
mod error;
mod features;
mod forecasts;
mod model_cards;
mod read;
mod replace;
mod revenue;
mod scores;
mod sensor_hours;
mod sensors;
mod usage;
mod watermarks;

pub use connection::{DocumentSettings, DocumentStore};
pub use customer_usage::UsageOfCustomers;
pub use error::DocumentError;
pub use features::NewestFeatures;
pub use model_cards::ModelCard;
pub use replace::Replaced;
pub use usage::UsageGrain;
pub use watermarks::Watermark;
