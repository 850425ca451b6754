//! Reads the views as a BI user does.

use millrace_test_support::stack::Stack;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, MySqlPool, Row};

/// A connection to a stack's database: the BI user's to the views, or the administrator's.
pub struct Views {
    runtime: tokio::runtime::Runtime,
    pool: MySqlPool,
}

impl Views {
    /// Connects as the administrator, who sees what lies behind the views.
    pub fn connect_as_administrator(stack: &Stack) -> Self {
        let printed = stack.succeed(["test-environment"]);
        let url = printed.lines().find_map(|line| line.strip_prefix("MILLRACE_TEST_MYSQL_URL="));
        Self::connect(&format!("{}/millrace", url.expect("the administrator's address").trim_end_matches('/')))
    }

    /// Connects with the address that `status` prints.
    pub fn connect(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let pool = runtime
            .block_on(MySqlPoolOptions::new().max_connections(1).connect(url))
            .expect("the views' database answers");
        Self { runtime, pool }
    }

    /// The only row's numbers, as integers.
    pub fn integers(&self, sql: &str) -> Vec<i64> {
        let row = self
            .runtime
            .block_on(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&self.pool))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
        (0..row.len()).map(|i| row.get::<i64, _>(i)).collect()
    }

    /// The only number of the only row.
    pub fn integer(&self, sql: &str) -> i64 {
        self.integers(sql)[0]
    }

    /// Changes rows, which only the administrator may.
    pub fn execute(&self, sql: &str) {
        self.runtime
            .block_on(sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&self.pool))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// Every row, its columns as text joined by `|`. Columns must be text: cast the others in the statement.
    pub fn lines(&self, sql: &str) -> Vec<String> {
        let rows = self
            .runtime
            .block_on(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&self.pool))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
        rows.iter().map(|row| (0..row.len()).map(|i| row.get::<String, _>(i)).collect::<Vec<_>>().join("|")).collect()
    }
}
