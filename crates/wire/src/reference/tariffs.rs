//! Versions of tariffs.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use millrace_domain::reference::TariffVersion;
use millrace_domain::time::first_instant;

use super::Faulty;
use super::plans::{finish, open, pretty};
use super::table::id;
use crate::document::{Node, Problems};
use crate::tariff_writer::TariffShape;
use crate::{tariff, times};

/// Reads versions of tariffs (a JSON list). A date stands for its first instant in `timezone`, which is the operator's; versions
/// of one name must not overlap. That a tariff's currency is the operator's is checked where the operator is known.
///
/// # Errors
/// Everything that is wrong, each with its path.
pub fn parse_tariffs(bytes: &[u8], timezone: Tz) -> Result<Vec<TariffVersion>, Faulty<TariffVersion>> {
    let problems = Problems::default();
    let node = open(bytes).map_err(Faulty::whole)?;
    let read = node.list("", &problems).into_iter().map(|(path, node)| read_version(node, &path, timezone, &problems));
    let (spans, versions): (Vec<_>, Vec<_>) = read.unzip();
    refuse_overlaps(&spans, &problems);
    finish(versions, problems)
}

/// The name of a version, its beginning and its end.
type Span = (String, DateTime<Utc>, Option<DateTime<Utc>>);

/// Reads a version; its span also when its tariff is wrong.
fn read_version(
    node: Node<'_>,
    path: &str,
    timezone: Tz,
    problems: &Problems,
) -> (Option<Span>, Option<TariffVersion>) {
    let mut object = node.object_or_none(path, problems);
    let name = object.required("name", |node| id(&node.text()?));
    let valid_from = object.required("valid_from", |node| instant(&node.text()?, timezone));
    let valid_to = object.optional("valid_to", |node| instant(&node.text()?, timezone));
    let tariff_path = object.path("tariff");
    let tariff = object.required("tariff", Ok).and_then(|node| tariff::read(node, &tariff_path, problems));
    if let (Some(from), Some(Some(to))) = (valid_from, valid_to)
        && to <= from
    {
        problems.add(object.path("valid_to"), "must be after valid_from");
    }
    object.close();
    let span = name.zip(valid_from).zip(valid_to).map(|((name, from), to)| (name, from, to));
    let version = span.clone().zip(tariff);
    let version =
        version.map(|((name, valid_from, valid_to), tariff)| TariffVersion { name, valid_from, valid_to, tariff });
    (span, version)
}

/// A time, or the first instant of a date.
fn instant(text: &str, timezone: Tz) -> Result<DateTime<Utc>, String> {
    match date(text) {
        Some(day) => first_instant(day, timezone).ok_or_else(|| "is out of range".into()),
        None => times::parse(text).map_err(|reason| format!("{reason}, or a date")),
    }
}

/// `YYYY-MM-DD`, in years that a `DATE` column holds.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let form = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    let day: NaiveDate = form.then(|| text.parse().ok()).flatten()?;
    NaiveDate::from_ymd_opt(1000, 1, 2).filter(|first| day >= *first).map(|_| day)
}

fn refuse_overlaps(spans: &[Option<Span>], problems: &Problems) {
    let mut known: Vec<(usize, &Span)> =
        spans.iter().enumerate().filter_map(|(at, span)| Some((at, span.as_ref()?))).collect();
    known.sort_by(|(_, a), (_, b)| (&a.0, a.1).cmp(&(&b.0, b.1)));
    for pair in known.windows(2) {
        let [(at, (name, _, to)), (next_at, (next, from, _))] = pair else {
            continue;
        };
        if name == next && to.is_none_or(|to| to > *from) {
            problems.add(format!("[{next_at}].valid_from"), format!("overlaps [{at}], of the same name"));
        }
    }
}

/// Writes versions of tariffs as [`parse_tariffs`] reads them.
pub fn write_tariffs(versions: &[TariffVersion]) -> String {
    #[derive(Serialize)]
    struct Shape<'a> {
        name: &'a str,
        valid_from: String,
        valid_to: Option<String>,
        tariff: TariffShape<'a>,
    }
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let shapes: Vec<Shape<'_>> = versions
        .iter()
        .map(|version| Shape {
            name: &version.name,
            valid_from: time(version.valid_from),
            valid_to: version.valid_to.map(time),
            tariff: TariffShape::of(version.tariff.spec()),
        })
        .collect();
    pretty(&shapes)
}
