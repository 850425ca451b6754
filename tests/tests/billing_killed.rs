//! Billing that is killed at any point and run again ends with the invoices of an undisturbed run.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::{Child, Stdio};
use std::time::Instant;

use millrace_tests::database::Views;
use millrace_tests::independent::{World, stack_for_old_events};
use millrace_tests::{one_stack_at_a_time, processes};
use serde_json::Value;

const KILLS: usize = 50;
const ACCOUNTS: i64 = 1_000;

#[test]
fn bill_killed_fifty_times_and_run_again_issues_the_same_invoices_without_gaps() {
    let _one = one_stack_at_a_time();
    let world = World::made_by("killed_world.py");
    let computation = world.compute();
    let (_root, stack) = stack_for_old_events();
    let (bills, before): (Vec<&Value>, Vec<&Value>) = world.steps.iter().partition(|step| step["do"] == "bill");
    for step in before {
        world.take(&stack, step);
    }
    let views = Views::connect(&stack.mysql_url());
    let administrator = Views::connect_as_administrator(&stack);
    assert_eq!(bills.len(), KILLS + 1, "each cycle is billed once; the first tells how long it takes");
    let begun = Instant::now();
    world.take(&stack, bills[0]);
    // The first run is a cold one: the guess follows from how far later ones were when they were killed.
    let mut undisturbed = begun.elapsed();

    let mut dice = Dice(50);
    // Kills that came while nothing was closed, in the middle of closing, of issuing, and after the end.
    let mut found = [0; 4];
    for (kill, step) in bills[1..].iter().enumerate() {
        let start = || {
            let mut command = world.command(&stack, step);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        // At times two people bill at once.
        let commands: Vec<Child> = (0..if kill % 10 == 9 { 2 } else { 1 }).map(|_| start()).collect();
        std::thread::sleep(undisturbed.mul_f64(dice.roll()));
        let instances = processes::instances(&stack, "bill");
        if !instances.is_empty() {
            processes::kill_all(&instances);
        }
        for mut command in commands {
            command.wait().unwrap();
        }
        let reached = reached(&administrator, step["cycle"].as_str().unwrap());
        found[reached] += 1;
        undisturbed = undisturbed.mul_f64([1.2, 1.0, 1.0, 0.8][reached]);
        if kill % 25 != 0 {
            // The turn of a run that died is another one's after some seconds, which would be most of this test.
            administrator.execute("DELETE FROM leases WHERE name = 'billing'");
        }
        world.take(&stack, step);
    }
    eprintln!(
        "an undisturbed run takes about {undisturbed:?}; before, while closing, while issuing, afterwards: {found:?}"
    );
    assert!(found[1] + found[2] >= KILLS / 5, "too few runs died at work: {found:?}");

    let expected = computation.finish();
    expected.check_events(&views);
    expected.check_invoices(&views);
    expected.check_lines(&views);
    assert_eq!(
        views.integer("SELECT CAST(MIN(n) AS SIGNED) FROM (SELECT COUNT(*) AS n FROM bi_invoices GROUP BY cycle) c"),
        ACCOUNTS
    );
}

/// How far a run has come with a cycle.
fn reached(administrator: &Views, cycle: &str) -> usize {
    let code = cycle.replace('-', "");
    let [closed, invoiced] = administrator.integers(&format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(invoiced), 0) AS SIGNED) FROM closed_cycles WHERE cycle = {code}"
    ))[..] else {
        unreachable!("two columns");
    };
    match (closed, invoiced) {
        (0, _) => 0,
        (_, ACCOUNTS) => 3,
        (ACCOUNTS, _) => 2,
        _ => 1,
    }
}

/// A small generator (splitmix64): the same kills each time, as far as the machine lets them be.
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) as f64 / u64::MAX as f64
    }
}
