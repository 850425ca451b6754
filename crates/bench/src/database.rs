//! The administrator's eyes on a stack's database.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, MySqlPool, Row};
use tokio::runtime::Runtime;

/// A connection as the administrator.
pub(crate) struct Database {
    runtime: Runtime,
    pool: MySqlPool,
    pub(crate) port: u16,
    pub(crate) password: String,
}

impl Database {
    /// Connects to the database of the stack in `home`.
    pub(crate) fn connect(home: &Path) -> anyhow::Result<Self> {
        let path = home.join("stack.json");
        let text = std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
        let stack: serde_json::Value = serde_json::from_slice(&text)?;
        let base = stack["port_base"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .context("stack.json has no port_base")?;
        let port = base + 3;
        let password =
            stack["services"]["mysql_admin_password"].as_str().context("stack.json has no mysql_admin_password")?;
        let options = MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(port)
            .username("root")
            .password(password)
            .database("millrace");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let pool = runtime
            .block_on(MySqlPoolOptions::new().max_connections(1).connect_with(options))
            .context("the administrator can't connect to the database")?;
        Ok(Self { runtime, pool, port, password: password.to_owned() })
    }

    /// Runs a statement.
    pub(crate) fn execute(&self, sql: &str) -> anyhow::Result<()> {
        self.runtime
            .block_on(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.pool))
            .with_context(|| sql.to_owned())?;
        Ok(())
    }

    /// The numbers of every row; columns must be signed integers.
    pub(crate) fn integers(&self, sql: &str) -> anyhow::Result<Vec<Vec<i64>>> {
        let rows = self
            .runtime
            .block_on(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&self.pool))
            .with_context(|| sql.to_owned())?;
        rows.iter().map(|row| (0..row.len()).map(|column| Ok(row.try_get::<i64, _>(column)?)).collect()).collect()
    }

    /// The only number of the only row; 0 when it is NULL or there is none.
    pub(crate) fn integer(&self, sql: &str) -> anyhow::Result<i64> {
        let sql = format!("SELECT CAST(COALESCE(({sql}), 0) AS SIGNED)");
        Ok(self.integers(&sql)?.into_iter().flatten().next().unwrap_or(0))
    }

    /// The text of every row's only column.
    pub(crate) fn lines(&self, sql: &str) -> anyhow::Result<Vec<String>> {
        let rows = self
            .runtime
            .block_on(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&self.pool))
            .with_context(|| sql.to_owned())?;
        rows.iter().map(|row| Ok(row.try_get::<String, _>(0)?)).collect()
    }

    /// What the server is and how it keeps a commit.
    pub(crate) fn description(&self) -> anyhow::Result<String> {
        let line = self.lines(
            "SELECT CONCAT(VERSION(), ', flush at commit ', @@innodb_flush_log_at_trx_commit, ', buffer pool ', @@innodb_buffer_pool_size DIV 1048576, ' MiB')",
        )?;
        Ok(line.join(""))
    }

    /// Has the server write its changed pages, so that one measurement doesn't pay for the one before.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        let share = self.lines("SELECT CAST(@@innodb_max_dirty_pages_pct AS CHAR)")?.join("");
        self.execute("SET GLOBAL innodb_max_dirty_pages_pct = 0")?;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if self.changed_pages()? < 50 {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        self.execute(&format!("SET GLOBAL innodb_max_dirty_pages_pct = {share}"))
    }

    fn changed_pages(&self) -> anyhow::Result<u64> {
        let show = "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'";
        let row = self.runtime.block_on(sqlx::query(show).fetch_one(&self.pool)).context(show)?;
        Ok(row.try_get::<String, _>(1)?.parse()?)
    }
}
