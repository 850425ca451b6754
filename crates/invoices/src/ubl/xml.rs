//! Writing XML, indented, with its text escaped.

use std::fmt::{Display, Write as _};

use crate::escape::Escaped;

/// A document that grows. Elements nest as the closures that write them do.
pub(crate) struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    /// Begins a document.
    pub(crate) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), depth: 0 }
    }

    /// An element with attributes that holds elements.
    pub(crate) fn root(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        self.tag(name, attributes);
        self.text.push('\n');
        self.nest(name, content);
    }

    /// An element that holds elements.
    pub(crate) fn group(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.root(name, &[], content);
    }

    /// An element that holds text; none when the text is blank, for an empty element says nothing.
    pub(crate) fn text(&mut self, name: &str, value: impl Display) {
        self.with(name, &[], value);
    }

    /// The same with attributes.
    pub(crate) fn with(&mut self, name: &str, attributes: &[(&str, &str)], value: impl Display) {
        let value = value.to_string();
        if value.trim().is_empty() {
            return;
        }
        self.tag(name, attributes);
        // A string takes all that is written.
        let _ = writeln!(self.text, "{}</{name}>", Escaped(value.trim()));
    }

    /// The document.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn nest(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.depth += 1;
        content(self);
        self.depth -= 1;
        let _ = writeln!(self.text, "{:indent$}</{name}>", "", indent = self.depth * 2);
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.text, "{:indent$}<{name}", "", indent = self.depth * 2);
        for (attribute, value) in attributes {
            let _ = write!(self.text, " {attribute}=\"{}\"", Escaped(value));
        }
        self.text.push('>');
    }
}
