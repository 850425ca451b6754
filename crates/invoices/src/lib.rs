//! Invoices as documents: JSON, CSV, print-ready HTML, PDF and UBL 2.1 XML, and the itemised usage as CSV.
//!
//! Every function here turns an [`Invoice`](millrace_domain::billing::Invoice) into text or bytes and does nothing else: the same
//! invoice always gives the same document, bit for bit. What differs between two renderings of one invoice is what has become of
//! it: its status and what is paid. UBL holds what was issued and never changes.

mod escape;
mod html;
mod itemised;
mod json;
mod pdf;
mod sheet;
mod table;
mod ubl;

pub use html::html;
pub use itemised::ItemisedUsage;
pub use json::json;
pub use pdf::{Pdf, PdfError, pdf};
pub use table::csv;
pub use ubl::{UblError, ubl};
