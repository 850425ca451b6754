//! What a trained churn model is, and how it scores.
//!
//! An [`Artefact`] holds everything that scoring needs: which columns are read and how they are prepared, the fitted model as plain
//! arrays, its calibration and its threshold. A [`Model`] is an artefact made ready: it turns an [`Observation`] into a [`Score`]
//! and into the [`Reason`]s behind it. Nothing here trains; `millrace-learning` does, and converts what each library fitted.
//!
//! ```
//! # use millrace_churn_model::{Artefact, Model};
//! # fn read(bytes: &[u8]) -> Result<Model, millrace_churn_model::ArtefactError> {
//! let model = Model::load(Artefact::from_bytes(bytes)?)?;
//! # Ok(model)
//! # }
//! ```

mod artefact;
mod calibration;
mod customer_score;
mod exact;
pub mod features;
mod linear;
mod model;
mod naive_bayes;
mod paths;
mod preparation;
mod shapley;
mod trees;

pub use artefact::{Artefact, ArtefactError, Predictor, SCHEMA_VERSION, TrainedOn, checksum};
pub use calibration::Calibration;
pub use customer_score::CustomerScore;
pub use features::{Observation, PlatformUsage};
pub use linear::Linear;
pub use model::{Model, Reason, ReasonValue, Score};
pub use naive_bayes::NaiveBayes;
pub use preparation::{Column, Preparation};
pub use trees::{Tree, Trees};
