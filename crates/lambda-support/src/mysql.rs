//! The database as a function is signed in to it.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use millrace_secrets::Secret;
use millrace_store_mysql::fault::is_sign_in_refused;
use millrace_store_mysql::{MySqlPool, pool};
use secrecy::SecretString;

use crate::settings::{Lookup, MysqlSettings};

/// A pool, and where its password came from: when the database refuses it because it was changed, the new one is read and
/// connections are made with that. Connections that stand go on.
#[derive(Clone)]
pub struct Mysql {
    pool: MySqlPool,
    sign_in: Option<Arc<SignIn>>,
}

struct SignIn {
    url: String,
    password: Secret,
    in_use: Mutex<SecretString>,
}

impl Mysql {
    /// Reads the group `mysql` and prepares a pool that connects when it is first used.
    ///
    /// # Errors
    /// Names the setting that is missing or cannot be used.
    pub async fn connect(lookup: Lookup<'_>) -> Result<Self, lambda_runtime::Error> {
        let MysqlSettings { url, password } = MysqlSettings::read(lookup).await?;
        let in_use = password.as_ref().map(Secret::value);
        let pool = pool::connect(&url, in_use.as_ref())?;
        let sign_in =
            password.zip(in_use).map(|(password, in_use)| SignIn { url, password, in_use: Mutex::new(in_use) });
        Ok(Self { pool, sign_in: sign_in.map(Arc::new) })
    }

    /// The pool. Clones share their connections.
    pub fn pool(&self) -> &MySqlPool {
        &self.pool
    }

    /// Whether `error` says that the sign-in was refused and there is another password now, so that trying again can help.
    pub async fn renew(&self, error: &(dyn Error + Send + Sync + 'static)) -> bool {
        let Some(sign_in) = self.sign_in.as_ref().filter(|_| is_sign_in_refused(error)) else { return false };
        let refused = sign_in.in_use.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match sign_in.password.renew(&refused).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                tracing::error!(%error, "the database refuses the password, which cannot be read again");
                return false;
            }
        }
        let password = sign_in.password.value();
        match pool::options(&sign_in.url, Some(&password)) {
            Ok(options) => self.pool.set_connect_options(options),
            // The address was good at the start.
            Err(_) => return false,
        }
        *sign_in.in_use.lock().unwrap_or_else(PoisonError::into_inner) = password;
        tracing::info!("the database's password was changed: connecting with the new one");
        true
    }
}

/// A pool whose password stays.
impl From<MySqlPool> for Mysql {
    fn from(pool: MySqlPool) -> Self {
        Self { pool, sign_in: None }
    }
}
