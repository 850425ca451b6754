//! `millrace pause` and `millrace resume`: whether a function's event source mappings read, as `Enabled` of Lambda's
//! UpdateEventSourceMapping. A new `up` enables all.

use clap::Args;

use crate::CommandError;
use crate::control::Control;
use crate::home::Home;

/// The options of `pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// The function's name
    function: String,
}

/// The options of `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The function's name
    function: String,
}

impl Pause {
    /// Runs the command; returns when no batch is in flight any more.
    ///
    /// # Errors
    /// When no stack runs, or no topic is mapped to the function.
    pub async fn run(self) -> Result<(), CommandError> {
        set_enabled(&self.function, false).await
    }
}

impl Resume {
    /// Runs the command.
    ///
    /// # Errors
    /// When no stack runs, or no topic is mapped to the function.
    pub async fn run(self) -> Result<(), CommandError> {
        set_enabled(&self.function, true).await
    }
}

async fn set_enabled(function: &str, enabled: bool) -> Result<(), CommandError> {
    Ok(Control::new(&Home::find()?.stack()?).set_enabled(function, enabled).await?)
}
