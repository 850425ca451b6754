//! The simulator as a supervised process: `millrace simulate`.

use std::{env, path::PathBuf, time::Duration};

use anyhow::Context;
use tokio::{process::Command, time::sleep};

use super::service::Service;
use crate::home::Home;

/// `millrace simulate` on a home's stack.
#[derive(Debug)]
pub struct Simulator {
    program: PathBuf,
    home: Home,
}

impl Simulator {
    /// Its name as a service.
    pub const NAME: &str = "simulate";

    /// The simulator of a home's stack, which is this program itself.
    ///
    /// # Errors
    /// When the system can't tell the path of this program.
    pub fn new(home: &Home) -> anyhow::Result<Self> {
        Ok(Self { program: env::current_exe().context("can't find this program's own path")?, home: home.clone() })
    }
}

impl Service for Simulator {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.program);
        command.arg("simulate").env("MILLRACE_HOME", self.home.path());
        Ok(command)
    }

    /// It serves nobody, so it is taken for ready when it has not ended at once.
    async fn ready(&self) -> anyhow::Result<()> {
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }

    /// The stack is of use without it.
    fn must_start(&self) -> bool {
        false
    }

    fn stop_patience(&self) -> Duration {
        Duration::from_secs(5)
    }
}
