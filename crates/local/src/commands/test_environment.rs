//! `millrace test-environment`: what tests need to know of a stack's services, as `NAME=value` lines for a shell.

use clap::Args;

use crate::{CommandError, home::Home};

/// The options of `test-environment`.
#[derive(Debug, Args)]
pub struct TestEnvironment {}

impl TestEnvironment {
    /// Prints one assignment a line.
    ///
    /// # Errors
    /// When no stack was started in this home.
    pub fn run(&self) -> Result<(), CommandError> {
        let stack = Home::find()?.stack()?;
        let password = stack.services.mysql_admin_password.expose();
        let mysql = stack.mysql_admin_url().replacen("root@", &format!("root:{password}@"), 1);
        println!("MILLRACE_TEST_MYSQL_URL={mysql}");
        println!("MILLRACE_TEST_KAFKA={}", stack.kafka_brokers());
        println!("MILLRACE_TEST_DOCUMENTS_URL={}", stack.documents_url());
        Ok(())
    }
}
