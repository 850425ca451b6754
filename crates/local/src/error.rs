//! How a command fails, and with which exit status.

use std::fmt;

/// Why a command did not do its work.
#[derive(Debug)]
pub enum CommandError {
    /// The work failed: exit status 1.
    Work(anyhow::Error),
    /// Wrong use or bad input: exit status 2. The message names the option, field or line and what was expected.
    Input(String),
    /// The command has said all there is to say: exit status 1 and no further message.
    Quiet,
}

impl CommandError {
    /// An error of use or input, by its message.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// The exit status of the process: 1 for failed work, 2 for bad input.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Work(_) | Self::Quiet => 1,
            Self::Input(_) => 2,
        }
    }

    /// Whether there is a message to print.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        matches!(self, Self::Quiet)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The whole chain, on one line: the cause is what helps.
            Self::Work(error) => write!(f, "{error:#}"),
            Self::Input(message) => f.write_str(message),
            Self::Quiet => Ok(()),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self::Work(error.into())
    }
}
