//! A database of its own for each test, on a real server.

// A helper that cannot do its work fails the test that uses it.
#![allow(clippy::panic)]

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use uuid::Uuid;

use crate::environment::required;

/// Names the variable with the address of a server on which databases may be created.
pub const URL_VARIABLE: &str = "MILLRACE_TEST_MYSQL_URL";

/// An empty database that is dropped with this value, also when the test panics.
pub struct TestDatabase {
    admin: MySqlConnectOptions,
    name: String,
}

impl TestDatabase {
    /// Makes an empty database on the server that `MILLRACE_TEST_MYSQL_URL` names.
    ///
    /// # Panics
    /// When the variable is missing or the server refuses: a test without its server has proved nothing.
    pub async fn create() -> Self {
        Self::create_on(&required(URL_VARIABLE)).await
    }

    /// Makes an empty database on the server of this address, `mysql://user:password@host:port/`.
    ///
    /// # Panics
    /// When it is no such address or the server refuses.
    pub async fn create_on(url: &str) -> Self {
        let admin: MySqlConnectOptions =
            url.parse().unwrap_or_else(|_| panic!("the server: expected mysql://user:password@host:port/"));
        let admin = admin.disable_statement_logging();
        let name = format!("test_{}", Uuid::new_v4().simple());
        run(&admin, &format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
            .await
            .unwrap_or_else(|error| panic!("cannot create a database: {error}"));
        Self { admin, name }
    }

    /// How to connect to it, as the server's administrator.
    pub fn options(&self) -> MySqlConnectOptions {
        self.admin.clone().database(&self.name)
    }

    /// How to connect to the server without a database, as its administrator.
    pub fn admin(&self) -> MySqlConnectOptions {
        self.admin.clone()
    }

    /// Runs statements, separated by semicolons.
    ///
    /// # Panics
    /// When one fails.
    pub async fn run(&self, sql: &str) {
        if let Err(error) = run(&self.options(), sql).await {
            panic!("{sql}: {error}");
        }
    }

    /// The rows of a query of one text column, NULL being `NULL`.
    ///
    /// # Panics
    /// When the query fails.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let texts = async {
            let mut connection: MySqlConnection = self.options().connect().await?;
            let texts: Vec<Option<String>> =
                sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await?;
            connection.close().await?;
            Ok::<_, sqlx::Error>(texts)
        };
        match texts.await {
            Ok(texts) => texts.into_iter().map(|text| text.unwrap_or_else(|| "NULL".into())).collect(),
            Err(error) => panic!("{sql}: {error}"),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        // A thread of its own: the test's runtime may be of one thread, or gone.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.is_ok_and(|runtime| runtime.block_on(drop_database(&admin, &name)).is_ok())
        })
        .join();
        if !matches!(dropped, Ok(true)) {
            eprintln!("the database {} was left behind", self.name);
        }
    }
}

/// A transaction that the test left open would hold its tables for as long as its pool lives: connections to the database end
/// first.
async fn drop_database(admin: &MySqlConnectOptions, name: &str) -> Result<(), sqlx::Error> {
    let mut connection: MySqlConnection = admin.connect().await?;
    let others: Vec<u64> =
        sqlx::query_scalar("SELECT CAST(id AS UNSIGNED) FROM information_schema.processlist WHERE db = ?")
            .bind(name)
            .fetch_all(&mut connection)
            .await?;
    for other in others {
        // One that ended by itself meanwhile is not there any more.
        let _ = connection.execute(AssertSqlSafe(format!("KILL {other}"))).await;
    }
    connection.execute("SET SESSION lock_wait_timeout = 20").await?;
    connection.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS `{name}`"))).await?;
    connection.close().await
}

async fn run(options: &MySqlConnectOptions, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection: MySqlConnection = options.connect().await?;
    connection.execute(AssertSqlSafe(sql.to_owned())).await?;
    connection.close().await
}
