//! A run's turn: how long it may go on.

use anyhow::bail;
use millrace_store_mysql::leases;
use tokio::time::Instant;

use crate::{Cache, LEASE, LEASE_TIME};

/// The time that a run has, and the lease that it keeps up meanwhile.
pub(crate) struct Turn<'a> {
    pub(crate) cache: &'a Cache,
    deadline: Instant,
    renewed: Instant,
}

impl<'a> Turn<'a> {
    /// Of a run that has just taken the lease.
    pub(crate) fn new(cache: &'a Cache, deadline: Instant) -> Self {
        Self { cache, deadline, renewed: Instant::now() }
    }

    /// Whether there is time for another step; to be asked before each. Fails when another run took over.
    pub(crate) async fn goes_on(&mut self) -> anyhow::Result<bool> {
        if Instant::now() >= self.deadline {
            return Ok(false);
        }
        if self.renewed.elapsed() > LEASE_TIME / 4 {
            if !leases::take(&self.cache.mysql, LEASE, &self.cache.holder, LEASE_TIME).await? {
                bail!("a step took longer than {LEASE_TIME:?}, and another run took the lease");
            }
            self.renewed = Instant::now();
        }
        Ok(true)
    }
}
