//! Every form says the same sums.

use millrace_domain::billing::{Invoice, ItemisedCharge, LineKind};
use millrace_domain::usage::Service;
use millrace_invoices::ItemisedUsage;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::sample::{cancelling, day, decimal, in_favour, invoice, long};

fn each(mut check: impl FnMut(&Invoice)) {
    for invoice in [invoice(), in_favour(), cancelling(&invoice()), cancelling(&in_favour()), long(60)] {
        check(&invoice);
    }
}

#[test]
fn json_says_the_sums_and_its_lines_add_up_to_them() {
    each(|invoice| {
        let document: serde_json::Value = serde_json::from_str(&millrace_invoices::json(invoice)).unwrap();
        let money = |value: &serde_json::Value| decimal(value.as_str().unwrap());
        let lines = document["lines"].as_array().unwrap();
        let sum = |field: &str| lines.iter().map(|line| money(&line[field])).sum::<Decimal>();
        assert_eq!(money(&document["net"]), invoice.net);
        assert_eq!(sum("net"), invoice.net);
        assert_eq!(sum("exact"), invoice.net + money(&document["rounding"]));
        assert_eq!(money(&document["net"]) + money(&document["tax"]), money(&document["total"]));
        assert_eq!(money(&document["total"]), invoice.total);
    });
}

#[test]
fn csv_says_the_sums_in_every_row_and_its_lines_add_up_to_them() {
    each(|invoice| {
        let text = millrace_invoices::csv(invoice);
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let columns = rows.headers().unwrap().clone();
        let at = |name| columns.iter().position(|column| column == name).unwrap();
        let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), invoice.lines.len());
        assert_eq!(rows.iter().map(|row| decimal(&row[at("net")])).sum::<Decimal>(), invoice.net);
        for row in &rows {
            let own = ["invoice_net", "invoice_tax", "invoice_total"].map(|name| decimal(&row[at(name)]));
            assert_eq!(own, [invoice.net, invoice.tax, invoice.total]);
        }
    });
}

#[test]
fn html_says_the_sums_and_its_rows_add_up_to_them() {
    each(|invoice| {
        let page = millrace_invoices::html(invoice).replace(',', "");
        let figures = |row: &str| -> Vec<Decimal> {
            row.split("<td")
                .skip(1)
                .filter_map(|cell| cell.split_once('>')?.1.split('<').next()?.parse().ok())
                .collect()
        };
        let last = |row: &str| *figures(row).last().unwrap();
        let lines = page.split("<table class=\"totals\">").next().unwrap();
        let rows: Vec<&str> =
            lines.split("<tr").filter(|row| row.contains("class=\"figure\">") && row.contains("<td")).collect();
        let (sums, rows): (Vec<&str>, Vec<&str>) = rows.into_iter().partition(|row| row.contains("subtotal"));
        assert_eq!(rows.len(), invoice.lines.len());
        assert_eq!(rows.into_iter().map(last).sum::<Decimal>(), invoice.net);
        assert_eq!(sums.into_iter().map(last).sum::<Decimal>(), invoice.net);
        let totals = page.split("<table class=\"totals\">").nth(1).unwrap().split("<tr").skip(1).map(last);
        assert_eq!(totals.take(3).collect::<Vec<_>>(), [invoice.net, invoice.tax, invoice.total]);
    });
}

#[test]
fn itemised_usage_is_csv_with_the_time_where_the_operator_is() {
    let charge = ItemisedCharge {
        kind: LineKind::LateUsage,
        msisdn: "212600000001".into(),
        started_at: "2026-09-30T23:30:00.250Z".parse().unwrap(),
        service: Service::Voice,
        destination: "+33123456789".into(),
        cell: "C-7".into(),
        roaming: true,
        usage: 61,
        zone: "zone, \"1\"".into(),
        amount: decimal("0.61"),
        own_cycle: millrace_domain::cycles::Cycle::of(day("2026-09-30"), 1).into(),
        event_id: Uuid::from_u128(7),
    };
    let mut bytes = Vec::new();
    let mut rows = ItemisedUsage::new(&mut bytes, "MR2026-00000017", chrono_tz::Africa::Casablanca).unwrap();
    rows.write(&charge).unwrap();
    rows.finish().unwrap();
    let expected = "invoice_number,kind,msisdn,started_at,local_time,service,destination,cell,roaming,quantity,zone,own_cycle,amount,\
                    event_id\nMR2026-00000017,late_usage,212600000001,2026-09-30T23:30:00.250Z,2026-10-01T00:30:00.250+01:00,voice,\
                    +33123456789,C-7,true,61,\"zone, \"\"1\"\"\",2026-09,0.6100,00000000-0000-0000-0000-000000000007\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}
