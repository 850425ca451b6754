use std::time::Duration;

use crate::Bench;
use crate::replay::event;

pub(crate) fn lets_records_wait_until_resume(bench: &Bench) {
    bench.succeed(&["pause", "rate"]);
    let file = bench.file("waiting.jsonl", event("00000000-0000-4000-8004-000000000001"));
    bench.succeed(&["replay", "--topic", "usage-events", file.to_str().unwrap()]);
    std::thread::sleep(Duration::from_millis(1_000));
    assert_eq!(bench.stack.count("usage-events", "lag"), 1, "the mapping's window of half a second is over");
    bench.succeed(&["resume", "rate"]);
    bench
        .stack
        .wait_until("the record that waited", Duration::from_secs(30), |stack| stack.count("usage-events", "lag") == 0);
    bench.run(&["pause", "dashboard"]).names(1, &["dashboard"]);
}
