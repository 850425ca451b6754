//! `millrace credit`: the credit note that cancels an invoice.

use std::time::{Duration, Instant};

use chrono::Utc;
use clap::Args;
use millrace_store_mysql::billing::{self, BillingError};
use millrace_store_mysql::import;
use serde_json::json;

use super::database::Database;
use super::output::{print, print_json};
use crate::CommandError;

/// How long a billing run or re-rating that is at work is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest reason that is kept, in characters.
const REASON: usize = 400;

/// The options of `credit`.
#[derive(Debug, Args)]
pub struct Credit {
    /// The invoice's number
    number: String,
    /// Why, as the credit note says it
    #[arg(long, value_name = "T", default_value = "", value_parser = reason, hide_default_value = true)]
    reason: String,
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

fn reason(text: &str) -> Result<String, String> {
    if text.chars().count() > REASON {
        return Err(format!("expected at most {REASON} characters"));
    }
    Ok(text.trim().to_owned())
}

impl Credit {
    /// Runs the command: prints the credit note's number and total.
    ///
    /// # Errors
    /// When there is no such invoice (bad input), it is cancelled already or is a credit note itself, or the database is not there.
    pub async fn run(self) -> Result<(), CommandError> {
        let pool = self.database.pool().await?;
        let operator = import::stored_operator(&pool).await?.ok_or(BillingError::NoOperator)?;
        let holder = format!("credit {}", uuid::Uuid::new_v4());
        let work = billing::cancel(&pool, &holder, &operator, &self.number, &self.reason, Utc::now);
        let note = match billing::in_turn(&pool, &holder, Instant::now() + PATIENCE, work).await {
            Err(error @ BillingError::Unknown(_)) => return Err(CommandError::input(error.to_string())),
            outcome => outcome?,
        };
        if self.json {
            return print_json(&json!({
                "number": note.number,
                "cancels": self.number,
                "net": note.net,
                "tax": note.tax,
                "total": note.total,
                "currency": note.currency,
                "reason": note.reason,
            }));
        }
        print(&format!("{} cancels {}: {} {}\n", note.number, self.number, note.total, note.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_is_too_long_is_refused() {
        assert_eq!(reason(" wrong plan "), Ok("wrong plan".to_owned()));
        assert!(reason(&"é".repeat(REASON)).is_ok() && reason(&"é".repeat(REASON + 1)).is_err());
    }
}
