//! `millrace invoke`: one invocation through Lambda's Invoke API of the running stack.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::control::Control;
use crate::home::Home;
use crate::{CommandError, project};

/// The options of `invoke`.
#[derive(Debug, Args)]
pub struct Invoke {
    /// The function's name
    function: String,
    /// A file with the event as JSON, or - for standard input (default: an empty object)
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
}

impl Invoke {
    /// Runs the command: prints the payload that the function answered with.
    ///
    /// # Errors
    /// When the event is no JSON, there is no such function or stack, or the function failed (its payload is printed then too).
    pub async fn run(self) -> Result<(), CommandError> {
        let event = match &self.event {
            Some(file) => read_event(file)?,
            None => b"{}".to_vec(),
        };
        let manifest = project::root()?.join("functions").join(&self.function).join("function.json");
        if !manifest.is_file() {
            return Err(CommandError::input(format!(
                "there is no function {} ({} is missing)",
                self.function,
                manifest.display()
            )));
        }
        let invoked = Control::new(&Home::find()?.stack()?).invoke(&self.function, event).await?;
        let mut out = std::io::stdout().lock();
        out.write_all(&invoked.payload).and_then(|()| out.write_all(b"\n")).context("can't write the answer")?;
        match invoked.function_error {
            Some(_) => Err(CommandError::Quiet),
            None => Ok(()),
        }
    }
}

fn read_event(file: &Path) -> Result<Vec<u8>, CommandError> {
    let wrong = |what: &dyn std::fmt::Display| CommandError::input(format!("--event {}: {what}", file.display()));
    let mut event = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut event).map(drop)
    } else {
        std::fs::read(file).map(|bytes| event = bytes)
    };
    read.map_err(|error| wrong(&error))?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&event).map_err(|error| wrong(&format!("no JSON: {error}")))?;
    Ok(event)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_event_that_is_no_json_is_bad_input_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("event.json");
        std::fs::write(&file, "{\"a\":}").unwrap();
        let error = read_event(&file).unwrap_err();
        assert_eq!(error.exit_status(), 2);
        assert!(error.to_string().contains("event.json") && error.to_string().contains("column 6"), "{error}");
        std::fs::write(&file, " {\"a\": 1}\n").unwrap();
        assert_eq!(read_event(&file).unwrap(), b" {\"a\": 1}\n");
    }
}
