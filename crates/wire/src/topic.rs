//! The three topics.

use std::fmt;

use crate::fields;

/// A topic that Millrace consumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// What subscribers used.
    UsageEvents,
    /// What site sensors measured.
    SensorReadings,
    /// Customers as observed.
    Customers,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 3] = [Topic::UsageEvents, Topic::SensorReadings, Topic::Customers];

    /// Finds the topic of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// Its name in Kafka.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UsageEvents => "usage-events",
            Self::SensorReadings => "sensor-readings",
            Self::Customers => "customers",
        }
    }

    /// The field whose value is a record's key.
    pub fn key_field(self) -> &'static str {
        match self {
            Self::UsageEvents => "subscriber",
            Self::SensorReadings => "sensor_id",
            Self::Customers => "customer_id",
        }
    }

    /// The key of a record's JSON: the text of its key field, or `None` when that cannot be read.
    pub fn key_of(self, json: &[u8]) -> Option<String> {
        let [key] = fields::scan(json, &[self.key_field()]).ok()?;
        Some(key?.text()?.into_owned()).filter(|key| !key.is_empty())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
