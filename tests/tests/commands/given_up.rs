use crate::Bench;

const CUSTOMERS: &str = "State,Account length,Churn\nKS,128,False\nOH,107,True\n";

pub(crate) fn batches_are_listed_shown_and_sent_again(bench: &Bench) {
    let file = bench.file("churn.csv", CUSTOMERS);
    let said = bench.run(&["replay", "--topic", "customers", "--wait", file.to_str().unwrap()]);
    assert_eq!(said.out, "produced 2\n");
    let keys = || -> Vec<(String, bool)> {
        let listed = bench.json(&["given-up", "list", "--json"]);
        let batches = listed["given_up"].as_array().unwrap().iter();
        let of_customers = batches.filter(|batch| batch["topic"] == "customers");
        of_customers
            .map(|batch| (batch["key"].as_str().unwrap().to_owned(), batch["replayed"].as_bool().unwrap()))
            .collect()
    };
    // The simulator's customers are among them.
    let first = keys();
    let named: Vec<&String> = first.iter().map(|(key, _)| key).filter(|key| said.err.contains(*key)).collect();
    assert!(!named.is_empty(), "{said:?} {first:?}");
    said.names(1, &["2 records were given up on", "given-up replay"]);
    let key = named[0];
    assert!(bench.succeed(&["given-up", "list"]).contains(key.as_str()));
    let shown = bench.succeed(&["given-up", "show", key]);
    assert!(shown.contains("function:score") && shown.contains("churn-"), "{shown}");

    let given_up = bench.stack.count("customers", "given_up");
    assert!(given_up >= 2);
    let listed = bench.json(&["given-up", "list", "--json"]);
    let records =
        listed["given_up"].as_array().unwrap().iter().find(|batch| batch["key"] == key.as_str()).unwrap()["records"]
            .as_u64();
    let records = records.unwrap();
    assert!(records >= 1);
    assert_eq!(bench.succeed(&["given-up", "replay", key]), format!("produced {records}\n"));
    // The function still fails, so they are given up on again, as new records.
    bench.stack.wait_until("the batch's second end", std::time::Duration::from_secs(30), |stack| {
        stack.count("customers", "given_up") == given_up + records
    });
    let after = keys();
    assert!(after.contains(&(key.clone(), true)), "{after:?}");
    assert!(after.len() > first.len(), "{after:?}");
    let open = after.iter().filter(|(_, replayed)| !replayed).count();
    assert!(bench.succeed(&["given-up", "replay"]).starts_with("produced "));
    let left: Vec<_> = keys().into_iter().filter(|entry| after.contains(entry) && !entry.1).collect();
    assert!(open > 0 && left.is_empty(), "{left:?}");
    bench.stack.wait_until("the last batch's end", std::time::Duration::from_secs(30), |stack| {
        stack.count("customers", "lag") == 0
    });
}
