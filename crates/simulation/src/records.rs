//! Records as they go to a topic.

use millrace_domain::customers::CustomerSnapshot;
use millrace_domain::sensors::SensorReading;
use millrace_domain::usage::UsageEvent;
use millrace_wire::{Topic, customers, sensors, usage};

/// What must become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// It is stored.
    Stored,
    /// Its identity is known already.
    Duplicate,
    /// It is refused.
    Reject,
}

/// A record to produce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where to.
    pub topic: Topic,
    /// Its key, which decides the partition.
    pub key: Vec<u8>,
    /// Its bytes.
    pub value: Vec<u8>,
    /// What must become of it.
    pub expected: Expected,
}

impl Record {
    /// The record of a usage event, keyed by its subscriber.
    pub fn usage_event(event: &UsageEvent) -> Self {
        Self::good(Topic::UsageEvents, event.subscriber.as_str(), usage::encode(event))
    }

    /// The record of a sensor reading, keyed by its sensor.
    pub fn sensor_reading(reading: &SensorReading) -> Self {
        Self::good(Topic::SensorReadings, reading.sensor_id.as_str(), sensors::encode(reading))
    }

    /// The record of a customer's snapshot, keyed by the customer.
    pub fn customer_snapshot(snapshot: &CustomerSnapshot) -> Self {
        Self::good(Topic::Customers, snapshot.customer_id.as_str(), customers::encode(snapshot))
    }

    fn good(topic: Topic, key: &str, value: Vec<u8>) -> Self {
        Self { topic, key: key.as_bytes().to_vec(), value, expected: Expected::Stored }
    }
}
