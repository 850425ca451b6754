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
    let versions: Vec<Option<TariffVersion>> = node
        .list("", &problems)
        .into_iter()
        .map(|(path, node)| read_version(node, &path, timezone, &problems))
        .collect();
    refuse_overlaps(&versions, &problems);
    finish(versions, problems)
}

fn read_version(node: Node<'_>, path: &str, timezone: Tz, problems: &Problems) -> Option<TariffVersion> {
    let mut object = node.object(path, problems)?;
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
    Some(TariffVersion { name: name?, valid_from: valid_from?, valid_to: valid_to?, tariff: tariff? })
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

fn refuse_overlaps(versions: &[Option<TariffVersion>], problems: &Problems) {
    let mut known: Vec<(usize, &TariffVersion)> =
        versions.iter().enumerate().filter_map(|(at, version)| Some((at, version.as_ref()?))).collect();
    known.sort_by(|(_, a), (_, b)| (&a.name, a.valid_from).cmp(&(&b.name, b.valid_from)));
    for pair in known.windows(2) {
        let [(at, version), (next_at, next)] = pair else {
            continue;
        };
        if version.name == next.name && version.valid_to.is_none_or(|to| to > next.valid_from) {
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
