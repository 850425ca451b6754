//! The events that are produced: the sample operator's, in the order of time.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use millrace_simulation::{SampleOperator, World};
use millrace_wire::usage;

/// One seed for all benchmarks: the same events each time, but for their times.
const SEED: u64 = 11;

/// An endless row of usage events that end one after another.
pub(crate) struct Events {
    world: World,
    first_end: DateTime<Utc>,
    step: TimeDelta,
}

impl Events {
    /// `count` events that are spread over the `span` before now.
    pub(crate) fn spread(count: u64, span: TimeDelta) -> anyhow::Result<Self> {
        let step = span / i32::try_from(count.max(1)).context("too many events")?;
        Ok(Self { world: sample()?.world(SEED), first_end: Utc::now() - span, step })
    }

    /// Events whose times are told with each.
    pub(crate) fn live() -> anyhow::Result<Self> {
        Self::spread(1, TimeDelta::zero())
    }

    /// The record of an index: key and value.
    pub(crate) fn record(&self, index: u64) -> anyhow::Result<(String, Vec<u8>)> {
        let ended = self.first_end + self.step * i32::try_from(index).context("too many events")?;
        self.record_at(index, ended)
    }

    /// The record of an index, ended at a time.
    pub(crate) fn record_at(&self, index: u64, ended: DateTime<Utc>) -> anyhow::Result<(String, Vec<u8>)> {
        let event = self.world.usage_event(index, ended).context("the sample operator has no numbers")?;
        Ok((event.subscriber.as_str().to_owned(), usage::encode(&event)))
    }
}

/// The sample operator, whose reference data is imported before events are produced.
pub(crate) fn sample() -> anyhow::Result<SampleOperator> {
    SampleOperator::new(SEED).map_err(|error| anyhow::anyhow!("the sample operator: {error}"))
}
