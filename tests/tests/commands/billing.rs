use chrono::{Datelike, Months, Utc};

use crate::Bench;
use crate::import::{TARIFFS, import};

/// Of the operator that was imported: an account with two numbers for 49.00 each.
pub(crate) fn goes_from_a_cycle_to_invoices_payments_and_credit_notes(bench: &Bench) {
    // The month before last: whatever else happens here is of these days.
    let first = Utc::now().date_naive().with_day(1).unwrap();
    let cycle = |months: u32| first.checked_sub_months(Months::new(months)).unwrap().format("%Y-%m").to_string();
    let (earlier, later) = (cycle(2), cycle(1));
    let event = format!(
        r#"{{"event_id":"00000000-0000-4000-8000-0000000000b1","service":"voice","subscriber":"212600000002","destination":"+212522000001","started_at":"{earlier}-15T12:00:00Z","usage":95,"cell":"C-1"}}"#
    );
    bench.replay("usage-events", &bench.file("earlier.jsonl", event));

    let billed = bench.json(&["bill", "--cycle", &earlier, "--json"]);
    assert_eq!(
        (&billed["closed"], &billed["invoices"], &billed["not_ended"]),
        (&1.into(), &1.into(), &0.into()),
        "{billed}"
    );
    // 2 × 49.00, two started minutes at 1.20 and the connection; a fifth of it is tax.
    assert_eq!(
        (&billed["net"], &billed["tax"], &billed["total"]),
        (&"100.60".into(), &"20.12".into(), &"120.72".into())
    );
    let number = billed["first"].as_str().unwrap();
    let status = || bench.json(&["invoice", number])["status"].clone();
    assert_eq!(status(), "issued");
    assert_eq!(bench.json(&["bill", "--cycle", &earlier, "--json"])["invoices"], 0, "billed once");
    in_every_form(bench, number);

    let payment = |amount: &str| format!("reference,invoice_number,paid_on,amount\nR-1,{number},{later}-01,{amount}\n");
    import(bench, "payments", &payment("120.719")).names(2, &["line 2, column amount"]);
    import(bench, "payments", &payment("120.71"));
    assert_eq!(status(), "issued");
    import(bench, "payments", &payment("120.72"));
    assert_eq!(status(), "paid");

    // A minute costs twice as much: what waits for the next invoice is not billed once this one is cancelled.
    assert_eq!(import(bench, "tariffs", &TARIFFS.replace("1.20", "2.40")).exit, 0);
    let (from, to) = (format!("{earlier}-15"), format!("{earlier}-16"));
    let rerated = bench.json(&["rerate", "--from", &from, "--to", &to, "--json"]);
    assert_eq!((&rerated["changed"], &rerated["credited"]), (&1.into(), &"2.4000".into()), "{rerated}");
    let note = bench.json(&["credit", number, "--reason", "wrong plan", "--json"]);
    assert_eq!((&note["cancels"], &note["total"]), (&number.into(), &"-120.72".into()), "{note}");
    assert_eq!(status(), "cancelled");
    let note = note["number"].as_str().unwrap();
    bench.run(&["credit", number]).names(1, &["cancelled already", note]);
    bench.run(&["credit", note]).names(1, &[note, number]);
    bench.run(&["credit", "AT1999-00000001"]).names(2, &["AT1999-00000001"]);
    bench.succeed(&["bill", "--cycle", &later]);
    let corrections = "SELECT invoice_number FROM bi_invoice_lines WHERE kind IN ('credit', 'late_usage')";
    assert!(bench.views.lines(corrections).is_empty());
    let cancelled =
        "SELECT status, cancels FROM bi_invoices WHERE status = 'cancelled' OR cancels <> '' ORDER BY invoice_number";
    assert_eq!(bench.views.lines(cancelled), ["cancelled|".to_owned(), format!("issued|{number}")]);
    assert_eq!(import(bench, "tariffs", TARIFFS).exit, 0);
}

fn in_every_form(bench: &Bench, number: &str) {
    let page = bench.succeed(&["invoice", number, "--format", "html"]);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Atlas Mobile") && page.contains(number));
    let rows = bench.succeed(&["invoice", number, "--format", "csv"]);
    assert_eq!(rows.lines().count(), 4, "a header, two fees and a line of usage: {rows}");
    let usage = bench.succeed(&["invoice", number, "--usage"]);
    assert_eq!(usage.lines().count(), 2, "{usage}");
    assert!(usage.contains("00000000-0000-4000-8000-0000000000b1") && usage.contains("2.6000"), "{usage}");
    let pdf = bench.stack.millrace(["invoice", number, "--format", "pdf"]);
    assert!(pdf.status.success() && pdf.stdout.starts_with(b"%PDF-"));
    bench.run(&["invoice", number, "--format", "ubl"]).names(1, &["operator.country"]);
}
