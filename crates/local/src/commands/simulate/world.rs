//! Whose records are simulated: the operator's in MySQL; of what was not imported, the sample's.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use chrono::{NaiveDate, Utc};
use chrono_tz::Tz;
use millrace_simulation::{Parts, SampleOperator, World};
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::{MySqlPool, world};

use crate::commands::database;
use crate::stack::Stack;

/// The seed of the sample operator and of the habits in an unseeded run.
pub(crate) const SEED: u64 = 1;

/// How often it is looked whether the operator's data changed.
const LOOK: Duration = Duration::from_secs(15);

/// How long the database may be away at the start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The world as it is now.
pub(super) struct Worlds {
    /// `None`: there is no database to look at.
    pool: Option<MySqlPool>,
    seed: u64,
    current: World,
    read: Read,
    looked: Instant,
}

/// What was read last: newer data or another day make it old.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Read {
    version: u64,
    day: NaiveDate,
    timezone: Tz,
}

impl Worlds {
    /// Reads the operator's data, waiting for a database that restarts.
    pub(super) async fn open(stack: &Stack, seed: u64) -> anyhow::Result<Self> {
        let pool = database::of_stack(stack)?;
        let began = Instant::now();
        let (parts, read) = loop {
            match read(&pool).await {
                Ok(found) => break found,
                Err(error) if began.elapsed() > PATIENCE => {
                    return Err(error).context("can't read the operator's numbers, cells and sensors");
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        };
        Ok(Self { pool: Some(pool), seed, current: make(seed, parts)?, read, looked: Instant::now() })
    }

    /// The sample operator's, for records that go where no database can be asked.
    pub(super) fn sample(seed: u64) -> anyhow::Result<Self> {
        let none = Parts {
            numbers: Vec::new(),
            cells: Vec::new(),
            sensors: Vec::new(),
            customers: Vec::new(),
            timezone: Tz::UTC,
        };
        let read = Read { version: 0, day: Utc::now().date_naive(), timezone: Tz::UTC };
        Ok(Self { pool: None, seed, current: make(seed, none)?, read, looked: Instant::now() })
    }

    /// The world as it was read last.
    pub(super) fn current(&self) -> &World {
        &self.current
    }

    /// Reads the operator's data again when some time has passed and it may have changed. While the database is away the world
    /// stays as it is.
    pub(super) async fn refresh_if_due(&mut self) {
        let Some(pool) = self.pool.as_ref().filter(|_| self.looked.elapsed() >= LOOK) else { return };
        self.looked = Instant::now();
        let today = Utc::now().with_timezone(&self.read.timezone).date_naive();
        let moved = match world::version(pool).await {
            Ok(version) => version != self.read.version || today != self.read.day,
            Err(_) => false,
        };
        if moved
            && let Ok((parts, read)) = read(pool).await
            && let Ok(world) = make(self.seed, parts)
        {
            (self.current, self.read) = (world, read);
        }
    }
}

/// The operator's data of today.
async fn read(pool: &MySqlPool) -> Result<(Parts, Read), StoreError> {
    let mut timezone = Tz::UTC;
    loop {
        let day = Utc::now().with_timezone(&timezone).date_naive();
        let found = world::read(pool, day).await?;
        // The day is the operator's, which only the first reading tells.
        if let Some(own) = found.timezone.filter(|own| *own != timezone) {
            timezone = own;
            continue;
        }
        let numbers = found.numbers.into_iter().map(|(number, _)| number).collect();
        let parts = Parts { numbers, cells: found.cells, sensors: found.sensors, customers: found.customers, timezone };
        return Ok((parts, Read { version: found.version, day, timezone }));
    }
}

/// The operator's world, with the sample's numbers, sensors or customers where the operator has none.
fn make(seed: u64, own: Parts) -> anyhow::Result<World> {
    let sample =
        SampleOperator::new(SEED).map_err(|error| anyhow!("the sample operator is wrong: {error}"))?.world(SEED);
    let sample = sample.parts();
    let mut missing = Vec::new();
    let mut parts = own;
    if parts.numbers.is_empty() {
        missing.push("numbers");
        parts.numbers.clone_from(&sample.numbers);
        // Own numbers without cells call without them.
        if parts.cells.is_empty() {
            parts.cells.clone_from(&sample.cells);
        }
    }
    if parts.sensors.is_empty() {
        missing.push("sensors");
        parts.sensors.clone_from(&sample.sensors);
    }
    if parts.customers.is_empty() {
        missing.push("customers");
        parts.customers.clone_from(&sample.customers);
    }
    if !missing.is_empty() {
        eprintln!("the operator has no {}: the sample operator's are used", missing.join(" and no "));
    }
    Ok(World::from_parts(seed, parts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use millrace_domain::identity::Msisdn;

    use super::*;

    fn own(numbers: Vec<Msisdn>) -> Parts {
        Parts { numbers, cells: Vec::new(), sensors: Vec::new(), customers: Vec::new(), timezone: Tz::UTC }
    }

    #[test]
    fn what_the_operator_has_is_used_and_the_rest_is_the_sample_s() {
        let number = Msisdn::parse("15551234567").unwrap();
        let world = make(1, own(vec![number.clone()])).unwrap();
        assert_eq!(world.parts().numbers, [number]);
        assert!(world.parts().cells.is_empty(), "the sample's cells are not where these numbers call");
        assert!(!world.parts().sensors.is_empty() && !world.parts().customers.is_empty());
        assert!(!make(1, own(Vec::new())).unwrap().parts().cells.is_empty());
    }
}
