//! The database that a command works on: the stack's, or one on AWS, beside which no stack runs.

use clap::Args;
use millrace_secrets::{Part, Place, Secret};
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::{MySqlPool, pool};

use crate::CommandError;
use crate::home::Home;
use crate::stack::Stack;

/// The options that name a database on AWS. Where a command has actions, they may stand before the action and after it.
#[derive(Debug, Default, Args)]
pub(super) struct Database {
    /// A database on AWS, instead of the stack's
    #[arg(long, global = true, value_name = "URL")]
    mysql_url: Option<String>,
    /// With --mysql-url: the secret that has the password of its user
    #[arg(long, global = true, value_name = "ARN")]
    secret_arn: Option<String>,
}

impl Database {
    /// The stack of this machine, or `None` where the options name a database on AWS.
    ///
    /// # Errors
    /// When one option stands without the other (bad input), or there is no stack.
    pub(super) fn stack(&self) -> Result<Option<Stack>, CommandError> {
        match self.on_aws()? {
            Some(_) => Ok(None),
            None => Ok(Some(Home::find()?.stack()?)),
        }
    }

    /// A pool of the database, which connects when it is first used.
    ///
    /// # Errors
    /// When one option stands without the other or the address is none (bad input), the secret can't be read, or there is no stack.
    pub(super) async fn pool(&self) -> Result<MySqlPool, CommandError> {
        let Some((url, secret_arn)) = self.on_aws()? else {
            return Ok(of_stack(&Home::find()?.stack()?)?);
        };
        let place = Place { setting: "--secret-arn".into(), arn: secret_arn.into() };
        let secret = Secret::stored(place, Part::Password).await?;
        pool::connect(url, Some(&secret.value())).map_err(|error| CommandError::input(format!("--mysql-url: {error}")))
    }

    /// The address and its user's secret. clap's `requires` looks at the options before an action and those after it apart, so that
    /// a pair around the action would be refused.
    fn on_aws(&self) -> Result<Option<(&str, &str)>, CommandError> {
        match (self.mysql_url.as_deref(), self.secret_arn.as_deref()) {
            (None, None) => Ok(None),
            (Some(url), Some(arn)) => Ok(Some((url, arn))),
            (Some(_), None) => Err(CommandError::input("--mysql-url: --secret-arn is missing, the secret of its user")),
            (None, Some(_)) => Err(CommandError::input("--secret-arn goes with --mysql-url")),
        }
    }
}

/// A pool of the stack's database as the functions' user.
pub(super) fn of_stack(stack: &Stack) -> Result<MySqlPool, StoreError> {
    pool::connect(&stack.mysql_url(), Some(&stack.services.mysql_password.wrapped()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use clap::{Parser, Subcommand};

    use super::*;
    use crate::cli::Cli;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        database: Database,
        #[command(subcommand)]
        action: Action,
    }

    #[derive(Debug, PartialEq, Subcommand)]
    enum Action {
        List,
    }

    fn line(arguments: &str) -> Line {
        Line::try_parse_from(arguments.split(' ')).unwrap()
    }

    #[test]
    fn the_options_stand_before_an_action_after_it_and_around_it() {
        for arguments in [
            "x --mysql-url U --secret-arn A list",
            "x list --mysql-url U --secret-arn A",
            "x --mysql-url U list --secret-arn A",
            "x --secret-arn A list --mysql-url U",
        ] {
            let Line { database, action } = line(arguments);
            assert_eq!((database.on_aws().unwrap(), action), (Some(("U", "A")), Action::List), "{arguments}");
        }
        assert_eq!(line("x list").database.on_aws().unwrap(), None);
    }

    #[tokio::test]
    async fn one_option_without_the_other_is_bad_input_that_names_it() {
        for (arguments, missing) in [("x list --mysql-url U", "--secret-arn"), ("x --secret-arn A list", "--mysql-url")]
        {
            let database = line(arguments).database;
            for error in [database.stack().unwrap_err(), database.pool().await.unwrap_err()] {
                assert_eq!(error.exit_status(), 2);
                assert!(error.to_string().contains(missing), "{error}");
            }
        }
    }

    #[test]
    fn every_command_of_stored_data_takes_them() {
        for command in [
            "import cells cells.csv",
            "rerate --from 2026-11-01 --to 2026-12-01",
            "credit MR2026-00000001",
            "invoice MR2026-00000001 --usage",
            "models rollback --bucket B",
            "rejects replay --cluster-arn A",
        ] {
            let arguments = format!("millrace {command} --mysql-url U --secret-arn A");
            assert!(Cli::try_parse_from(arguments.split(' ')).is_ok(), "{command}");
        }
    }
}
