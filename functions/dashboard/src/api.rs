//! What the page reads as JSON. Each part comes from its own store, and one that does not answer leaves the others as they are.

mod business;
mod platform_alarms;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use lambda_http::http::StatusCode;
use lambda_http::{Request, RequestExt};
use millrace_domain::aggregates::UsageSum;
use millrace_domain::alarms::Severity;
use millrace_msk::MskError;
use millrace_store_documents::UsageGrain;
use millrace_store_mysql::dashboard::{self, AlarmRow, LiveTemperature};
use millrace_store_mysql::fault::StoreError;
use millrace_store_mysql::status::{self, Position};
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::broker::End;
use crate::cursor::Cursor;
use crate::{Dashboard, TOPICS, live};

/// How long one store may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Alarms that are shown.
const ALARMS: u32 = 20;
/// Sensors that are shown.
const SENSORS: u32 = 500;
/// Over which events a second are measured.
const MEASURED_OVER: TimeDelta = TimeDelta::seconds(60);
/// A cache run comes each minute; twice that and some time for the run.
const CACHE_IS_STALE: TimeDelta = TimeDelta::seconds(150);
/// A sensor that sent nothing for so long counts as silent.
const SENSOR_IS_SILENT: TimeDelta = TimeDelta::seconds(60);

/// A store that did not answer. The reason is in the log.
pub(crate) struct Unavailable(&'static str);

type Part<T> = Result<T, Unavailable>;

async fn ask<T, E: Display>(store: &'static str, question: impl Future<Output = Result<T, E>>) -> Part<T> {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::error!(store, %error, "a store could not be read");
            Err(Unavailable(store))
        }
        Err(_) => {
            tracing::error!(store, limit = ?PATIENCE, "a store did not answer in time");
            Err(Unavailable(store))
        }
    }
}

/// Notes the store in `problems` where it did not answer.
fn noted<T>(part: Part<T>, problems: &mut Vec<&'static str>) -> Option<T> {
    match part {
        Ok(value) => Some(value),
        Err(Unavailable(store)) => {
            if !problems.contains(&store) {
                problems.push(store);
            }
            None
        }
    }
}

impl Dashboard {
    /// Answers a request below `/api/`.
    pub(crate) async fn api(&self, request: &Request) -> Answer {
        let answer = match request.uri().path() {
            "/api/overview" => Ok(self.overview().await),
            "/api/alarms" => self.alarms().await,
            "/api/revenue" => self.revenue().await,
            "/api/churn" => self.churn().await,
            "/api/forecasts" => self.forecasts().await,
            "/api/platform-alarms" => self.platform_alarms().await,
            "/api/sensors" => self.sensors().await.map(|sensors| json!({"sensors": sensors})),
            "/api/usage" => match hours(request) {
                Ok(hours) => self.usage(hours).await,
                Err(refusal) => return answer::error(StatusCode::BAD_REQUEST, refusal),
            },
            "/api/live" => {
                let query = request.query_string_parameters();
                let cursor =
                    match query.first("cursor").filter(|cursor| !cursor.is_empty()).map(Cursor::decode).transpose() {
                        Ok(cursor) => cursor,
                        Err(refusal) => return answer::error(StatusCode::BAD_REQUEST, &refusal.to_string()),
                    };
                self.kafka(live::tail(&self.broker, cursor)).await
            }
            _ => return answer::error(StatusCode::NOT_FOUND, "there is no such resource"),
        };
        match answer {
            Ok(value) => answer::json(StatusCode::OK, &value),
            Err(Unavailable(store)) => {
                answer::error(StatusCode::SERVICE_UNAVAILABLE, &format!("{store} does not answer"))
            }
        }
    }

    async fn kafka<T>(&self, question: impl Future<Output = Result<T, MskError>>) -> Part<T> {
        let part = ask("kafka", question).await;
        if part.is_err() {
            self.broker.forget().await;
        }
        part
    }

    /// Asks MySQL. When it refused a password that was changed, the next question comes with the new one.
    async fn ask_mysql<T>(&self, question: impl Future<Output = Result<T, StoreError>>) -> Part<T> {
        let asked = async {
            let answer = question.await;
            if let Err(error) = &answer {
                self.mysql.renew(error).await;
            }
            answer
        };
        ask("mysql", asked).await
    }

    async fn overview(&self) -> Value {
        let mut problems = Vec::new();
        let now = Utc::now();
        let (counts, alarms, sensors, usage, marks) = tokio::join!(
            self.ask_mysql(status::snapshot(self.mysql.pool())),
            self.alarms(),
            self.sensors(),
            self.usage(24),
            ask("documents", self.documents.watermarks()),
        );
        // The broker is asked after the ledger, so that nothing is stored that it does not yet have.
        let ends = self.kafka(self.ends(now)).await;
        let now = Utc::now();
        let (counts, ends) = (noted(counts, &mut problems), noted(ends, &mut problems));
        let as_of = noted(marks, &mut problems).and_then(|marks| {
            let times =
                TOPICS.map(|topic| marks.iter().find(|(known, _)| known == topic).and_then(|(_, mark)| mark.as_of));
            times.into_iter().collect::<Option<Vec<_>>>()?.into_iter().min()
        });
        let topics: Vec<Value> =
            self.broker.topics().iter().map(|topic| topic_row(topic, counts.as_deref(), ends.as_deref())).collect();
        json!({
            "at": time(now),
            "events_per_second": topics.iter().find(|topic| topic["topic"] == TOPICS[0]).map(|topic| topic["per_second"].clone()),
            "topics": topics,
            "alarms": noted(alarms, &mut problems),
            "sensors": noted(sensors, &mut problems),
            "usage": noted(usage, &mut problems),
            "cache": {
                "as_of": as_of.map(time),
                "age_seconds": as_of.map(|as_of| (now - as_of).as_seconds_f64().max(0.0)),
                "stale": as_of.is_none_or(|as_of| now - as_of > CACHE_IS_STALE),
            },
            "problems": problems,
        })
    }

    /// Each partition's end, and where it was a minute ago (−1 when nothing came since).
    async fn ends(&self, now: DateTime<Utc>) -> Result<Vec<(End, i64)>, MskError> {
        let connected = self.broker.connected().await?;
        let (before, ends) = tokio::try_join!(connected.at(now - MEASURED_OVER), connected.ends())?;
        Ok(ends.into_iter().zip(before).map(|(end, before)| (end, before.end)).collect())
    }

    async fn alarms(&self) -> Part<Value> {
        let (latest, open) = tokio::try_join!(
            self.ask_mysql(dashboard::latest_alarms(self.mysql.pool(), ALARMS)),
            self.ask_mysql(dashboard::open_alarms(self.mysql.pool()))
        )?;
        Ok(json!({"open": open, "latest": latest.iter().map(alarm).collect::<Vec<_>>()}))
    }

    /// The sensors of the documents, with the temperature that MySQL has since. Either alone will do.
    async fn sensors(&self) -> Part<Vec<Value>> {
        let (documents, live) = tokio::join!(
            ask("documents", self.documents.sensors(i64::from(SENSORS))),
            self.ask_mysql(dashboard::live_temperatures(self.mysql.pool(), SENSORS))
        );
        let now = Utc::now();
        let mut sensors = BTreeMap::new();
        let (documents, live) = match (documents, live) {
            (Err(_), Err(unavailable)) => return Err(unavailable),
            (documents, live) => (documents.unwrap_or_default(), live.unwrap_or_default()),
        };
        for sensor in documents {
            let row = json!({
                "sensor_id": sensor.sensor_id,
                "site": sensor.site,
                "measured_at": time(sensor.measured_at),
                "temperature_c": sensor.temperature_c,
                "humidity_pct": sensor.humidity_pct,
                "alarm": sensor.alarm.map(|alarm| Severity::as_str(alarm.severity)),
                "silent": now - sensor.measured_at > SENSOR_IS_SILENT,
            });
            sensors.insert(sensor.sensor_id, row);
        }
        for LiveTemperature { sensor_id, site, measured_at, temperature_c, alarm } in live {
            let row = sensors
                .entry(sensor_id.clone())
                .or_insert_with(|| json!({"sensor_id": sensor_id, "site": site, "humidity_pct": null}));
            row["measured_at"] = time(measured_at).into();
            row["temperature_c"] = temperature_c.into();
            row["alarm"] = alarm.into();
            row["silent"] = (now - measured_at > SENSOR_IS_SILENT).into();
        }
        Ok(sensors.into_values().collect())
    }

    async fn usage(&self, hours: i64) -> Part<Value> {
        let since = DateTime::from_timestamp((Utc::now().timestamp() / 3600 - hours + 1) * 3600, 0).unwrap_or_default();
        let (sums, currency) = tokio::join!(
            ask("documents", self.documents.usage(UsageGrain::HourByService, since)),
            self.ask_mysql(dashboard::currency(self.mysql.pool()))
        );
        // Amounts are shown without a currency rather than not at all.
        let currency = currency.unwrap_or_default();
        Ok(json!({"currency": currency, "since": time(since), "hours": sums?.iter().map(usage).collect::<Vec<_>>()}))
    }
}

/// The query's `hours`, 1 to 744, 24 when it has none.
fn hours(request: &Request) -> Result<i64, &'static str> {
    match request.query_string_parameters().first("hours") {
        None => Ok(24),
        Some(text) => {
            text.parse().ok().filter(|hours| (1..=744).contains(hours)).ok_or("hours: expected a number from 1 to 744")
        }
    }
}

/// One topic: what came, what became of it, and what is still to be done. What cannot be known is null. Given up on is what the
/// ledger's positions jumped over; of a batch at their end `millrace status` knows first, which reads the objects too.
fn topic_row(topic: &str, counts: Option<&[Position]>, ends: Option<&[(End, i64)]>) -> Value {
    let of_topic = counts.map(|counts| counts.iter().filter(|partition| partition.topic == topic).collect::<Vec<_>>());
    let sum = |what: fn(&Position) -> u64| {
        of_topic.as_ref().map(|partitions| partitions.iter().map(|p| what(p)).sum::<u64>())
    };
    let ends: Option<Vec<&(End, i64)>> = ends
        .map(|ends| ends.iter().filter(|(end, _)| end.topic == topic).collect::<Vec<_>>())
        .filter(|ends| !ends.is_empty());
    let (mut produced, mut lag) = (None, None);
    if let (Some(partitions), Some(ends)) = (&of_topic, &ends) {
        let (mut all, mut left) = (0, 0);
        for (end, _) in ends {
            let end_offset = u64::try_from(end.end).unwrap_or(0);
            let known = partitions.iter().find(|p| i64::from(p.partition) == i64::from(end.partition));
            let (past, next) = known.map_or((0, 0), |p| (p.past_records, p.next_offset));
            // An end below the position: the topic was made again, and none of its records has been taken yet.
            let (past, next) = if end_offset < next { (past + next, 0) } else { (past, next) };
            all += past + end_offset;
            left += end_offset - next;
        }
        (produced, lag) = (Some(all), Some(left));
    }
    let per_second = ends.map(|ends| {
        let came: i64 = ends.iter().map(|(end, before)| if *before < 0 { 0 } else { (end.end - before).max(0) }).sum();
        came as f64 / MEASURED_OVER.as_seconds_f64()
    });
    json!({
        "topic": topic,
        "produced": produced,
        "stored": sum(|p| p.counts.stored),
        "duplicates": sum(|p| p.counts.duplicates),
        "rejects": sum(|p| p.counts.rejects),
        "given_up": sum(|p| p.gaps.iter().map(|gap| gap.to - gap.from).sum()),
        "lag": lag,
        "per_second": per_second,
    })
}

fn alarm(alarm: &AlarmRow) -> Value {
    json!({
        "alarm_id": alarm.alarm_id,
        "sensor_id": alarm.sensor_id,
        "site": alarm.site,
        "kind": alarm.kind,
        "severity": alarm.severity,
        "opened_at": time(alarm.opened_at),
        "escalated_at": alarm.escalated_at.map(time),
        "closed_at": alarm.closed_at.map(time),
        "acknowledged_at": alarm.acknowledged_at.map(time),
        "peak_value": alarm.peak_value,
    })
}

/// Exact decimals are text: a JSON number would be read as a binary fraction.
fn usage(sum: &UsageSum) -> Value {
    json!({
        "hour": time(sum.starts_at),
        "service": sum.service.as_str(),
        "events": sum.events,
        "usage_total": sum.usage_total.to_string(),
        "amount": sum.amount.to_string(),
        "unrated": sum.unrated,
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millrace_store_mysql::ledger::Counts;
    use millrace_store_mysql::status::Gap;

    use super::*;

    fn counts(partition: u32, next_offset: u64, past_records: u64) -> Position {
        Position {
            topic: "customers".into(),
            partition,
            epoch: 0,
            next_offset,
            last_record_at: None,
            past_records,
            counts: Counts { stored: next_offset + past_records - 5, duplicates: 0, rejects: 0 },
            gaps: vec![Gap { epoch: 0, from: 20, to: 25 }],
        }
    }

    fn end(partition: i32, end: i64, before: i64) -> (End, i64) {
        (End { topic: "customers".into(), partition, end }, before)
    }

    #[test]
    fn produced_is_what_was_taken_and_what_is_left() {
        let row = topic_row("customers", Some(&[counts(0, 90, 10)]), Some(&[end(0, 100, 40), end(1, 7, -1)]));
        let figures = ["produced", "lag", "stored", "given_up"].map(|what| row[what].as_u64().unwrap());
        assert_eq!(figures, [117, 17, 95, 5]);
        assert_eq!(row["per_second"].as_f64(), Some(1.0));
    }

    #[test]
    fn a_topic_that_was_made_again_is_behind_by_all_it_has() {
        let row = topic_row("customers", Some(&[counts(0, 90, 10)]), Some(&[end(0, 5, 0)]));
        assert_eq!((row["produced"].as_u64(), row["lag"].as_u64()), (Some(105), Some(5)));
    }

    #[test]
    fn what_cannot_be_known_is_null() {
        let row = topic_row("customers", Some(&[counts(0, 90, 0)]), None);
        assert!(row["produced"].is_null() && row["lag"].is_null() && row["per_second"].is_null());
        assert_eq!(row["stored"], 85);
        let row = topic_row("customers", None, Some(&[end(0, 100, 40)]));
        assert!(row["stored"].is_null() && row["lag"].is_null());
        assert_eq!(row["per_second"], 1.0);
        let row = topic_row("customers", Some(&[]), Some(&[]));
        assert!(row["produced"].is_null(), "the topic is not there");
    }
}
