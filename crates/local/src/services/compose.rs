//! The services as containers: `infra/compose.yaml`, brought up and down by Docker's own client.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, bail};
use tokio::process::Command;

use super::programs;
use crate::{
    project,
    stack::{BUCKET, REGION, Stack},
};

/// The containers of a stack. Docker restarts one that dies.
#[derive(Debug, Clone)]
pub struct Compose {
    docker: PathBuf,
    file: PathBuf,
    project: String,
    environment: Vec<(&'static str, String)>,
}

impl Compose {
    /// The containers of a stack, named after it.
    ///
    /// # Errors
    /// When there is no `docker` on the PATH.
    pub fn new(stack: &Stack) -> anyhow::Result<Self> {
        let docker = programs::find("docker").context("there is no docker on the PATH; --engine native needs none")?;
        Ok(Self {
            docker,
            file: project::root()?.join("infra/compose.yaml"),
            project: format!("millrace-{}", stack.id),
            environment: environment(stack)?,
        })
    }

    /// Starts the containers and waits until all are healthy.
    ///
    /// # Errors
    /// When Docker fails, with what it said on stderr above.
    pub async fn up(&self) -> anyhow::Result<()> {
        self.run(&["up", "--detach", "--wait", "--wait-timeout", "300"]).await
    }

    /// Stops the containers; their data stays.
    ///
    /// # Errors
    /// As [`Compose::up`].
    pub async fn stop(&self) -> anyhow::Result<()> {
        self.run(&["stop"]).await
    }

    /// Removes the containers and their data.
    ///
    /// # Errors
    /// As [`Compose::up`].
    pub async fn wipe(&self) -> anyhow::Result<()> {
        self.run(&["down", "--volumes"]).await
    }

    async fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.docker);
        command.args(["compose", "-p", &self.project, "-f"]).arg(&self.file).args(arguments);
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // What Docker tells is for people, as our own progress is.
        command.stdout(std::io::stderr());
        let status = command.status().await.context("can't run docker")?;
        if !status.success() {
            bail!("docker compose {} failed ({status})", arguments.join(" "));
        }
        Ok(())
    }
}

/// The variables that `compose.yaml` names.
fn environment(stack: &Stack) -> anyhow::Result<Vec<(&'static str, String)>> {
    let ports = stack.ports()?;
    Ok(vec![
        ("MILLRACE_KAFKA_PORT", ports.kafka().to_string()),
        ("MILLRACE_KAFKA_CLUSTER_ID", stack.services.kafka_cluster_id.clone()),
        ("MILLRACE_MYSQL_PORT", ports.mysql().to_string()),
        ("MILLRACE_MYSQL_ADMIN_PASSWORD", stack.services.mysql_admin_password.expose().to_owned()),
        ("MILLRACE_DOCUMENTS_PORT", ports.documents().to_string()),
        ("MILLRACE_OBJECTS_PORT", ports.objects().to_string()),
        ("MILLRACE_OBJECTS_BUCKET", BUCKET.to_owned()),
        ("MILLRACE_OBJECTS_REGION", REGION.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use super::*;
    use crate::{ports::Ports, stack::Engine};

    const FILE: &str = include_str!("../../../../infra/compose.yaml");

    #[test]
    fn the_emulator_of_aws_is_no_part_of_the_stack_and_runs_the_same_image_unrestricted() {
        let (_, service) = FILE.split_once("\n  aws:\n").unwrap();
        let (service, _) = service.split_once("\n\n").unwrap();
        assert!(service.contains("profiles: [aws]"), "else `compose up` without a profile would start it: {service}");
        assert!(!service.contains("SERVICES"), "{service}");
        assert_eq!(FILE.matches("localstack/localstack:").count(), 1, "versions are written once");
    }

    #[test]
    fn every_variable_that_the_file_demands_is_set_and_every_port_is_on_loopback() {
        let demanded: BTreeSet<&str> = FILE
            .split("${")
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name.split(':').next().unwrap())
            // Has a default there and is the user's to set.
            .filter(|name| *name != "MILLRACE_MYSQL_BUFFER_POOL")
            .collect();
        let stack = Stack::generate(Ports::from_base(18_000).unwrap(), Engine::Compose).unwrap();
        let given: BTreeSet<&str> = environment(&stack).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(demanded, given);
        let published: Vec<&str> = FILE.lines().filter(|line| line.trim_start().starts_with("ports:")).collect();
        assert!(published.len() == 5 && published.iter().all(|line| line.contains("\"127.0.0.1:")), "{published:?}");
    }
}
