//! Closing a month: `millrace bill` over many accounts and charges, then once more when nothing is left to do.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{Datelike, Months, NaiveDate, TimeDelta, Utc};
use serde_json::Value;

use crate::figures::{grouped, mebibytes, short};
use crate::machine;
use crate::options::Options;
use crate::processes::{self, Meter};
use crate::report::Table;
use crate::stacks::Measured;

/// How often the function's process is looked at.
const PROCESS_EVERY: Duration = Duration::from_millis(500);
/// Charges that one statement of the preparation inserts.
const CHUNK: u64 = 250_000;

/// Fills a stack's tables with charges and bills them.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let measured = Measured::start_with(&["bill"], |_| ())?;
    let machine = machine::describe(&measured)?;
    // Two months back: ended for every day of the month.
    let first = Utc::now().date_naive().with_day(1).and_then(|day| day.checked_sub_months(Months::new(2)));
    let first = first.context("the calendar ends")?;
    fill(&measured, options, first)?;
    let billed = run(&measured, first)?;
    let again = run(&measured, first)?;
    let mut table = Table::new(&["", "first run", "second run"]);
    let mut row = |heading: &str, figure: fn(&Run) -> String| table.row(&[heading, &figure(&billed), &figure(&again)]);
    row("invoices", |run| grouped(run.invoices));
    row("**seconds**", |run| format!("**{}**", short(run.seconds)));
    row("function `bill`, CPU seconds", |run| short(run.cpu));
    row("database, CPU seconds", |run| short(run.database_cpu));
    row("function `bill`, peak memory", |run| mebibytes(run.peak_memory));
    let lines = measured.database.integer("SELECT COUNT(*) FROM invoice_lines")?;
    let (exact, billed_sum) = (
        measured.database.lines("SELECT CAST(SUM(amount) AS CHAR) FROM usage_events")?,
        measured.database.lines(
            "SELECT CAST((SELECT SUM(net) FROM invoice_lines WHERE kind = 'usage') + (SELECT SUM(rounding) FROM invoices) AS CHAR)",
        )?,
    );
    if exact != billed_sum {
        bail!("{exact:?} was charged, {billed_sum:?} is billed");
    }
    Ok(format!(
        "## Billing\n\n{machine}\n\n`millrace bill` over {} accounts with two numbers each, whose cycles begin on all 28 days, and {} \
         charges of three services and seven zones, from the start of the command to its end: {} lines. The charges are put into the \
         table in the order of time before; the exact charges are the nets and the kept rounding, which is checked. The second run \
         finds that nothing is left to do.\n\n{}",
        grouped(f64::from(options.bill_accounts)),
        grouped(options.bill_charges as f64),
        grouped(lines as f64),
        table.text(),
    ))
}

/// Accounts, numbers and charges, by SQL in both engines' common subset.
fn fill(measured: &Measured, options: &Options, first: NaiveDate) -> anyhow::Result<()> {
    let database = &measured.database;
    let (accounts, charges) = (options.bill_accounts, options.bill_charges);
    let from = first.checked_sub_signed(TimeDelta::days(1)).context("the calendar begins")?;
    database.execute(
        "DELETE FROM subscriptions; DELETE FROM accounts; \
         CREATE TABLE bench_digits (n INT UNSIGNED NOT NULL PRIMARY KEY); \
         INSERT INTO bench_digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9); \
         CREATE TABLE bench_numbers (n INT UNSIGNED NOT NULL PRIMARY KEY); \
         INSERT INTO bench_numbers SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n \
         FROM bench_digits a, bench_digits b, bench_digits c, bench_digits d, bench_digits e, bench_digits f",
    )?;
    database.execute(&format!(
        "INSERT INTO accounts (account_no, account_id, name, segment, city, cycle_day, tax_exempt) \
         SELECT 1 + n, CONCAT('B-', LPAD(n, 6, '0')), CONCAT('Customer ', n), 'consumer', 'Rabat', 1 + n % 28, 0 \
         FROM bench_numbers WHERE n < {accounts}; \
         INSERT INTO subscriptions (msisdn, active_from, account_no, plan) \
         SELECT CONCAT('2127', LPAD(n, 8, '0')), '2025-01-01', 1 + n % {accounts}, (SELECT MIN(plan) FROM plans) \
         FROM bench_numbers WHERE n < 2 * {accounts}"
    ))?;
    let (year, month) = (first.year(), first.month());
    let mut done = 0;
    while done < charges {
        let rows = CHUNK.min(charges - done);
        // Two days after the cycle's first, so that all of the 28 days that follow lie in it.
        database.execute(&format!(
            "INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, \
                 account_no, tariff_no, zone, amount, currency, rating_error, bill_cycle) \
             SELECT t.at, UNHEX(MD5({done} + t.n)), DATE(t.at), t.service, CONCAT('2127', LPAD(t.number, 8, '0')), \
                 CASE t.service WHEN 3 THEN '' ELSE '212700000000' END, 60, '', 0, 1 + t.number % {accounts}, 1, \
                 CASE t.service WHEN 3 THEN 'internet' ELSE CONCAT('zone', t.n % 3) END, 0.0001 * (1 + t.n % 9999), 'MAD', '', \
                 {year} * 100 + {month} \
             FROM (SELECT n, 1 + n DIV 7 % 3 AS service, (({done} + n) * 7919) % (2 * {accounts}) AS number, \
                     CAST('{from}' AS DATETIME(3)) + INTERVAL 2 DAY \
                     + INTERVAL ((({done} + n) * 7919) % (2 * {accounts}) % {accounts}) % 28 DAY \
                     + INTERVAL FLOOR(({done} + n) * (26 * 86400 / {charges})) SECOND AS at \
                   FROM bench_numbers WHERE n < {rows}) t ORDER BY t.at"
        ))?;
        done += rows;
        eprintln!("  {} charges are there", grouped(done as f64));
    }
    database.execute("DROP TABLE bench_numbers; DROP TABLE bench_digits; ANALYZE TABLE usage_events")
}

struct Run {
    invoices: f64,
    seconds: f64,
    cpu: f64,
    database_cpu: f64,
    peak_memory: u64,
}

fn run(measured: &Measured, first: NaiveDate) -> anyhow::Result<Run> {
    measured.database.settle()?;
    let server = || processes::of_service(&measured.stack.status(), "mysql");
    let supervisor = processes::supervisor(&measured.stack.status())?;
    let function = || processes::of_function(supervisor, "bill");
    let (mut database, mut meter) = (Meter::begin(&server()), Meter::begin(&function()));
    let begun = Instant::now();
    let mut child = measured
        .stack
        .command(["bill", "--json", "--cycle", &first.format("%Y-%m").to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("millrace bill")?;
    // Its answer is short and waits in the pipe.
    let status = loop {
        std::thread::sleep(PROCESS_EVERY.min(begun.elapsed() / 4));
        match child.try_wait()? {
            Some(status) => break status,
            None => meter.read(&function()),
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    meter.read(&function());
    database.read(&server());
    if !status.success() {
        bail!("millrace bill ended with {status}");
    }
    let answer: Value = serde_json::from_reader(child.stdout.take().context("the answer of millrace bill")?)?;
    eprintln!("  {} invoices in {seconds:.1} s", answer["invoices"]);
    Ok(Run {
        invoices: answer["invoices"].as_f64().context("the answer has no invoices")?,
        seconds,
        cpu: meter.cpu_seconds(),
        database_cpu: database.cpu_seconds(),
        peak_memory: meter.peak_memory(),
    })
}
