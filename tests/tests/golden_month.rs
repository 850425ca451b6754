//! Months of an operator come out to the cent as a second, independent computation says.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::Command;
use std::time::{Duration, Instant};

use millrace_test_support::pages::billing_check;
use millrace_test_support::stack::project_root;
use millrace_tests::database::Views;
use millrace_tests::independent::{World, stack_for_old_events};
use millrace_tests::{cache_caught_up, one_stack_at_a_time};

#[test]
fn the_independent_computation_agrees_with_invoices_worked_out_by_hand() {
    let script = project_root().join("tests/independent/test_billing.py");
    let output = Command::new("python3").arg("-B").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn golden_months_are_billed_to_the_cent_as_the_independent_computation_says() {
    let _one = one_stack_at_a_time();
    let world = World::made_by("golden_world.py");
    let computation = world.compute();
    let (_root, stack) = stack_for_old_events();
    for step in &world.steps {
        let begun = Instant::now();
        world.take(&stack, step);
        eprintln!("{:6.1} s for {step}", begun.elapsed().as_secs_f64());
    }
    let expected = computation.finish();
    let views = Views::connect(&stack.mysql_url());
    let events = expected.check_events(&views);
    let invoices = expected.check_invoices(&views);
    let lines = expected.check_lines(&views);
    assert_eq!(events, 100_000);

    // Everything that the world is there for did happen.
    let seen = |sql: &str| assert!(views.integer(sql) > 0, "{sql}");
    for kind in ["fee", "usage", "late_usage", "credit"] {
        seen(&format!("SELECT COUNT(*) FROM bi_invoice_lines WHERE kind = '{kind}'"));
    }
    for error in ["no_subscription", "no_rate", "max_cost"] {
        seen(&format!("SELECT COUNT(*) FROM bi_usage_events WHERE rating_error = '{error}'"));
    }
    seen("SELECT COUNT(*) FROM bi_invoices WHERE total < 0");
    seen("SELECT COUNT(*) FROM bi_invoices WHERE net > 0 AND tax = 0");
    seen(
        "SELECT COUNT(*) FROM bi_accounts a WHERE NOT EXISTS (SELECT 1 FROM bi_invoices i WHERE i.account_id = a.account_id)",
    );

    // What analysts run says so too, once the cache has summed what is open.
    stack.wait_until("the sum of all charges", Duration::from_secs(150), |_| {
        let sums = views.lines(&billing_check()).concat();
        sums.split_once(' ').is_some_and(|(billed_and_open, charged)| billed_and_open == charged && charged != "0.0000")
    });
    // What the cache folded is what the invoices carry, corrections and cancellations included.
    let books = cache_caught_up(&stack);
    assert_eq!((&books["billing_difference"], &books["conservation_difference"]), (&"0".into(), &0.into()), "{books}");

    // Billed again, nothing is issued and nothing changes.
    for step in world.steps.iter().filter(|step| step["do"] == "bill") {
        world.take(&stack, step);
    }
    assert_eq!((expected.check_invoices(&views), expected.check_lines(&views)), (invoices, lines));
}
