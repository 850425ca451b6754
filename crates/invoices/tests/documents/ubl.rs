//! UBL documents against the schemas of UBL 2.1 and the rules of EN 16931, and what they refuse.

use std::path::Path;
use std::process::Command;

use millrace_domain::billing::{Invoice, Party};
use millrace_domain::reference::Operator;
use millrace_invoices::{UblError, ubl};
use rust_decimal::Decimal;

use crate::sample::{
    cancelling, charges, customer, decimal, fee, in_favour, invoice, invoice_of, long, operator, usage,
};

/// The folder that scripts/test fills: jars with schemas and rules, and the program that asks them.
const CHECKS: &str = "MILLRACE_TEST_UBL_CHECKS";

/// What schemas and rules have against documents.
fn violations(documents: &[String]) -> String {
    let checks = std::env::var(CHECKS).unwrap_or_else(|_| panic!("{CHECKS} is not set: run scripts/test"));
    let folder = tempfile::tempdir().unwrap();
    let files = documents.iter().enumerate().map(|(at, document)| {
        let file = folder.path().join(format!("{at}.xml"));
        std::fs::write(&file, document).unwrap();
        file
    });
    let classes = Path::new(&checks).join("classes");
    let path = format!("{}:{}", classes.display(), Path::new(&checks).join("lib/*").display());
    let output = Command::new("java").args(["-cp", &path, "CheckUbl"]).args(files).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let asked = format!("checked {}\n", documents.len());
    let found =
        said.strip_suffix(&asked).unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.success(), found.is_empty());
    found.to_owned()
}

fn exempt() -> Invoice {
    invoice_of(charges(), &operator(), customer(), true)
}

/// Of an operator without tax.
fn untaxed(tax_id: &str) -> Invoice {
    let operator = Operator { tax_rate: Decimal::ZERO, tax_id: tax_id.into(), ..operator() };
    invoice_of(charges(), &operator, customer(), false)
}

/// With a usage of nothing, and of an account with a VAT identifier.
fn odd() -> Invoice {
    let mut charges = charges();
    charges.usage.push(usage("212600000003", millrace_domain::usage::Service::Voice, "all", 0, "0"));
    charges.fees.push(fee("212600000003", "one day", "0.03", "2026-10-31"));
    let customer = Party { tax_id: "FR40303265045".into(), country: "fr".into(), city: String::new(), ..customer() };
    let operator = Operator {
        tax_rate: decimal("0.055"),
        address: vec!["a".into(), "b".into(), "c".into(), "d".into()],
        ..operator()
    };
    invoice_of(charges, &operator, customer, false)
}

#[test]
fn documents_keep_the_schema_and_every_rule_of_en_16931() {
    let again = cancelling(&in_favour());
    let invoices = [
        invoice(),
        in_favour(),
        cancelling(&invoice()),
        again,
        exempt(),
        cancelling(&exempt()),
        untaxed("MA001525713000067"),
        untaxed("001525713000067"),
        odd(),
        long(30),
    ];
    let documents: Vec<String> = invoices.iter().map(|invoice| ubl(invoice).unwrap()).collect();
    let found = violations(&documents);
    assert!(found.is_empty(), "{found}");
}

#[test]
fn the_check_finds_sums_that_disagree_and_elements_that_do_not_belong() {
    let document = ubl(&invoice()).unwrap();
    let wrong_sum =
        document.replacen("<cbc:PayableAmount currencyID=\"MAD\">", "<cbc:PayableAmount currencyID=\"MAD\">1", 1);
    let misplaced = document.replacen("<cbc:DueDate>", "<cbc:PaidDate>2026-01-01</cbc:PaidDate><cbc:DueDate>", 1);
    assert_ne!(wrong_sum, document);
    let found = violations(&[wrong_sum, misplaced]);
    assert!(found.contains("0.xml") && found.contains("BR-CO-16"), "{found}");
    assert!(found.contains("1.xml: schema: "), "{found}");
}

#[test]
fn a_credit_note_has_positive_amounts_and_names_what_it_cancels() {
    let document = ubl(&cancelling(&invoice())).unwrap();
    assert!(document.contains("<CreditNote ") && document.contains("<cbc:CreditNoteTypeCode>381<"), "{document}");
    assert!(document.contains(&format!("<cbc:PayableAmount currencyID=\"MAD\">{}<", invoice().total)), "{document}");
    assert!(document.contains("<cac:InvoiceDocumentReference>\n      <cbc:ID>MR2026-00000017<"), "{document}");
}

#[test]
fn what_charges_a_credit_note_again_is_a_debit_note() {
    let document = ubl(&cancelling(&in_favour())).unwrap();
    assert!(document.contains("<Invoice ") && document.contains("<cbc:InvoiceTypeCode>383<"), "{document}");
}

#[test]
fn a_field_that_en_16931_requires_is_named_as_a_person_knows_it() {
    type Case = (&'static str, fn(&mut Invoice));
    let cases: [Case; 6] = [
        ("operator.name", |invoice| invoice.seller.name.clear()),
        ("operator.country", |invoice| invoice.seller.country.clear()),
        ("operator.tax_id", |invoice| invoice.seller.tax_id = " ".into()),
        ("accounts.name", |invoice| invoice.customer.name.clear()),
        ("accounts.country", |invoice| invoice.customer.country.clear()),
        ("accounts.country", |invoice| invoice.customer.country = "Morocco".into()),
    ];
    for (field, spoil) in cases {
        let mut invoice = invoice();
        spoil(&mut invoice);
        let error = ubl(&invoice).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{field}: EN 16931 requires ")), "{error}");
    }
    let mut invoice = invoice();
    invoice.seller.country.clear();
    let term = "BT-40";
    assert_eq!(
        ubl(&invoice),
        Err(UblError::Missing { field: "operator.country", term, number: "MR2026-00000017".into() })
    );
}

#[test]
fn how_an_invoice_is_taxed_decides_its_category() {
    for (invoice, category) in [(invoice(), "S"), (exempt(), "E"), (untaxed("1"), "Z")] {
        assert!(ubl(&invoice).unwrap().contains(&format!("<cbc:ID>{category}</cbc:ID>")), "{category}");
    }
}
