//! The public churn file goes through `replay` as it is.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write as _;

use millrace_test_support::{environment, stack::Stack};
use millrace_tests::database::Views;
use millrace_tests::one_stack_at_a_time;

const HEADER: &str = "State,Account length,Area code,International plan,Voice mail plan,Number vmail messages,Total day minutes,Total day calls,Total day charge,Total eve minutes,Total eve calls,Total eve charge,Total night minutes,Total night calls,Total night charge,Total intl minutes,Total intl calls,Total intl charge,Customer service calls,Churn";

/// A file of the public one's columns, with made values.
fn made(rows: usize) -> String {
    let mut file = format!("{HEADER}\n");
    for i in 0..rows {
        let yes_no = |yes: bool| if yes { "Yes" } else { "No" };
        let minutes = |scale: f64| scale + (i * 37 % 1_000) as f64 / 10.0;
        writeln!(
            file,
            "{},{},{},{},{},{},{:.1},{},{:.2},{:.1},{},{:.2},{:.1},{},{:.2},{:.1},{},{:.2},{},{}",
            ["KS", "OH", "NJ", "OK"][i % 4],
            1 + i % 240,
            [408, 415, 510][i % 3],
            yes_no(i % 10 == 0),
            yes_no(i % 4 == 0),
            if i % 4 == 0 { i % 50 } else { 0 },
            minutes(120.0),
            60 + i % 90,
            minutes(120.0) * 0.17,
            minutes(150.0),
            60 + i % 80,
            minutes(150.0) * 0.085,
            minutes(160.0),
            60 + i % 70,
            minutes(160.0) * 0.045,
            minutes(0.0) / 10.0,
            i % 15,
            minutes(0.0) * 0.027,
            i % 8,
            if i % 7 == 0 { "True" } else { "False" },
        )
        .unwrap();
    }
    file
}

#[test]
fn a_churn_file_of_the_public_columns_is_stored_whole() {
    let _one = one_stack_at_a_time();
    let stack = Stack::start();
    let made_file = stack.home().join("customers-made.csv");
    std::fs::write(&made_file, made(500)).unwrap();
    let mut expected = 500;
    let replayed = stack.succeed(["replay", "--topic", "customers", "--wait", made_file.to_str().unwrap()]);
    assert!(replayed.contains("produced 500"), "{replayed}");

    match environment::shared().map(|folder| folder.join("data/churn-bigml-80.csv")).filter(|file| file.exists()) {
        Some(public) => {
            let replayed = stack.succeed(["replay", "--topic", "customers", "--wait", public.to_str().unwrap()]);
            assert!(replayed.contains("produced 2666"), "{replayed}");
            expected += 2_666;
        }
        None => eprintln!("the public churn file is not here (MILLRACE_SHARED): only the made one was replayed"),
    }

    let topic = stack.topic("customers");
    assert_eq!(topic["stored"], expected, "{topic}");
    assert_eq!(topic["rejects"], 0, "{topic}");
    assert_eq!(topic["lag"], 0, "{topic}");
    // The same file again: one observed_at for a file, so a second run at the same instant is all duplicates.
    let at = "2026-01-01T00:00:00Z";
    for _ in 0..2 {
        stack.succeed(["replay", "--topic", "customers", "--wait", "--observed-at", at, made_file.to_str().unwrap()]);
    }
    let topic = stack.topic("customers");
    assert_eq!(topic["stored"], expected + 500, "{topic}");
    assert_eq!(topic["duplicates"], 500, "{topic}");
    assert_eq!(Views::connect(&stack.mysql_url()).integer("SELECT COUNT(*) FROM bi_rejects"), 0);
}
