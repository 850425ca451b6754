use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use millrace_tests::base64;
use serde_json::Value;

use crate::Bench;

pub(crate) fn sends_each_line_unchanged(bench: &Bench) {
    let before = bench.stack.topic("usage-events");
    let last = bench.last_reject();
    let good = event("00000000-0000-4000-8001-000000000001");
    let refused: [&[u8]; 4] = [
        b"not json \xff\x00",
        b"   ",
        b"  {\"subscriber\" : \"212600000002\", \"event_id\": 5}  ",
        b"{\"subscriber\":\"2126",
    ];
    // Empty lines are no records, a line's end is not part of one, and the last line needs none.
    let lines = [good.as_bytes(), b"", refused[0], refused[1], b"", refused[2], refused[3]].join(&b'\n');
    let printed = bench.replay("usage-events", &bench.file("lines.jsonl", lines));
    assert_eq!(printed, "produced 5\n");

    let topic = bench.stack.topic("usage-events");
    let more = |what: &str| topic[what].as_u64().unwrap() - before[what].as_u64().unwrap();
    assert_eq!((more("produced"), more("stored"), more("rejects"), more("lag")), (5, 1, 4, 0), "{topic}");
    let mut kept: Vec<(Value, Value)> = bench
        .rejects_after("usage-events", last)
        .iter()
        .map(|listed| bench.reject(listed))
        .map(|reject| (reject["payload_base64"].clone(), reject["key"].clone()))
        .collect();
    let mut sent = refused.map(|line| (Value::from(base64::encode(line)), Value::Null)).to_vec();
    sent[2].1 = "212600000002".into();
    kept.sort_by_key(|(bytes, _)| bytes.to_string());
    sent.sort_by_key(|(bytes, _)| bytes.to_string());
    assert_eq!(kept, sent);
}

pub(crate) fn sends_csv_without_its_empty_cells(bench: &Bench) {
    let last = bench.last_reject();
    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let file = format!(
        "event_id,service,subscriber,destination,started_at,usage,cell,roaming\n\
         00000000-0000-4000-8002-000000000001,data,212600000001,,{at},1000,,\n\
         00000000-0000-4000-8002-000000000002,voice,212600000001,+212522000001,{at},60,C-1,true\n\
         00000000-0000-4000-8002-000000000003,voice,212600000001,,{at},60,,\n"
    );
    assert_eq!(bench.replay("usage-events", &bench.file("events.csv", file)), "produced 3\n");
    let stored = bench.views.lines(
        "SELECT service, destination, CAST(usage_amount AS CHAR), cell, CAST(roaming AS CHAR) FROM bi_usage_events \
         WHERE event_id LIKE '00000000-0000-4000-8002-%' ORDER BY event_id",
    );
    assert_eq!(stored.len(), 2, "{stored:?}");
    assert_eq!(stored[0], "data||1000||0");
    assert!(stored[1].starts_with("voice|") && stored[1].ends_with("212522000001|60|C-1|1"), "{stored:?}");
    let rejects = bench.rejects_after("usage-events", last);
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    let reject = bench.reject(&rejects[0]);
    assert_eq!((&reject["field"], &reject["key"]), (&"destination".into(), &"212600000001".into()));
    let sent: Value = serde_json::from_str(reject["payload"].as_str().unwrap()).unwrap();
    assert!(sent.get("destination").is_none() && sent.get("cell").is_none(), "{sent}");
}

pub(crate) fn keeps_to_a_rate(bench: &Bench) {
    let lines: Vec<String> = (1..=11).map(|i| event(&format!("00000000-0000-4000-8003-{i:012}"))).collect();
    let file = bench.file("paced.jsonl", lines.join("\n"));
    let begun = Instant::now();
    let printed = bench.succeed(&["replay", "--topic", "usage-events", "--rate", "20", file.to_str().unwrap()]);
    assert_eq!(printed, "produced 11\n");
    assert!(begun.elapsed() >= Duration::from_millis(500), "11 records at 20 a second took {:?}", begun.elapsed());
}

/// A good event that nobody else sends.
pub(crate) fn event(id: &str) -> String {
    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    format!(r#"{{"event_id":"{id}","service":"data","subscriber":"212600000001","started_at":"{at}","usage":1}}"#)
}
