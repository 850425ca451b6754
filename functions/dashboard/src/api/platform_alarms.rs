//! What the page reads of the platform's own alarms: those of a stack on a laptop, whose supervisor writes them to a file each
//! minute, so that they are told while a store is away. On AWS there is no such file; CloudWatch shows its alarms there.

use std::io::ErrorKind;

use serde_json::{Value, json};

use super::{Part, ask};
use crate::Dashboard;

impl Dashboard {
    /// The alarms that are on, and how many are watched; null where none are evaluated.
    pub(super) async fn platform_alarms(&self) -> Part<Value> {
        let Some(file) = &self.platform_alarms else { return Ok(json!({"platform": null})) };
        let report = ask("alarms", async {
            match tokio::fs::read(file).await {
                Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string()),
                // They are looked at first a minute after the start.
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Value::Null),
                Err(error) => Err(error.to_string()),
            }
        });
        let report: Value = report.await?;
        let alarms = report["alarms"].as_array().cloned().unwrap_or_default();
        let on: Vec<&Value> = alarms.iter().filter(|alarm| alarm["state"] == "ALARM").collect();
        Ok(json!({"platform": {"at": report["at"], "watched": alarms.len(), "alarms": on}}))
    }
}
