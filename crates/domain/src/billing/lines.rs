//! From subscriptions and sums of charges to lines.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::invoice::{InvoiceLine, LineKind};
use super::money::{OutOfRange, prorated, to_cents};
use crate::cycles::Cycle;
use crate::usage::Service;

/// A subscription of the account with what its plan costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Fee {
    /// The number.
    pub msisdn: String,
    /// The plan's name.
    pub plan: String,
    /// What the plan is, for people; may be empty.
    pub description: String,
    /// For a whole cycle.
    pub fee: Decimal,
    /// The first day that counts.
    pub active_from: NaiveDate,
    /// The first day after them that does not; `None` is open.
    pub active_to: Option<NaiveDate>,
}

/// The sum of a number's rated events of one service and zone.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageSum {
    /// The number.
    pub msisdn: String,
    /// The service.
    pub service: Service,
    /// The zone.
    pub zone: String,
    /// The closed cycle in which the events started, when they are late.
    pub late_from: Option<Cycle>,
    /// The sum of their usage.
    pub quantity: Decimal,
    /// The exact sum of their charges.
    pub exact: Decimal,
}

/// The sum of what re-rating changed of a number's charges for one service in one closed cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct CreditSum {
    /// The number.
    pub msisdn: String,
    /// The service.
    pub service: Service,
    /// The cycle that is corrected.
    pub own_cycle: Cycle,
    /// The exact sum of the differences: negative when the customer gets money back.
    pub exact: Decimal,
}

/// What an account owes for a cycle.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Charges {
    /// Its subscriptions; those without a day in the cycle do no harm.
    pub fees: Vec<Fee>,
    /// The usage of the cycle, and late usage of earlier ones.
    pub usage: Vec<UsageSum>,
    /// Corrections of earlier cycles.
    pub credits: Vec<CreditSum>,
}

/// Makes the lines of a cycle that begins on `first_day` and ends before `end_day`, in the order in which they stand on the
/// invoice: by kind, number, service, zone, and the cycle they belong to.
///
/// # Errors
/// When a fee is out of range.
pub fn lines(charges: Charges, (first_day, end_day): (NaiveDate, NaiveDate)) -> Result<Vec<InvoiceLine>, OutOfRange> {
    let mut lines = Vec::with_capacity(charges.fees.len() + charges.usage.len() + charges.credits.len());
    for fee in charges.fees {
        lines.extend(fee_line(fee, first_day, end_day)?);
    }
    lines.extend(charges.usage.into_iter().map(usage_line));
    lines.extend(charges.credits.into_iter().filter(|credit| !credit.exact.is_zero()).map(credit_line));
    lines.sort_by(|a, b| order(a).cmp(&order(b)));
    for (line_no, line) in (1..).zip(&mut lines) {
        line.line_no = line_no;
    }
    Ok(lines)
}

/// What lines stand in the order of.
fn order(line: &InvoiceLine) -> impl Ord + '_ {
    (line.kind, &line.msisdn, line.service, &line.zone, line.own_cycle, line.period, &line.plan)
}

fn days(from: NaiveDate, to: NaiveDate) -> u32 {
    u32::try_from((to - from).num_days()).unwrap_or(0)
}

fn fee_line(fee: Fee, first_day: NaiveDate, end_day: NaiveDate) -> Result<Option<InvoiceLine>, OutOfRange> {
    let from = fee.active_from.max(first_day);
    let to = fee.active_to.map_or(end_day, |to| to.min(end_day));
    let (active, all) = (days(from, to), days(first_day, end_day));
    if active == 0 {
        return Ok(None);
    }
    let net = prorated(fee.fee, active, all)?;
    let name = if fee.description.is_empty() { &fee.plan } else { &fee.description };
    let last = to.pred_opt().unwrap_or(to);
    Ok(Some(InvoiceLine {
        line_no: 0,
        kind: LineKind::Fee,
        description: format!("{name}, {from} to {last} ({active} of {all} days)"),
        msisdn: fee.msisdn,
        service: None,
        zone: String::new(),
        own_cycle: None,
        plan: fee.plan,
        period: Some((from, to)),
        quantity: active.into(),
        unit: "day".into(),
        exact: net,
        net,
    }))
}

fn usage_line(sum: UsageSum) -> InvoiceLine {
    let late = sum.late_from.map(|cycle| format!(", late, of cycle {cycle}")).unwrap_or_default();
    InvoiceLine {
        line_no: 0,
        kind: if sum.late_from.is_some() { LineKind::LateUsage } else { LineKind::Usage },
        description: format!("{}, {}{late}", name(sum.service), sum.zone),
        msisdn: sum.msisdn,
        service: Some(sum.service),
        zone: sum.zone,
        own_cycle: sum.late_from,
        plan: String::new(),
        period: None,
        quantity: sum.quantity,
        unit: unit(sum.service).into(),
        exact: sum.exact,
        net: to_cents(sum.exact),
    }
}

fn credit_line(sum: CreditSum) -> InvoiceLine {
    InvoiceLine {
        line_no: 0,
        kind: LineKind::Credit,
        description: format!("Correction of {} in cycle {}", name_within(sum.service), sum.own_cycle),
        msisdn: sum.msisdn,
        service: Some(sum.service),
        zone: String::new(),
        own_cycle: Some(sum.own_cycle),
        plan: String::new(),
        period: None,
        // Money back is one item less, so that the price of an item is never negative.
        quantity: if sum.exact.is_sign_negative() { Decimal::NEGATIVE_ONE } else { Decimal::ONE },
        unit: "item".into(),
        exact: sum.exact,
        net: to_cents(sum.exact),
    }
}

/// The service's name where a sentence begins.
fn name(service: Service) -> &'static str {
    match service {
        Service::Voice => "Voice",
        Service::Sms => "SMS",
        Service::Data => "Data",
    }
}

/// The same within a sentence.
fn name_within(service: Service) -> &'static str {
    match service {
        Service::Voice => "voice",
        Service::Sms => "SMS",
        Service::Data => "data",
    }
}

fn unit(service: Service) -> &'static str {
    match service {
        Service::Voice => "second",
        Service::Sms => "message",
        Service::Data => "byte",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::super::money::totals;
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn march() -> (NaiveDate, NaiveDate) {
        (day("2026-03-01"), day("2026-04-01"))
    }

    fn fee(msisdn: &str, from: &str, to: Option<&str>) -> Fee {
        Fee {
            msisdn: msisdn.into(),
            plan: "basic".into(),
            description: "Basic".into(),
            fee: Decimal::new(3100, 2),
            active_from: day(from),
            active_to: to.map(day),
        }
    }

    fn usage(msisdn: &str, service: Service, zone: &str, exact: &str) -> UsageSum {
        UsageSum {
            msisdn: msisdn.into(),
            service,
            zone: zone.into(),
            late_from: None,
            quantity: Decimal::TEN,
            exact: exact.parse().unwrap(),
        }
    }

    fn credit(cycle: &str, exact: &str) -> CreditSum {
        CreditSum {
            msisdn: "33612345678".into(),
            service: Service::Voice,
            own_cycle: Cycle::parse(cycle).unwrap(),
            exact: exact.parse().unwrap(),
        }
    }

    fn nets(charges: Charges) -> Vec<String> {
        let lines = lines(charges, march()).unwrap();
        lines.iter().map(|line| format!("{} {} {}", line.kind.as_str(), line.quantity, line.net)).collect()
    }

    #[test]
    fn the_day_of_active_from_counts_and_the_day_of_active_to_does_not() {
        // A fee of 31.00 in a month of 31 days is 1.00 a day.
        let cases = [
            ("2026-01-01", None, Some("fee 31 31.00")),
            ("2026-03-01", Some("2026-04-01"), Some("fee 31 31.00")),
            ("2026-03-31", None, Some("fee 1 1.00")),
            ("2026-03-10", Some("2026-03-15"), Some("fee 5 5.00")),
            ("2026-01-01", Some("2026-03-02"), Some("fee 1 1.00")),
            ("2026-01-01", Some("2026-03-01"), None),
            ("2026-04-01", None, None),
            ("2026-03-10", Some("2026-03-10"), None),
        ];
        for (from, to, expected) in cases {
            let charges = Charges { fees: vec![fee("33612345678", from, to)], ..Charges::default() };
            assert_eq!(nets(charges), expected.into_iter().collect::<Vec<_>>(), "{from} {to:?}");
        }
    }

    #[test]
    fn the_two_rows_of_a_plan_change_share_the_cycle() {
        let fees = vec![fee("33612345678", "2026-03-11", None), fee("33612345678", "2026-01-01", Some("2026-03-11"))];
        assert_eq!(nets(Charges { fees, ..Charges::default() }), ["fee 10 10.00", "fee 21 21.00"]);
    }

    #[test]
    fn a_free_plan_and_free_usage_have_lines_but_a_difference_of_nothing_has_none() {
        let charges = Charges {
            fees: vec![Fee { fee: Decimal::ZERO, ..fee("33612345678", "2026-01-01", None) }],
            usage: vec![usage("33612345678", Service::Voice, "national", "0")],
            credits: vec![credit("2026-02", "0.0000")],
        };
        assert_eq!(nets(charges), ["fee 31 0.00", "usage 10 0.00"]);
    }

    #[test]
    fn lines_stand_by_kind_number_service_zone_and_cycle() {
        let late = |cycle: &str| UsageSum {
            late_from: Some(Cycle::parse(cycle).unwrap()),
            ..usage("33612345678", Service::Voice, "a", "1")
        };
        let charges = Charges {
            fees: vec![fee("33612345679", "2026-01-01", None), fee("33612345678", "2026-01-01", None)],
            usage: vec![
                late("2026-02"),
                late("2026-01"),
                usage("33612345678", Service::Data, "a", "1"),
                usage("33612345678", Service::Voice, "b", "1"),
                usage("33612345678", Service::Voice, "a", "1"),
            ],
            credits: vec![credit("2026-02", "-1"), credit("2026-01", "1")],
        };
        let lines = lines(charges, march()).unwrap();
        let told: Vec<String> =
            lines.iter().map(|line| format!("{} {} {}", line.line_no, line.msisdn, line.description)).collect();
        assert_eq!(
            told,
            [
                "1 33612345678 Basic, 2026-03-01 to 2026-03-31 (31 of 31 days)",
                "2 33612345679 Basic, 2026-03-01 to 2026-03-31 (31 of 31 days)",
                "3 33612345678 Voice, a",
                "4 33612345678 Voice, b",
                "5 33612345678 Data, a",
                "6 33612345678 Voice, a, late, of cycle 2026-01",
                "7 33612345678 Voice, a, late, of cycle 2026-02",
                "8 33612345678 Correction of voice in cycle 2026-01",
                "9 33612345678 Correction of voice in cycle 2026-02",
            ]
        );
        assert_eq!((lines[7].quantity, lines[8].quantity), (Decimal::ONE, Decimal::NEGATIVE_ONE));
    }

    #[test]
    fn tax_is_computed_once_and_what_rounding_took_is_kept() {
        // Nets: 31.00 + 0.01 (0.0050) + 0.33 (0.3349) - 0.13 (-0.1250) = 31.21; 20 % of it is 6.242, and 6.24 as cents.
        // Rounding: (0.0050 - 0.01) + (0.3349 - 0.33) + (-0.1250 + 0.13) = -0.0050 + 0.0049 + 0.0050 = 0.0049.
        let charges = Charges {
            fees: vec![fee("33612345678", "2026-01-01", None)],
            usage: vec![
                usage("33612345678", Service::Voice, "a", "0.0050"),
                usage("33612345678", Service::Sms, "a", "0.3349"),
            ],
            credits: vec![credit("2026-02", "-0.1250")],
        };
        let lines = lines(charges, march()).unwrap();
        let of = |exempt| totals(&lines, "0.20".parse().unwrap(), exempt).unwrap();
        let taxed = of(false);
        assert_eq!(
            [taxed.net, taxed.tax, taxed.total, taxed.rounding].map(|sum| sum.to_string()),
            ["31.21", "6.24", "37.45", "0.0049"]
        );
        assert_eq!([of(true).net, of(true).tax, of(true).total].map(|sum| sum.to_string()), ["31.21", "0.00", "31.21"]);
    }

    proptest! {
        #[test]
        fn exact_charges_are_the_nets_and_the_rounding(
            sums in prop::collection::vec(-1_000_000i64..1_000_000, 0..40),
            rate in 0i64..300_000,
        ) {
            let usage = sums.iter().enumerate().map(|(n, sum)| usage("33612345678", Service::Data, &n.to_string(), &Decimal::new(*sum, 4).to_string()));
            let lines = lines(Charges { usage: usage.collect(), ..Charges::default() }, march()).unwrap();
            let sum = totals(&lines, Decimal::new(rate, 6), false).unwrap();
            let exact: Decimal = sums.iter().map(|sum| Decimal::new(*sum, 4)).sum();
            prop_assert_eq!(sum.net + sum.rounding, exact);
            prop_assert_eq!(sum.net + sum.tax, sum.total);
            prop_assert!((sum.net * Decimal::new(rate, 6) - sum.tax).abs() <= Decimal::new(5, 3));
            prop_assert!(lines.iter().all(|line| (line.exact - line.net).abs() <= Decimal::new(5, 3)));
        }

        #[test]
        fn a_cycle_divided_among_plans_is_never_a_day_short(cut in 0i64..=31) {
            let cut = day("2026-03-01") + chrono::TimeDelta::days(cut);
            let cut = cut.to_string();
            let fees = vec![fee("33612345678", "2026-01-01", Some(&cut)), fee("33612345678", &cut, None)];
            let lines = lines(Charges { fees, ..Charges::default() }, march()).unwrap();
            prop_assert_eq!(lines.iter().map(|line| line.quantity).sum::<Decimal>(), Decimal::from(31));
        }
    }
}
