//! Brings the schema up to date, keeps the tables' monthly partitions ahead, and makes the database's users with the passwords of
//! their secrets. A deployment invokes it, and a schedule each month; it may run twice, and two may run at once.

use chrono::{DateTime, Utc};
use millrace_secrets::Credentials;
use millrace_store_mysql::MySqlPool;
use millrace_store_mysql::accounts::{self, Account, Role};
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::schema;
use serde::Serialize;

/// The function.
pub struct Migrate {
    pool: MySqlPool,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Migrations applied by this run.
    pub applied: usize,
    /// Migrations of this build.
    pub known: usize,
    /// Monthly partitions made by this run.
    pub partitions: usize,
    /// Users that have the rights and the passwords they should.
    pub users: usize,
}

/// The accounts of the users that secrets name. They may sign in from everywhere: on AWS the network decides who gets that far.
///
/// # Errors
/// When a name is none of the platform's.
pub fn accounts(users: Vec<Credentials>) -> Result<Vec<Account>, StoreError> {
    let account = |user: Credentials| match Role::of(&user.username) {
        Some(role) => Ok(Account { role, user: user.username, host: "%".into(), password: user.password }),
        None => Err(StoreError::Settings(format!(
            "MILLRACE_MYSQL_USER_SECRET_ARNS: expected the users {} and {}, not {}",
            Role::Functions.user(),
            Role::Readers.user(),
            user.username
        ))),
    };
    users.into_iter().map(account).collect()
}

impl Migrate {
    /// Migrates this database.
    pub fn new(pool: MySqlPool) -> Self {
        Self { pool }
    }

    /// Does whatever is missing at the instant `now`, and keeps these users.
    ///
    /// # Errors
    /// When a statement failed; what was done before it stays, and the next run goes on from there.
    pub async fn run(&self, now: DateTime<Utc>, users: &[Account]) -> Result<Summary, StoreError> {
        let done = schema::migrate(&self.pool, now).await?;
        accounts::create(&self.pool, users).await?;
        accounts::grant(&self.pool, users).await?;
        Ok(Summary { applied: done.applied, known: done.known, partitions: done.partitions, users: users.len() })
    }
}
