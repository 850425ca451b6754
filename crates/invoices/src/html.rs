//! The invoice as a page to print.

use std::fmt::{self, Write as _};

use millrace_domain::billing::{Invoice, Status};

use crate::escape::Escaped;
use crate::sheet::{Row, Section, Sheet};

/// The invoice as one HTML page for A4 paper that needs no other file: its only stylesheet is part of it.
#[must_use]
pub fn html(invoice: &Invoice) -> String {
    let mut page = String::new();
    // A string takes all that is written.
    let _ = write(&mut page, invoice, &Sheet::new(invoice));
    page
}

fn write(page: &mut String, invoice: &Invoice, sheet: &Sheet) -> fmt::Result {
    let (title, number) = (sheet.title, Escaped(&sheet.number));
    writeln!(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(page, "<meta name=\"viewport\" content=\"width=device-width\">")?;
    writeln!(
        page,
        "<title>{title} {number}</title>\n<style>\n{}</style>\n</head>\n<body>",
        include_str!("invoice.css")
    )?;

    writeln!(page, "<header>\n<div class=\"heading\">\n<h1>{title}</h1>\n<div class=\"number\">{number}</div>")?;
    if let Some(mark) = &sheet.mark {
        let alert = if matches!(invoice.status, Status::Cancelled | Status::Overdue) { " alert" } else { "" };
        writeln!(page, "<div class=\"mark{alert}\">{}</div>", Escaped(mark))?;
    }
    writeln!(page, "</div>\n<address class=\"seller\">")?;
    party(page, &sheet.seller)?;
    writeln!(page, "</address>\n</header>")?;

    writeln!(
        page,
        "<section class=\"parties\">\n<div>\n<div class=\"label\">Billed to</div>\n<address class=\"customer\">"
    )?;
    party(page, &sheet.customer)?;
    writeln!(page, "</address>\n</div>\n<dl>")?;
    for (label, value) in &sheet.facts {
        writeln!(page, "<dt>{label}</dt><dd><bdi>{}</bdi></dd>", Escaped(value))?;
    }
    writeln!(page, "</dl>\n</section>")?;

    table(page, sheet, &invoice.currency)?;

    writeln!(page, "<table class=\"totals\">")?;
    for total in &sheet.totals {
        let class = if total.strong { " class=\"strong\"" } else { "" };
        writeln!(page, "<tr{class}><td>{}</td><td>{}</td></tr>", Escaped(&total.label), total.amount)?;
    }
    writeln!(page, "</table>")?;
    if !sheet.notes.is_empty() {
        writeln!(page, "<section class=\"notes\">")?;
        for note in &sheet.notes {
            writeln!(page, "<p dir=\"auto\">{}</p>", Escaped(note))?;
        }
        writeln!(page, "</section>")?;
    }
    writeln!(page, "</body>\n</html>")
}

/// The first line of a party is its name. Each line finds its own direction and keeps its place.
fn party(page: &mut String, lines: &[String]) -> fmt::Result {
    for (at, line) in lines.iter().enumerate() {
        let line = Escaped(line);
        match at {
            0 => writeln!(page, "<strong><bdi>{line}</bdi></strong>")?,
            _ => writeln!(page, "<br><bdi>{line}</bdi>")?,
        }
    }
    Ok(())
}

fn table(page: &mut String, sheet: &Sheet, currency: &str) -> fmt::Result {
    let [description, number, quantity, net] = Sheet::columns(currency);
    writeln!(page, "<table class=\"lines\">\n<colgroup><col><col class=\"number-column\"><col class=\"quantity\">")?;
    writeln!(page, "<col class=\"net\"></colgroup>\n<thead>")?;
    writeln!(page, "<tr><th>{description}</th><th>{number}</th>")?;
    writeln!(page, "<th class=\"figure\">{quantity}</th><th class=\"figure\">{}</th></tr>\n</thead>", Escaped(&net))?;
    for Section { title, rows, subtotal } in &sheet.sections {
        writeln!(page, "<tbody>\n<tr class=\"kind\"><th colspan=\"4\">{title}</th></tr>")?;
        for Row { description, msisdn, quantity, net } in rows {
            let (description, msisdn) = (Escaped(description), Escaped(msisdn));
            writeln!(page, "<tr><td><bdi>{description}</bdi></td><td>{msisdn}</td>")?;
            writeln!(page, "<td class=\"figure\">{quantity}</td><td class=\"figure\">{net}</td></tr>")?;
        }
        writeln!(
            page,
            "<tr class=\"subtotal\"><td colspan=\"3\">{title}</td><td class=\"figure\">{subtotal}</td></tr>\n</tbody>"
        )?;
    }
    writeln!(page, "</table>")
}
