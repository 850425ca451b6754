//! MySQL 8.4 or MariaDB 10.11, whichever is there; an instance of our own beside any that the system runs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use millrace_store_mysql::pool;
use secrecy::SecretString;
use tokio::{net::TcpStream, process::Command};

use super::{memory, programs};
use crate::{
    home::{self, Home},
    stack::{Secret, Stack},
    supervisor::{process_log::last_lines, service::Service},
};

/// How much of the data the server keeps in memory, unless `MILLRACE_MYSQL_BUFFER_POOL` says otherwise.
const BUFFER_POOL: &str = "256M";

/// Which server was found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Flavour {
    MariaDb { server: PathBuf, install: PathBuf },
    MySql { server: PathBuf },
}

/// The MySQL server of a stack.
#[derive(Debug)]
pub struct MySql {
    flavour: Flavour,
    folder: PathBuf,
    log: PathBuf,
    port: u16,
    buffer_pool: String,
    admin_url: String,
    admin_password: Secret,
}

impl MySql {
    /// The server of a home, with its data in `mysql/`.
    ///
    /// # Errors
    /// When neither server is installed, or `MILLRACE_MYSQL_BUFFER_POOL` is no size.
    pub fn new(home: &Home, stack: &Stack) -> anyhow::Result<Self> {
        Ok(Self {
            flavour: Flavour::find()?,
            folder: home.join("mysql"),
            log: home.log("mysql-install"),
            port: stack.ports()?.mysql(),
            buffer_pool: memory::of("MILLRACE_MYSQL_BUFFER_POOL", BUFFER_POOL)?,
            admin_url: stack.mysql_admin_url(),
            admin_password: stack.services.mysql_admin_password.clone(),
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn init_file(&self) -> PathBuf {
        self.folder.join("accounts.sql")
    }

    /// Makes the system tables in a folder beside the real one, so that a cut-short installation is never taken for a whole.
    async fn install(&self) -> anyhow::Result<()> {
        let fresh = self.folder.join("new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).with_context(|| format!("can't clear {}", fresh.display()))?;
        }
        home::create_private_folder(&fresh)?;
        let log = fs::File::create(&self.log).with_context(|| format!("can't write {}", self.log.display()))?;
        let mut command = self.flavour.install(&self.folder, "new");
        command
            .args(as_root())
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let status = command.status().await.context("can't run the server's installation")?;
        if !status.success() {
            bail!("making its system tables failed ({status}):\n{}", last_lines(&self.log, 0, 15));
        }
        fs::rename(&fresh, self.data()).context("can't rename the server's new folder")
    }
}

impl Service for MySql {
    fn name(&self) -> &'static str {
        "mysql"
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        home::create_private_folder(&self.folder)?;
        home::write_private(&self.init_file(), admin_account(self.admin_password.expose()).as_bytes())?;
        if !self.data().exists() {
            self.install().await?;
        }
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(self.flavour.server());
        command
            // Must be the first: the system's own settings are for the system's own server.
            .arg("--no-defaults")
            .args(as_root())
            .arg(format!("--datadir={}", self.data().display()))
            .arg(format!("--port={}", self.port))
            .arg("--bind-address=127.0.0.1")
            // Relative to the data folder, as a socket's whole path has room for some 100 characters only.
            .args(["--socket=server.sock", "--pid-file=server.pid"])
            .arg(format!("--init-file={}", self.init_file().display()))
            .arg(format!("--innodb-buffer-pool-size={}", self.buffer_pool))
            .args([
                "--innodb-flush-log-at-trx-commit=1",
                "--skip-log-bin",
                "--performance-schema=OFF",
                "--skip-name-resolve",
            ])
            .args([
                "--character-set-server=utf8mb4",
                "--default-time-zone=+00:00",
                "--local-infile=ON",
                "--max-connections=200",
            ])
            .args(self.flavour.options());
        Ok(command)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        TcpStream::connect(("127.0.0.1", self.port)).await.context("its port does not answer")?;
        let password = SecretString::from(self.admin_password.expose());
        let pool = pool::connect(&self.admin_url, Some(&password))?;
        // Taking a connection signs in and sets the session up.
        let answer = pool.acquire().await.map(drop);
        pool.close().await;
        answer.context("it does not take a connection")
    }

    fn stop_patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

impl Flavour {
    fn find() -> anyhow::Result<Self> {
        if let Some(server) = programs::find("mariadbd") {
            let install = programs::find("mariadb-install-db")
                .context("there is a mariadbd but no mariadb-install-db on the PATH")?;
            return Ok(Self::MariaDb { server, install });
        }
        let server = programs::find("mysqld")
            .context("there is neither mariadbd nor mysqld on the PATH; scripts/up says how to install one")?;
        Ok(Self::MySql { server })
    }

    fn server(&self) -> &Path {
        match self {
            Self::MariaDb { server, .. } | Self::MySql { server } => server,
        }
    }

    /// The command that makes the system tables in the folder `name` of `folder`.
    fn install(&self, folder: &Path, name: &str) -> Command {
        match self {
            Self::MariaDb { install, .. } => {
                // A shell script that breaks paths apart at their spaces: it is given a relative one.
                let mut command = Command::new(install);
                command.current_dir(folder).arg("--no-defaults").arg(format!("--datadir=./{name}"));
                command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
                // Accounts are named by address, so a machine that can't look its own name up is no hindrance.
                command.arg("--force");
                command
            }
            Self::MySql { server } => {
                let mut command = Command::new(server);
                command.args(["--no-defaults", "--initialize-insecure"]);
                command.arg(format!("--datadir={}", folder.join(name).display()));
                command
            }
        }
    }

    fn options(&self) -> &'static [&'static str] {
        match self {
            Self::MariaDb { .. } => {
                &["--innodb-log-file-size=256M", "--aria-pagecache-buffer-size=8M", "--key-buffer-size=1M"]
            }
            Self::MySql { .. } => &["--innodb-redo-log-capacity=268435456", "--mysqlx=OFF", "--key-buffer-size=1M"],
        }
    }
}

/// Both servers refuse to run as root unless they are told to.
fn as_root() -> Option<&'static str> {
    nix::unistd::geteuid().is_root().then_some("--user=root")
}

/// Statements that the server runs at each start, before it listens: the administrator's account, and no account without a
/// password. One statement a line.
fn admin_account(password: &str) -> String {
    format!(
        "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '{password}';
ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';
DROP USER IF EXISTS 'root'@'::1';
"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_accounts_file_has_one_whole_statement_a_line() {
        let text = admin_account("abc");
        assert!(text.lines().count() >= 4 && text.lines().all(|line| line.ends_with(';')), "{text}");
    }
}
