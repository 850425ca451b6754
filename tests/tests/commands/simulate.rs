use std::time::Duration;

use crate::Bench;

const SOON: Duration = Duration::from_secs(30);

pub(crate) fn gives_the_same_records_for_the_same_seed(bench: &Bench) {
    let before = bench.views.integer("SELECT COUNT(*) FROM bi_usage_events");
    for run in 1..=2 {
        let printed = bench.succeed(&["simulate", "--seconds", "4", "--rate", "25", "--seed", "7"]);
        assert!(printed.contains("usage-events 100 ") && printed.contains("produced "), "{printed}");
        bench.stack.wait_until("the simulated records", SOON, |_| {
            bench.views.integer("SELECT COUNT(*) FROM bi_usage_events") == before + 100 * run
        });
    }
    // Every event is there twice, at two times and the same in all else.
    let events = bench.views.lines(
        "SELECT CAST(COUNT(*) AS CHAR), CAST(COUNT(DISTINCT started_at) AS CHAR), \
                CAST(COUNT(DISTINCT CONCAT_WS('|', subscriber, service, destination, usage_amount, cell, roaming)) AS CHAR) \
         FROM bi_usage_events WHERE event_id NOT LIKE '00000000-0000-4000-80%' GROUP BY event_id",
    );
    assert_eq!(events.len(), 100);
    assert!(events.iter().all(|event| event == "2|2|1"), "{events:?}");
    bench.stack.wait_until("the simulated readings", SOON, |stack| stack.count("sensor-readings", "lag") == 0);
    for sensor in ["S-1", "S-2"] {
        // The first reading is the import's.
        let readings = bench.views.lines(&format!(
            "SELECT CAST(temperature_c AS CHAR), CAST(COALESCE(humidity_pct, -1) AS CHAR) FROM bi_sensor_readings \
             WHERE sensor_id = '{sensor}' ORDER BY measured_at"
        ));
        let own = &readings[1..];
        let (one, other) = own.split_at(own.len() / 2);
        assert!(one.len() >= 2 && one == other, "{own:?}");
    }
    // The operator's own numbers and sensors, not the sample's.
    let numbers = bench.views.lines(
        "SELECT DISTINCT subscriber FROM bi_usage_events WHERE event_id NOT LIKE '00000000-0000-4000-80%' ORDER BY 1",
    );
    assert_eq!(numbers, ["212600000001", "212600000002"]);
    assert_eq!(bench.views.integer("SELECT COUNT(DISTINCT sensor_id) FROM bi_sensor_readings"), 2);
}

pub(crate) fn counts_what_it_spoils(bench: &Bench) {
    let before = bench.stack.topic("usage-events");
    let options = ["--seconds", "1", "--rate", "300", "--seed", "8", "--faulty", "5", "--only", "usage-events"];
    let printed = bench.succeed(&[&["simulate"], options.as_slice()].concat());
    // usage-events 300 (225 good, 30 duplicates, 45 bad)
    let numbers: Vec<u64> = printed
        .lines()
        .next()
        .unwrap()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    let [produced, good, duplicates, bad] = numbers[..] else { panic!("{printed}") };
    assert_eq!(produced, good + duplicates + bad, "{printed}");
    assert!(duplicates > 0 && bad > 0 && good > produced / 2, "{printed}");
    assert!(!printed.contains("sensor-readings"), "{printed}");
    let more = |topic: &serde_json::Value, what: &str| topic[what].as_u64().unwrap() - before[what].as_u64().unwrap();
    bench.stack.wait_until("the spoilt records", SOON, |stack| {
        let topic = stack.topic("usage-events");
        more(&topic, "produced") == produced && topic["lag"] == 0
    });
    let topic = bench.stack.topic("usage-events");
    let became = ["stored", "duplicates", "rejects"].map(|what| more(&topic, what));
    assert_eq!(became, [good, duplicates, bad], "{topic}");
}
