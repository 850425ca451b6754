//! Tariff files: JSON to a checked tariff, and back.

use chrono::Weekday;
use chrono_tz::Tz;

use millrace_domain::tariffs::{
    AfterMax, AllowanceSpec, MaxCost, RateSpec, Rounding, StepSpec, Tariff, TariffError, TariffSpec, TimingSpec,
};
use millrace_domain::usage::Service;

use crate::document::{self, Node, Object, Problems, below};
pub use crate::tariff_writer::write;

/// Reads a tariff file.
///
/// # Errors
/// Everything that is wrong with it, each with its path. Keys that the format does not know are wrong too.
pub fn parse(json: &[u8]) -> Result<Tariff, Vec<TariffError>> {
    let problems = Problems::default();
    let error = |problem: document::Problem| TariffError {
        path: if problem.path.is_empty() { "tariff".into() } else { problem.path },
        reason: problem.reason,
    };
    let node = document::open(json).map_err(|problem| vec![error(problem)])?;
    let tariff = read(node, "", &problems);
    let found = problems.into_inner();
    match tariff {
        Some(tariff) if found.is_empty() => Ok(tariff),
        _ => Err(found.into_iter().map(error).collect()),
    }
}

/// Reads a tariff file as it is stored, which was checked when it was imported.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse_stored(json: &str) -> Result<Tariff, String> {
    parse(json.as_bytes()).map_err(|errors| {
        errors.first().map_or_else(|| "it is wrong".into(), |error| format!("{}: {}", error.path, error.reason))
    })
}

/// Reads a tariff that stands at `path` of a document. All that is wrong is told at once: what cannot be read is told first, and
/// the rest is checked beside something that stands in its place.
pub(crate) fn read(node: Node<'_>, path: &str, problems: &Problems) -> Option<Tariff> {
    let known = problems.count();
    let mut object = node.object(path, problems)?;
    let currency = object.required("currency", |node| node.text().map(String::from));
    let timezone = object.required("timezone", timezone);
    let timings_path = object.path("timings");
    let timings = object.required("timings", Ok).map(|node| timings(node, &timings_path, problems));
    let rates = object.list("rates").into_iter().map(|(path, node)| rate(node, &path, problems)).collect();
    let allowances_path = object.path("allowances");
    let allowances = object.get("allowances").map(|node| node.list(&allowances_path, problems)).unwrap_or_default();
    let allowances = allowances.into_iter().map(|(path, node)| allowance(node, &path, problems)).collect();
    object.close();
    let spec = TariffSpec {
        currency: currency.unwrap_or_default(),
        timezone: timezone.unwrap_or(Tz::UTC),
        timings: timings.unwrap_or_default(),
        rates,
        allowances,
    };
    let unread = problems.below(path, known);
    let checked = if unread.is_empty() { Tariff::new(spec) } else { Err(Tariff::faults(&spec, unread)) };
    checked
        .map_err(|errors| errors.into_iter().for_each(|error| problems.add(below(path, &error.path), error.reason)))
        .ok()
}

/// A name of the IANA time zone database.
pub(crate) fn timezone(node: Node<'_>) -> Result<Tz, String> {
    node.text()?.parse().map_err(|_| "expected a time zone's name, as Africa/Casablanca".into())
}

fn timings(node: Node<'_>, path: &str, problems: &Problems) -> Vec<(String, TimingSpec)> {
    let members = node.object_or_none(path, problems).into_members();
    let read = |(name, node): (String, Node<'_>)| {
        let timing = timing(node, &below(path, &name), problems);
        (name, timing)
    };
    members.into_iter().map(read).collect()
}

fn timing(node: Node<'_>, path: &str, problems: &Problems) -> TimingSpec {
    let mut object = node.object_or_none(path, problems);
    let weekdays = entries(&mut object, "weekdays", problems, weekday);
    let from = object.optional("from", minute);
    let to = object.optional("to", minute);
    // What is larger than the type is larger than any month or day, whose range the check of the timing tells.
    let small = |node: Node<'_>| node.unsigned().map(|entry| u32::try_from(entry).unwrap_or(u32::MAX));
    let months = entries(&mut object, "months", problems, small);
    let month_days = entries(&mut object, "month_days", problems, small);
    let years = entries(&mut object, "years", problems, Node::signed);
    object.close();
    TimingSpec { weekdays, from: from.flatten(), to: to.flatten(), months, month_days, years }
}

/// An optional list of plain values: those that can be read. One of which none can is as if it were missing.
fn entries<'a, T>(
    object: &mut Object<'a, '_>,
    name: &'static str,
    problems: &Problems,
    read: impl Fn(Node<'a>) -> Result<T, String>,
) -> Option<Vec<T>> {
    let path = object.path(name);
    let list = object.get(name)?.list(&path, problems);
    let is_empty = list.is_empty();
    let read = list.into_iter().filter_map(|(path, node)| read(node).map_err(|reason| problems.add(path, reason)).ok());
    let entries: Vec<T> = read.collect();
    (is_empty || !entries.is_empty()).then_some(entries)
}

/// The days of the week as files name them, from Monday on.
pub(crate) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

fn weekday(node: Node<'_>) -> Result<Weekday, String> {
    let text = node.text()?;
    let found = WEEKDAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| *day);
    found.ok_or_else(|| "expected mon, tue, wed, thu, fri, sat or sun".into())
}

/// `HH:MM` as the minute of the day.
fn minute(node: Node<'_>) -> Result<u16, String> {
    let text = node.text()?;
    let number = |part: &str| {
        let two_digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        two_digits.then(|| part.parse::<u16>().ok()).flatten()
    };
    let minute = text.split_once(':').and_then(|(hours, minutes)| Some((number(hours)?, number(minutes)?)));
    match minute {
        Some((hours, minutes)) if (hours < 24 && minutes < 60) || (hours, minutes) == (24, 0) => {
            Ok(hours * 60 + minutes)
        }
        _ => Err("expected a time of day from 00:00 to 24:00".into()),
    }
}

fn rate(node: Node<'_>, path: &str, problems: &Problems) -> RateSpec {
    let mut object = node.object_or_none(path, problems);
    let service = object.required("service", service);
    let prefix = object.required("prefix", |node| node.text().map(String::from));
    let timing = object.required("timing", |node| node.text().map(String::from));
    let roaming = object.optional("roaming", Node::boolean);
    let weight = object.required("weight", Node::signed);
    let connect_fee = object.required("connect_fee", Node::decimal);
    let steps = object.list("steps").into_iter().map(|(path, node)| step(node, &path, problems)).collect();
    let max_cost = object.optional("max_cost", Node::decimal);
    let after_max = object.optional("after_max", after_max);
    let zone = object.optional("zone", |node| node.text().map(String::from));
    let rounding = object.required("rounding", rounding);
    let decimals =
        object.required("decimals", |node| u32::try_from(node.unsigned()?).map_err(|_| "expected 0 to 4".to_owned()));
    // One that is there and cannot be read is not missing.
    match (max_cost != Some(None), after_max != Some(None)) {
        (true, false) => problems.add(object.path("after_max"), "is missing: max_cost needs it"),
        (false, true) => problems.add(object.path("max_cost"), "is missing: after_max needs it"),
        _ => {}
    }
    object.close();
    let after = after_max.flatten().unwrap_or(AfterMax::Free);
    RateSpec {
        service: service.unwrap_or(Service::Voice),
        prefix: prefix.unwrap_or_default(),
        timing: timing.unwrap_or_default(),
        roaming: roaming.flatten(),
        weight: weight.unwrap_or_default(),
        connect_fee: connect_fee.unwrap_or_default(),
        steps,
        max: max_cost.flatten().map(|cost| MaxCost { cost, after }),
        zone: zone.flatten(),
        rounding: rounding.unwrap_or(Rounding::Up),
        decimals: decimals.unwrap_or_default(),
    }
}

fn step(node: Node<'_>, path: &str, problems: &Problems) -> StepSpec {
    let mut object = node.object_or_none(path, problems);
    let from = object.required("from", Node::unsigned);
    let price = object.required("price", Node::decimal);
    let per = object.required("per", Node::unsigned);
    let increment = object.required("increment", Node::unsigned);
    object.close();
    StepSpec {
        from: from.unwrap_or_default(),
        price: price.unwrap_or_default(),
        per: per.unwrap_or_default(),
        increment: increment.unwrap_or_default(),
    }
}

fn allowance(node: Node<'_>, path: &str, problems: &Problems) -> AllowanceSpec {
    let mut object = node.object_or_none(path, problems);
    let service = object.required("service", service);
    let amount = object.required("amount", Node::unsigned);
    object.close();
    AllowanceSpec { service: service.unwrap_or(Service::Voice), amount: amount.unwrap_or_default() }
}

fn service(node: Node<'_>) -> Result<Service, String> {
    Service::parse(&node.text()?).map_err(|error| error.0)
}

fn after_max(node: Node<'_>) -> Result<AfterMax, String> {
    let text = node.text()?;
    let found = [AfterMax::Free, AfterMax::Reject].into_iter().find(|after| after.as_str() == text);
    found.ok_or_else(|| "expected free or reject".into())
}

fn rounding(node: Node<'_>) -> Result<Rounding, String> {
    let text = node.text()?;
    let found = [Rounding::Up, Rounding::HalfUp, Rounding::Down].into_iter().find(|rounding| rounding.as_str() == text);
    found.ok_or_else(|| "expected up, half_up or down".into())
}
