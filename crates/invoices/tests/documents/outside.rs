//! PDFs as poppler's tools read them.

use std::process::Command;

use millrace_domain::billing::Invoice;

use crate::sample::{customer, in_favour, invoice, invoice_of, long, operator};

/// The text of each page, in the order in which it is read.
fn pages(invoice: &Invoice) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("invoice.pdf");
    std::fs::write(&file, millrace_invoices::pdf(invoice).unwrap().bytes).unwrap();
    let output = Command::new("pdftotext").args(["-layout", "-enc", "UTF-8"]).arg(&file).arg("-").output();
    let output = output.expect("pdftotext is missing: run scripts/test, which installs it");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\u{c}').map(str::to_owned).collect()
}

/// Money for people.
fn grouped(amount: rust_decimal::Decimal) -> String {
    let text = format!("{:.2}", amount.abs());
    let (whole, cents) = text.split_once('.').unwrap();
    let groups: Vec<_> = whole.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    format!("{}{}.{cents}", if amount.is_sign_negative() { "-" } else { "" }, groups.join(","))
}

#[test]
fn a_pdf_says_every_line_and_sum() {
    for invoice in [invoice(), in_favour()] {
        let text = pages(&invoice).concat();
        for word in ["Atlas Télécom", "Café Çelik & Łódź <Import>", "MR2026-00000017", "Page 1 of 1", "2026-11-03"]
        {
            assert!(text.contains(word), "{word} is not in\n{text}");
        }
        let sums = [invoice.net, invoice.tax, invoice.total];
        for amount in invoice.lines.iter().map(|line| line.net).chain(sums) {
            assert!(text.contains(&grouped(amount)), "{amount} is not in\n{text}");
        }
    }
}

#[test]
fn a_long_invoice_goes_on_over_pages_with_their_numbers_and_the_head_of_the_table() {
    let invoice = long(40);
    let pages = pages(&invoice);
    assert!(pages.len() > 3, "{} pages", pages.len());
    let mut rows = 0;
    for (at, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Page {} of {}", at + 1, pages.len())), "{page}");
        let lines = page.lines().filter(|line| line.contains(" 2126")).count();
        assert!(lines == 0 || page.contains("Description") && page.contains("Net MAD"), "{page}");
        rows += lines;
    }
    assert_eq!(rows, invoice.lines.len());
}

#[test]
fn names_are_written_in_their_own_direction() {
    let mut customer = customer();
    customer.name = "شركة الأطلس للاتصالات".into();
    customer.address = vec!["שדרות רוטשילד 1".into()];
    let invoice = invoice_of(crate::sample::charges(), &operator(), customer, false);
    let pdf = millrace_invoices::pdf(&invoice).unwrap();
    assert!(pdf.missing.is_empty(), "{:?}", pdf.missing);
    let text = pages(&invoice).concat();
    assert!(text.contains("שדרות"), "{text}");
}

#[test]
fn what_no_font_has_is_named() {
    let mut invoice = invoice();
    invoice.customer.name = "日本 Ltd".into();
    assert_eq!(millrace_invoices::pdf(&invoice).unwrap().missing.into_iter().collect::<String>(), "日本");
}

#[test]
fn the_same_invoice_gives_the_same_bytes() {
    assert_eq!(millrace_invoices::pdf(&invoice()).unwrap(), millrace_invoices::pdf(&invoice()).unwrap());
}
