//! JSON documents that people write: read strictly, so that a slip is named by its path and never passed over.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::number;

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// As `rates[2].steps[0].price`; empty for the document itself.
    pub(crate) path: String,
    /// What was expected.
    pub(crate) reason: String,
}

/// Everything found wrong so far.
#[derive(Default)]
pub(crate) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(crate) fn add(&self, path: impl Into<String>, reason: impl Into<String>) {
        self.0.borrow_mut().push(Problem { path: path.into(), reason: reason.into() });
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// The paths of those that were found after the first `known`, as they are below `path`.
    pub(crate) fn below(&self, path: &str, known: usize) -> BTreeSet<String> {
        let problems = self.0.borrow();
        let rests = problems.iter().skip(known).filter_map(|problem| problem.path.strip_prefix(path));
        rests.map(|rest| rest.trim_start_matches('.').to_owned()).collect()
    }

    pub(crate) fn into_inner(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// A value of a document, still as its text.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(&'a str);

/// Checks that bytes are JSON and gives their outermost value.
pub(crate) fn open(json: &[u8]) -> Result<Node<'_>, Problem> {
    let raw: &RawValue = serde_json::from_slice(json)
        .map_err(|error| Problem { path: String::new(), reason: format!("is not JSON: {error}") })?;
    Ok(Node(raw.get()))
}

/// A name below a path.
pub(crate) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl<'a> Node<'a> {
    fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn is_text(self) -> bool {
        self.0.starts_with('"')
    }

    pub(crate) fn text(self) -> Result<Cow<'a, str>, String> {
        #[derive(Deserialize)]
        struct Text<'t>(#[serde(borrow)] Cow<'t, str>);
        serde_json::from_str(self.0).map(|Text(text)| text).map_err(|_| "expected a string".into())
    }

    /// A list of strings.
    pub(crate) fn texts(self) -> Result<Vec<String>, String> {
        serde_json::from_str(self.0).map_err(|_| "expected a list of strings".into())
    }

    pub(crate) fn boolean(self) -> Result<bool, String> {
        serde_json::from_str(self.0).map_err(|_| "expected true or false".into())
    }

    /// A whole number, as a JSON number.
    pub(crate) fn unsigned(self) -> Result<u64, String> {
        let number = self.0.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        number
            .then(|| number::unsigned(self.0).ok())
            .flatten()
            .ok_or_else(|| "expected a whole number from 0 up".into())
    }

    /// A whole number of either sign, as a JSON number.
    pub(crate) fn signed(self) -> Result<i32, String> {
        serde_json::from_str(self.0).map_err(|_| format!("expected a whole number from {} to {}", i32::MIN, i32::MAX))
    }

    /// A decimal in a string.
    pub(crate) fn decimal(self) -> Result<Decimal, String> {
        let text = self.text().map_err(|_| "expected a decimal in a string, as \"0.20\"".to_owned())?;
        decimal(&text)
    }

    /// A decimal in a string or as a number, whose digits are taken as they stand.
    pub(crate) fn decimal_or_number(self) -> Result<Decimal, String> {
        if self.is_text() { self.decimal() } else { decimal(self.0) }
    }

    /// The elements of a list, each with its path.
    pub(crate) fn list(self, path: &str, problems: &Problems) -> Vec<(String, Node<'a>)> {
        match serde_json::from_str::<Vec<&'a RawValue>>(self.0) {
            Ok(list) => {
                list.into_iter().enumerate().map(|(at, raw)| (format!("{path}[{at}]"), Node(raw.get()))).collect()
            }
            Err(_) => {
                problems.add(path, "expected a list");
                Vec::new()
            }
        }
    }

    /// The members of an object.
    pub(crate) fn object<'p>(self, path: &str, problems: &'p Problems) -> Option<Object<'a, 'p>> {
        match serde_json::from_str::<Members<'a>>(self.0) {
            Ok(Members(members)) => {
                for (at, (name, _)) in members.iter().enumerate() {
                    if members[..at].iter().any(|(other, _)| other == name) {
                        problems.add(below(path, name), "stands twice");
                    }
                }
                Some(Object { path: path.to_owned(), members, asked: Vec::new(), is_object: true, problems })
            }
            Err(_) => {
                problems.add(path, "expected an object");
                None
            }
        }
    }

    /// The members of an object; of what is none, no member is missed.
    pub(crate) fn object_or_none<'p>(self, path: &str, problems: &'p Problems) -> Object<'a, 'p> {
        let none =
            || Object { path: path.to_owned(), members: Vec::new(), asked: Vec::new(), is_object: false, problems };
        self.object(path, problems).unwrap_or_else(none)
    }
}

/// A decimal as people write one: digits with an optional point, and a sign when it is negative.
pub(crate) fn decimal(text: &str) -> Result<Decimal, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if !plain {
        return Err("expected a decimal, as 0.20".into());
    }
    // The exact form refuses what it would have to round.
    Decimal::from_str_exact(text).map_err(|_| "has too many digits".into())
}

/// The members of a JSON object, each of which must be asked for.
pub(crate) struct Object<'a, 'p> {
    path: String,
    members: Vec<(String, Node<'a>)>,
    asked: Vec<&'static str>,
    /// Whether it is an object at all.
    is_object: bool,
    problems: &'p Problems,
}

impl<'a, 'p> Object<'a, 'p> {
    /// The path of a member.
    pub(crate) fn path(&self, name: &str) -> String {
        below(&self.path, name)
    }

    /// A member that may be missing or `null`.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.asked.push(name);
        self.members.iter().find(|(known, _)| known == name).map(|(_, node)| *node).filter(|node| !node.is_null())
    }

    /// Reads a member that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Node<'a>) -> Result<T, String>,
    ) -> Option<T> {
        match self.get(name) {
            Some(node) => self.read(name, node, read),
            None => {
                if self.is_object {
                    self.problems.add(self.path(name), "is missing");
                }
                None
            }
        }
    }

    /// Reads a member that may be missing. The outer `None` says that it is wrong.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Node<'a>) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.get(name) {
            Some(node) => self.read(name, node, read).map(Some),
            None => Some(None),
        }
    }

    fn read<T>(&self, name: &str, node: Node<'a>, read: impl FnOnce(Node<'a>) -> Result<T, String>) -> Option<T> {
        read(node).map_err(|reason| self.problems.add(self.path(name), reason)).ok()
    }

    /// The elements of a list that must be there.
    pub(crate) fn list(&mut self, name: &'static str) -> Vec<(String, Node<'a>)> {
        let path = self.path(name);
        self.required(name, Ok).map(|node| node.list(&path, self.problems)).unwrap_or_default()
    }

    /// Every member, when their names are not known before.
    pub(crate) fn into_members(self) -> Vec<(String, Node<'a>)> {
        self.members
    }

    /// Refuses the members that nobody asked for.
    pub(crate) fn close(self) {
        for (name, _) in &self.members {
            if !self.asked.iter().any(|asked| asked == name) {
                self.problems.add(self.path(name), "is not known");
            }
        }
    }
}

/// The members of an object in their order, doubled ones included.
struct Members<'a>(Vec<(String, Node<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: de::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((name, Node(raw.get())));
                }
                Ok(Members(members))
            }
        }
        input.deserialize_map(MembersVisitor)
    }
}
