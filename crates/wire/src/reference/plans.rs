//! The operator and its plans.

use rust_decimal::Decimal;
use serde::Serialize;

use millrace_domain::reference::{Operator, Plan};

use super::table::{id, name, text, without_mark};
use super::{Faulty, LineError};
use crate::document::{self, Node, Problems};
use crate::tariff;

/// Reads the operator (JSON).
///
/// # Errors
/// Everything that is wrong, each with its path.
pub fn parse_operator(bytes: &[u8]) -> Result<Operator, Vec<LineError>> {
    let problems = Problems::default();
    let node = open(bytes).map_err(|error| vec![error])?;
    let operator = read_operator(node, &problems);
    match (operator, told(problems)) {
        (Some(operator), errors) if errors.is_empty() => Ok(operator),
        (_, errors) => Err(errors),
    }
}

fn read_operator(node: Node<'_>, problems: &Problems) -> Option<Operator> {
    let mut object = node.object("", problems)?;
    let operator_name = object.required("name", |node| name(200)(&node.text()?));
    let address = object.required("address", address);
    let currency = object.required("currency", currency);
    let timezone = object.required("timezone", tariff::timezone);
    let tax_rate = object.required("tax_rate", tax_rate);
    let invoice_prefix = object.required("invoice_prefix", |node| name(16)(&node.text()?));
    let payment_days = object.required("payment_days", small);
    let close_after_hours = object.optional("close_after_hours", small);
    let mut short = |key, max| object.optional(key, |node| text(max)(&node.text()?)).map(Option::unwrap_or_default);
    let (tax_id, postcode, city, country) =
        (short("tax_id", 64), short("postcode", 32), short("city", 100), short("country", 64));
    object.close();
    Some(Operator {
        name: operator_name?,
        address: address?,
        currency: currency?,
        timezone: timezone?,
        tax_rate: tax_rate?,
        invoice_prefix: invoice_prefix?,
        payment_days: payment_days?,
        close_after_hours: close_after_hours?.unwrap_or(48),
        tax_id: tax_id?,
        postcode: postcode?,
        city: city?,
        country: country?,
    })
}

/// A list of lines, or one text with line breaks.
fn address(node: Node<'_>) -> Result<Vec<String>, String> {
    const MAX: usize = 2000;
    let lines: Vec<String> = if node.is_text() {
        node.text()?.lines().map(String::from).collect()
    } else {
        node.texts().map_err(|_| "expected a list of lines".to_owned())?
    };
    if lines.iter().map(|line| line.chars().count() + 1).sum::<usize>() > MAX {
        return Err(format!("expected up to {MAX} characters"));
    }
    if lines.iter().any(|line| line.contains(['\n', '\r'])) {
        return Err("expected lines without line breaks".into());
    }
    Ok(lines)
}

fn currency(node: Node<'_>) -> Result<String, String> {
    let text = node.text()?;
    let code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
    if code { Ok(text.into_owned()) } else { Err("expected a code of three capital letters".into()) }
}

fn tax_rate(node: Node<'_>) -> Result<Decimal, String> {
    let rate = node.decimal_or_number()?;
    if rate.is_sign_negative() || rate > Decimal::ONE || rate.normalize().scale() > 6 {
        return Err("expected a fraction from 0 to 1 with up to 6 decimals, as \"0.20\"".into());
    }
    Ok(rate)
}

fn small(node: Node<'_>) -> Result<u16, String> {
    u16::try_from(node.unsigned()?).map_err(|_| format!("expected 0 to {}", u16::MAX))
}

/// Writes the operator as [`parse_operator`] reads it.
pub fn write_operator(operator: &Operator) -> String {
    #[derive(Serialize)]
    struct Shape<'a> {
        name: &'a str,
        address: &'a [String],
        postcode: &'a str,
        city: &'a str,
        country: &'a str,
        tax_id: &'a str,
        currency: &'a str,
        timezone: &'a str,
        tax_rate: String,
        invoice_prefix: &'a str,
        payment_days: u16,
        close_after_hours: u16,
    }
    let shape = Shape {
        name: &operator.name,
        address: &operator.address,
        postcode: &operator.postcode,
        city: &operator.city,
        country: &operator.country,
        tax_id: &operator.tax_id,
        currency: &operator.currency,
        timezone: operator.timezone.name(),
        tax_rate: operator.tax_rate.to_string(),
        invoice_prefix: &operator.invoice_prefix,
        payment_days: operator.payment_days,
        close_after_hours: operator.close_after_hours,
    };
    pretty(&shape)
}

/// Reads plans (a JSON list).
///
/// # Errors
/// Everything that is wrong, each with its path.
pub fn parse_plans(bytes: &[u8]) -> Result<Vec<Plan>, Faulty<Plan>> {
    let problems = Problems::default();
    let node = open(bytes).map_err(Faulty::whole)?;
    let plans: Vec<Option<Plan>> =
        node.list("", &problems).into_iter().map(|(path, node)| read_plan(node, &path, &problems)).collect();
    for (at, plan) in plans.iter().enumerate() {
        let Some(plan) = plan else { continue };
        if plans.iter().take(at).flatten().any(|before| before.plan == plan.plan) {
            problems.add(format!("[{at}].plan"), "stands twice");
        }
    }
    finish(plans, problems)
}

fn read_plan(node: Node<'_>, path: &str, problems: &Problems) -> Option<Plan> {
    let mut object = node.object(path, problems)?;
    let plan = object.required("plan", |node| id(&node.text()?));
    let description = object.required("description", |node| text(200)(&node.text()?));
    let fee = object.required("fee", fee);
    let tariff = object.required("tariff", |node| id(&node.text()?));
    object.close();
    Some(Plan { plan: plan?, description: description?, fee: fee?, tariff: tariff? })
}

/// What `DECIMAL(18, 4)` holds.
fn fee(node: Node<'_>) -> Result<Decimal, String> {
    let fee = node.decimal_or_number()?;
    let limit = Decimal::from(100_000_000_000_000_u64);
    if fee.is_sign_negative() || fee >= limit || fee.normalize().scale() > 4 {
        return Err("expected an amount from 0 up with up to 4 decimals".into());
    }
    Ok(fee)
}

/// Writes plans as [`parse_plans`] reads them.
pub fn write_plans(plans: &[Plan]) -> String {
    #[derive(Serialize)]
    struct Shape<'a> {
        plan: &'a str,
        description: &'a str,
        fee: String,
        tariff: &'a str,
    }
    let shapes: Vec<Shape<'_>> = plans
        .iter()
        .map(|plan| Shape {
            plan: &plan.plan,
            description: &plan.description,
            fee: plan.fee.to_string(),
            tariff: &plan.tariff,
        })
        .collect();
    pretty(&shapes)
}

/// JSON for people.
pub(super) fn pretty(shape: &impl Serialize) -> String {
    // Shapes have string keys and nothing that could fail.
    serde_json::to_string_pretty(shape).unwrap_or_default()
}

/// The outermost value of a file.
pub(super) fn open(bytes: &[u8]) -> Result<Node<'_>, LineError> {
    Ok(document::open(without_mark(bytes))?)
}

fn told(problems: Problems) -> Vec<LineError> {
    problems.into_inner().into_iter().map(LineError::from).collect()
}

/// The elements of a list, when nothing was wrong.
pub(super) fn finish<T>(elements: Vec<Option<T>>, problems: Problems) -> Result<Vec<T>, Faulty<T>> {
    let errors = told(problems);
    let sound = elements.into_iter().zip(0..).filter_map(|(element, place)| Some((place, element?)));
    if errors.is_empty() {
        return Ok(sound.map(|(_, element)| element).collect());
    }
    Err(Faulty { errors, sound: sound.collect() })
}
