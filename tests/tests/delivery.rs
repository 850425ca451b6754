//! However a batch is delivered, the tables end the same.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::Stdio;

use chrono::{DateTime, Utc};
use millrace_test_support::stack::Stack;
use millrace_tests::database::Views;
use millrace_tests::{base64, one_stack_at_a_time, usage};
use serde_json::{Value, json};

/// Partition numbers that no real record has, one for each way of delivery.
struct Delivery<'a> {
    stack: &'a Stack,
    partition: u32,
    records: Vec<Value>,
}

impl<'a> Delivery<'a> {
    fn new(stack: &'a Stack, partition: u32, now: DateTime<Utc>) -> (Self, usage::Expected) {
        // The same hundred records for every partition but for their event ids.
        let expected = usage::mixed_events(1, partition, now);
        let records = expected
            .lines
            .lines()
            .enumerate()
            .map(|(offset, line)| {
                json!({
                    "topic": "usage-events", "partition": partition, "offset": offset,
                    "timestamp": now.timestamp_millis() + offset as i64, "timestampType": "LOG_APPEND_TIME",
                    "value": base64::encode(line.as_bytes()), "headers": [],
                })
            })
            .collect();
        (Self { stack, partition, records }, expected)
    }

    fn event(&self, records: &[Value]) -> String {
        let by_partition = format!("usage-events-{}", self.partition);
        json!({"eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:local", "bootstrapServers": "", "records": {by_partition: records}}).to_string()
    }

    fn start(&self, records: &[Value]) -> std::process::Child {
        let file = self.stack.home().join(format!("event-{}-{}.json", self.partition, uuid::Uuid::new_v4()));
        std::fs::write(&file, self.event(records)).unwrap();
        self.stack.command(["invoke", "rate", "--event"]).arg(file).stdout(Stdio::piped()).spawn().unwrap()
    }

    fn deliver(&self, records: &[Value]) {
        finish(self.start(records));
    }

    fn all(&self) {
        self.deliver(&self.records);
    }
}

fn finish(invocation: std::process::Child) {
    let output = invocation.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
}

/// What a delivery left: the ledger's counts, events and rejects.
fn outcome(stack: &Stack, views: &Views, partition: u32) -> Vec<String> {
    let mut lines = views.lines(&format!(
        "SELECT CAST(started_at AS CHAR), subscriber, service, destination, CAST(usage_amount AS CHAR), cell FROM bi_usage_events \
         WHERE event_id LIKE '________-____-____-{:04x}-{:04x}________' ORDER BY 1, 2, 3",
        partition >> 16,
        partition & 0xFFFF,
    ));
    lines.extend(views.lines(&format!(
        "SELECT CAST(offset_no AS CHAR), field, reason FROM bi_rejects WHERE partition_no = {partition} ORDER BY offset_no"
    )));
    let status = stack.status();
    assert_eq!(status["ready"], true, "{status}");
    lines
}

#[test]
fn a_batch_sent_twice_split_anywhere_or_raced_ends_in_the_same_tables() {
    let _one = one_stack_at_a_time();
    let stack = Stack::start();
    let views = Views::connect(&stack.mysql_url());
    let now = Utc::now();

    let (once, expected) = Delivery::new(&stack, 1_000, now);
    once.all();
    let wanted = outcome(&stack, &views, 1_000);
    assert_eq!(wanted.len() as u64, expected.stored + expected.rejected());
    let counted = stack.topic("usage-events");
    assert_eq!(counted["stored"], expected.stored);
    assert_eq!(counted["duplicates"], expected.duplicates);

    let mut partition = 1_001;
    let mut check = |how: &str, deliver: &dyn Fn(&Delivery<'_>)| {
        let (delivery, _) = Delivery::new(&stack, partition, now);
        let before = stack.topic("usage-events");
        deliver(&delivery);
        assert_eq!(outcome(&stack, &views, partition), wanted, "{how}");
        let after = stack.topic("usage-events");
        for (what, more) in
            [("stored", expected.stored), ("duplicates", expected.duplicates), ("rejects", expected.rejected())]
        {
            assert_eq!(after[what].as_u64().unwrap(), before[what].as_u64().unwrap() + more, "{what} when {how}");
        }
        partition += 1;
    };
    check("sent twice", &|d| {
        d.all();
        d.all();
    });
    for point in (1..100).step_by(9) {
        check(&format!("split at {point}"), &|d| {
            d.deliver(&d.records[..point]);
            d.deliver(&d.records[point..]);
        });
        check(&format!("split at {point}, then the whole again"), &|d| {
            d.deliver(&d.records[..point]);
            d.all();
        });
    }
    for round in 0..5 {
        check(&format!("raced by three, round {round}"), &|d| {
            let racers: Vec<_> = (0..3).map(|_| d.start(&d.records)).collect();
            racers.into_iter().for_each(finish);
        });
    }
}
