use serde_json::Value;

use crate::Bench;

pub(crate) fn are_listed_shown_and_sent_again_as_they_came(bench: &Bench) {
    let before = bench.last_reject();
    bench.replay("usage-events", &bench.file("bad.jsonl", "{\"subscriber\":\"212600000001\"} \n"));
    bench.replay("sensor-readings", &bench.file("bad.jsonl", "{\"sensor_id\":\"S-1\"}\n"));
    let listed = bench.rejects_after("usage-events", before);
    assert_eq!(listed.len(), 1, "{listed:?}");
    let first = &listed[0];
    for field in ["reject_id", "topic", "partition", "offset", "recorded_at", "received_at", "field", "reason"] {
        assert!(!first[field].is_null(), "{field} in {first}");
    }
    assert_eq!(first["replayed_at"], Value::Null);

    // For people: a table of all, and one whole.
    let table = bench.succeed(&["rejects", "list", "--after", &before.to_string()]);
    assert_eq!(table.lines().count(), 3, "{table}");
    let (field, reason) = (first["field"].as_str().unwrap(), first["reason"].as_str().unwrap());
    assert!(table.contains(field) && table.contains(reason) && table.contains("sensor-readings"), "{table}");
    let id = first["reject_id"].to_string();
    let shown = bench.succeed(&["rejects", "show", &id]);
    assert!(shown.contains(reason) && shown.contains("{\"subscriber\":\"212600000001\"} \n"), "{shown}");
    let one = bench.json(&["rejects", "list", "--json", "--limit", "1"]);
    assert_eq!(one["rejects"].as_array().unwrap().len(), 1, "{one}");

    // One by its number: the same bytes come to the same end once more.
    let last = bench.last_reject();
    assert_eq!(bench.succeed(&["rejects", "replay", &id]), "produced 1\n");
    settle(bench);
    let again = bench.rejects_after("usage-events", last);
    assert_eq!(again.len(), 1, "{again:?}");
    let (original, again) = (bench.reject(first), bench.reject(&again[0]));
    for same in ["payload_base64", "key", "headers", "field", "reason"] {
        assert_eq!(original[same], again[same], "{same}");
    }
    assert!(original["replayed_at"].is_string() && again["replayed_at"].is_null(), "{original} {again}");

    // All that were not sent again yet, each once.
    let open = bench.views.integer("SELECT COUNT(*) FROM bi_rejects WHERE replayed_at IS NULL");
    let produced = bench.succeed(&["rejects", "replay"]);
    assert_eq!(produced, format!("produced {open}\n"));
    settle(bench);
    let open_now = bench.views.integer("SELECT COUNT(*) FROM bi_rejects WHERE replayed_at IS NULL");
    assert_eq!(open_now, open, "each is refused again");
}

/// Waits until nothing is on its way.
fn settle(bench: &Bench) {
    bench.stack.wait_until("every record's end", std::time::Duration::from_secs(30), |stack| {
        stack.status()["topics"].as_array().unwrap().iter().all(|topic| topic["lag"] == 0)
    });
}
