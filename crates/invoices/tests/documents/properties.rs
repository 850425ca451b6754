//! Any text may stand in names, descriptions and reasons.

use millrace_domain::billing::Invoice;
use proptest::prelude::*;
use quick_xml::events::Event;

use crate::sample::invoice;

/// Text with what is special to XML, HTML and CSV, letters of other scripts, and what no document may hold.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "&",
            "<",
            ">",
            "\"",
            "'",
            "]]>",
            "<!--",
            "</td>",
            "&amp;",
            ",",
            "\r\n",
            "\n",
            "\t",
            "\0",
            "\u{b}",
            "\u{fffe}",
            "\u{ffff}",
            "\u{202e}",
            "\u{feff}",
            "é",
            "Łódź",
            "שלום",
            "مرحبا",
            "日本",
            "🙂",
            " ",
            "=1+1",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn with(text: &str) -> Invoice {
    let mut invoice = invoice();
    for party in [&mut invoice.seller, &mut invoice.customer] {
        // An empty name is refused in UBL.
        party.name = format!("N{text}");
        party.address = vec![text.to_owned(), text.to_owned(), text.to_owned(), text.to_owned()];
        party.city = text.to_owned();
        party.postcode = text.to_owned();
    }
    invoice.cancels = Some(text.to_owned());
    invoice.reason = text.to_owned();
    for line in &mut invoice.lines {
        line.description = text.to_owned();
        line.zone = text.to_owned();
        line.plan = text.to_owned();
    }
    invoice
}

/// What an XML reader makes of a document: the text of the elements of a name. A document that is not well-formed is an error.
fn texts(document: &str, name: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut found, mut inside) = (Vec::new(), false);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => {
                inside = element.name().as_ref() == name.as_bytes();
                if inside {
                    found.push(String::new());
                }
            }
            Event::End(_) => inside = false,
            Event::Text(text) if inside => found.last_mut().unwrap().push_str(&text.decode().unwrap()),
            Event::GeneralRef(entity) if inside => {
                let character = match entity.resolve_char_ref().unwrap() {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&entity.decode().unwrap()).unwrap().to_owned(),
                };
                found.last_mut().unwrap().push_str(&character);
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

proptest! {
    #[test]
    fn any_text_is_read_back_from_ubl(text in text()) {
        let invoice = with(&text);
        let document = millrace_invoices::ubl(&invoice).unwrap();
        prop_assert!(document.chars().all(is_xml));
        let expected: String = invoice.seller.name.trim().chars().map(|c| if is_xml(c) { c } else { '\u{fffd}' }).collect();
        prop_assert_eq!(&texts(&document, "cbc:RegistrationName")[0], &expected);
    }

    #[test]
    fn any_text_leaves_a_page_whole(text in text()) {
        let page = millrace_invoices::html(&with(&text));
        let body = page.split_once("<body>").unwrap().1;
        // Every tag is one of the page's own, and closed: breaks are the only ones that stand alone.
        let mut open = Vec::new();
        for tag in body.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()) {
            let name = tag.split(' ').next().unwrap();
            match name.strip_prefix('/') {
                Some("body" | "html") => {}
                Some(name) => prop_assert_eq!(open.pop(), Some(name)),
                None if name == "br" || name == "col" => {}
                None => open.push(name),
            }
        }
        prop_assert!(open.is_empty());
        prop_assert!(!page.contains('\0'));
    }

    #[test]
    fn any_text_is_read_back_from_csv_and_json(text in text()) {
        let invoice = with(&text);
        let written = millrace_invoices::csv(&invoice);
        let mut rows = csv::Reader::from_reader(written.as_bytes());
        let at = rows.headers().unwrap().iter().position(|column| column == "description").unwrap();
        for (row, line) in rows.records().zip(&invoice.lines) {
            prop_assert_eq!(&row.unwrap()[at], &line.description);
        }
        let document: serde_json::Value = serde_json::from_str(&millrace_invoices::json(&invoice)).unwrap();
        prop_assert_eq!(document["customer"]["name"].as_str(), Some(invoice.customer.name.as_str()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_can_be_printed(text in text()) {
        let pdf = millrace_invoices::pdf(&with(&text)).unwrap();
        prop_assert!(pdf.bytes.starts_with(b"%PDF-"));
        prop_assert!(!pdf.missing.iter().any(|missing| missing.is_ascii()));
    }
}
