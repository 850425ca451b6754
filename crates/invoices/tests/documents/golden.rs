//! Documents as they are. `MILLRACE_UPDATE_GOLDEN=1` writes the files anew, to be read before they are kept.

use std::path::Path;

use millrace_domain::billing::Status;

use crate::sample::{cancelling, in_favour, invoice};

fn check(name: &str, document: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("MILLRACE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, document).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert_eq!(document, golden, "{}", file.display());
}

/// The page without its stylesheet.
fn body(page: &str) -> &str {
    page.split_once("</style>\n").unwrap().1
}

#[test]
fn an_invoice_as_json_is_as_it_was() {
    check("invoice.json", &millrace_invoices::json(&invoice()));
}

#[test]
fn an_invoice_as_csv_is_as_it_was() {
    check("invoice.csv", &millrace_invoices::csv(&invoice()));
}

#[test]
fn an_invoice_as_html_is_as_it_was() {
    check("invoice.html", body(&millrace_invoices::html(&invoice())));
}

#[test]
fn a_cancelled_invoice_names_its_credit_note() {
    let mut cancelled = invoice();
    cancelled.status = Status::Cancelled;
    cancelled.cancelled_by = Some("MR2026-00000018".into());
    let page = millrace_invoices::html(&cancelled);
    assert!(page.contains(r#"<div class="mark alert">Cancelled by MR2026-00000018</div>"#), "{page}");
    assert!(!page.contains("Please pay"), "{page}");
}

#[test]
fn what_is_paid_is_taken_off() {
    let mut invoice = invoice();
    invoice.paid = invoice.total - rust_decimal::Decimal::ONE;
    let page = millrace_invoices::html(&invoice);
    assert!(page.contains("<td>Still to pay MAD</td><td>1.00</td>"), "{page}");
}

#[test]
fn an_invoice_as_ubl_is_as_it_was() {
    check("invoice.xml", &millrace_invoices::ubl(&invoice()).unwrap());
}

#[test]
fn a_cancellation_as_ubl_is_as_it_was() {
    check("cancellation.xml", &millrace_invoices::ubl(&cancelling(&invoice())).unwrap());
}

#[test]
fn a_negative_total_as_html_is_as_it_was() {
    check("in_favour.html", body(&millrace_invoices::html(&in_favour())));
}
