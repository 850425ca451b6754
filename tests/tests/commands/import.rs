use std::path::Path;

use chrono::{Duration, SecondsFormat, Utc};

use crate::{Bench, Said};

const OPERATOR: &str = r#"{
  "name": "Atlas Mobile", "address": ["1 rue de la Gare", "Rabat"], "currency": "MAD", "timezone": "Africa/Casablanca",
  "tax_rate": "0.20", "invoice_prefix": "AT", "payment_days": 30
}"#;
pub(crate) const TARIFFS: &str = r#"[{
  "name": "basic", "valid_from": "2020-01-01", "valid_to": null,
  "tariff": {
    "currency": "MAD", "timezone": "Africa/Casablanca", "timings": {"any": {}},
    "rates": [
      {"service": "voice", "prefix": "2125", "timing": "any", "weight": 10, "connect_fee": "0.20",
       "steps": [{"from": 0, "price": "1.20", "per": 60, "increment": 60}],
       "zone": "national", "rounding": "up", "decimals": 4}
    ]
  }
}]"#;
const PLANS: &str = r#"[{"plan": "flex", "description": "pay as you go", "fee": "49.00", "tariff": "basic"}]"#;
const ACCOUNTS: &str =
    "account_id,name,segment,city,cycle_day,tax_exempt,customer_id\nA-1,Ada,consumer,Rabat,1,false,\n";
/// The columns in an order of their own.
const SUBSCRIPTIONS: &str = "plan,msisdn,account_id,active_to,active_from\n\
     flex,212600000001,A-1,,2020-01-01\nflex,212600000002,A-1,,2020-01-01\n";
const CELLS: &str = "cell,site,latitude,longitude\nC-1,Rabat-1,34.02,-6.83\n";
const SENSORS: &str = "sensor_id,site,latitude,longitude,warning_c,critical_c,hysteresis_c\n\
     S-1,Rabat-1,34.02,-6.83,30,40,1\nS-2,Rabat-1,34.02,-6.83,,,\n";

pub(crate) fn of_every_kind_adds_once_and_a_wrong_file_changes_nothing(bench: &Bench) {
    import(bench, "tariffs", TARIFFS).names(2, &["operator"]);
    let kinds = [
        ("operator", OPERATOR, 1),
        ("tariffs", TARIFFS, 1),
        ("plans", PLANS, 1),
        ("accounts", ACCOUNTS, 1),
        ("subscriptions", SUBSCRIPTIONS, 2),
        ("cells", CELLS, 1),
        ("sensors", SENSORS, 2),
    ];
    for (kind, content, rows) in kinds {
        let said = import(bench, kind, content);
        assert_eq!((said.exit, said.out.as_str()), (0, &*format!("{rows} added, 0 changed, 0 unchanged\n")), "{kind}");
        let said = import(bench, kind, content);
        assert_eq!((said.exit, said.out.as_str()), (0, &*format!("0 added, 0 changed, {rows} unchanged\n")), "{kind}");
    }
    let said = import(bench, "accounts", &ACCOUNTS.replace("Ada", "Ada L."));
    assert_eq!((said.exit, said.out.as_str()), (0, "0 added, 1 changed, 0 unchanged\n"));

    let version = || bench.views.lines("SELECT CONCAT(account_id, name, city, subscriptions) FROM bi_accounts");
    let before = version();
    import(bench, "operator", &OPERATOR.replace("Africa/Casablanca", "Africa/Nowhere").replace("30", "-1"))
        .names(2, &["timezone", "payment_days", "nothing was changed"]);
    // What cannot be read, and what can be but makes no sense.
    let tariffs = TARIFFS.replace(r#""1.20""#, r#""cheap""#).replace(r#""up""#, r#""sideways""#);
    let tariffs = tariffs.replace(r#""0.20""#, r#""-0.20""#).replace(r#""timing": "any""#, r#""timing": "never""#);
    import(bench, "tariffs", &tariffs).names(
        2,
        &[
            "[0].tariff.rates[0].steps[0].price",
            "[0].tariff.rates[0].rounding",
            "[0].tariff.rates[0].connect_fee",
            "[0].tariff.rates[0].timing",
        ],
    );
    import(bench, "plans", &PLANS.replace("basic", "unknown")).names(2, &["[0].tariff"]);
    let accounts = [
        ACCOUNTS,
        "B-1,Bo,consumer,Rabat,1,false,\n",
        "B-2,Bo,consumer,Rabat,29,false,\n",
        "B-3,Bo,consumer,Rabat,1,perhaps,\n",
        "B-4,Bo,consumer\n",
        "B-1,Bo again,consumer,Rabat,1,false,\n",
    ];
    import(bench, "accounts", &accounts.concat()).names(
        2,
        &["line 4, column cycle_day", "line 5, column tax_exempt", "line 6", "line 7, column account_id", "line 3"],
    );
    let subscriptions =
        [SUBSCRIPTIONS, "flex,212600000003,A-9,,2020-01-01\n", "gone,212600000004,A-1,,2020-01-01\n"].concat();
    import(bench, "subscriptions", &subscriptions).names(2, &["line 4, column account_id", "line 5, column plan"]);
    let overlap = [SUBSCRIPTIONS, "flex,212600000001,A-1,,2021-01-01\n"].concat();
    import(bench, "subscriptions", &overlap).names(2, &["line 4, column active_from"]);
    import(bench, "cells", &CELLS.replace("34.02", "94.02")).names(2, &["line 2, column latitude"]);
    import(bench, "sensors", &SENSORS.replace(",30,40,", ",50,40,")).names(2, &["line 2, column critical_c"]);
    import(bench, "sensors", "sensor_id,site\nS-9,Rabat-1\n").names(2, &["line 1", "latitude"]);
    assert_eq!(version(), before);
    assert_eq!(before, ["A-1Ada L.Rabat2"]);
}

pub(crate) fn holds_from_the_next_batch_on(bench: &Bench) {
    let now = Utc::now() - Duration::minutes(1);
    let time = |minutes: i64| (now - Duration::minutes(minutes)).to_rfc3339_opts(SecondsFormat::Millis, true);
    let event = |id: &str, subscriber: &str| {
        format!(
            r#"{{"event_id":"{id}","service":"voice","subscriber":"{subscriber}","destination":"+212522000001","started_at":"{}","usage":95,"cell":"C-1"}}"#,
            time(60)
        )
    };
    let events = [
        event("00000000-0000-4000-8000-000000000001", "212600000001"),
        event("00000000-0000-4000-8000-000000000002", "212699999999"),
    ];
    bench.replay("usage-events", &bench.file("priced.jsonl", events.join("\n")));
    let charged = bench.views.lines(
        "SELECT account_id, CAST(COALESCE(amount, -1) AS CHAR), COALESCE(currency, ''), zone, rating_error FROM bi_usage_events \
         WHERE event_id LIKE '00000000-0000-4000-8000-%' ORDER BY event_id",
    );
    // Two started minutes at 1.20 and the connection; the other number has no subscription.
    assert_eq!(charged, ["A-1|2.6000|MAD|national|", "|-1.0000|||no_subscription"]);

    let reading =
        |sensor: &str| format!(r#"{{"sensor_id":"{sensor}","measured_at":"{}","temperature_c":35}}"#, time(1));
    bench.replay("sensor-readings", &bench.file("warm.jsonl", [reading("S-1"), reading("S-2")].join("\n")));
    let alarms = bench.views.lines("SELECT sensor_id, kind, severity FROM bi_alarms WHERE kind = 'temperature'");
    assert_eq!(alarms, ["S-1|temperature|warning"], "35 degrees is too warm by its own threshold only");
}

pub(crate) fn import(bench: &Bench, kind: &str, content: &str) -> Said {
    // The kind decides the form, not the file's name.
    let file = bench.file(&format!("{kind}.data"), content);
    bench.run(&["import".as_ref(), kind.as_ref(), Path::as_os_str(&file)])
}
