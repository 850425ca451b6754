//! The invoice as PDF/A-2b, with the fonts that it needs inside.
//!
//! [`layout`] turns the words of the sheet into marks on pages, and [`fonts`] text into glyphs; this module writes the marks.

mod fonts;
mod layout;
mod text;

use std::collections::BTreeSet;

use chrono::{Datelike, Timelike};
use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};
use millrace_domain::billing::Invoice;

use crate::sheet::Sheet;
use fonts::Fonts;
use layout::{HEIGHT, Mark, WIDTH};

/// A PDF and what it could not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// Characters that none of the fonts has; U+FFFD stands in their place.
    pub missing: BTreeSet<char>,
}

/// Why an invoice could not become a PDF: a fault of this program.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// A font of this crate can't be read.
    #[error("a built-in font can't be read")]
    Font,
    /// What was drawn makes no PDF/A-2b.
    #[error("failed to write the PDF: {0}")]
    Write(String),
}

/// The invoice as PDF/A-2b on A4 paper.
///
/// # Errors
/// When the PDF can't be written, which is a fault of this program and not of the invoice.
pub fn pdf(invoice: &Invoice) -> Result<Pdf, PdfError> {
    let fonts = Fonts::load().ok_or(PdfError::Font)?;
    let sheet = Sheet::new(invoice);
    let laid = layout::lay_out(&fonts, &sheet, &invoice.currency);

    let write = |error: &dyn std::fmt::Debug| PdfError::Write(format!("{error:?}"));
    let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A2_B);
    let configuration = configuration.finish().map_err(|error| write(&error))?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    document.set_metadata(metadata(invoice, &sheet));
    for marks in &laid.pages {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| write(&"the page's size"))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            draw(&mut surface, &fonts, mark);
        }
        surface.finish();
        page.finish();
    }
    let bytes = document.finish().map_err(|error| write(&error))?;
    Ok(Pdf { bytes, missing: laid.missing })
}

/// The dates are the invoice's, so that one invoice always gives the same bytes.
fn metadata(invoice: &Invoice, sheet: &Sheet) -> Metadata {
    let at = invoice.issued_at;
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    let issued = DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(format!("{} {}", sheet.title, sheet.number))
        .authors(vec![invoice.seller.name.clone()])
        .creator("Millrace".into())
        .language("en".into())
        .creation_date(issued)
        .document_id(invoice.number.clone())
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) {
    let fill = |(red, green, blue): (u8, u8, u8)| Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    };
    match mark {
        Mark::Text { x, y, size, color, text } => {
            surface.set_fill(Some(fill(*color)));
            let mut x = *x;
            for run in &text.runs {
                let start = Point::from_xy(x, *y);
                surface.draw_glyphs(start, &run.glyphs, fonts.font(run.typeface), &run.text, *size, false);
                x += run.width * size;
            }
        }
        Mark::Box { left, top, width, height, color } => {
            let mut path = PathBuilder::new();
            if let Some(rectangle) = Rect::from_xywh(*left, *top, *width, *height) {
                path.push_rect(rectangle);
            }
            if let Some(path) = path.finish() {
                surface.set_fill(Some(fill(*color)));
                surface.draw_path(&path);
            }
        }
    }
}
