//! Invoices to look at.

use chrono::NaiveDate;
use chrono_tz::Tz;
use millrace_domain::billing::{
    Billed, Charges, CreditSum, Fee, Invoice, Issuance, Party, UsageSum, cancel, issue, lines,
};
use millrace_domain::cycles::Cycle;
use millrace_domain::reference::Operator;
use millrace_domain::usage::Service;
use rust_decimal::Decimal;

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn operator() -> Operator {
    Operator {
        name: "Atlas Télécom".into(),
        address: vec!["12, rue Ibn Battouta".into(), "Quartier des Hôpitaux".into()],
        currency: "MAD".into(),
        timezone: Tz::Africa__Casablanca,
        tax_rate: Decimal::new(20, 2),
        invoice_prefix: "MR".into(),
        payment_days: 30,
        close_after_hours: 48,
        tax_id: "MA001525713000067".into(),
        postcode: "20250".into(),
        city: "Casablanca".into(),
        country: "MA".into(),
    }
}

pub(crate) fn customer() -> Party {
    Party {
        account_id: "A-0042".into(),
        name: "Café Çelik & Łódź <Import>".into(),
        address: vec!["7, avenue Mohammed V".into()],
        postcode: "10000".into(),
        city: "Rabat".into(),
        country: "MA".into(),
        tax_id: "001234567000089".into(),
    }
}

pub(crate) fn fee(msisdn: &str, plan: &str, fee: &str, from: &str) -> Fee {
    Fee {
        msisdn: msisdn.into(),
        plan: plan.into(),
        description: format!("Plan {plan}"),
        fee: decimal(fee),
        active_from: day(from),
        active_to: None,
    }
}

pub(crate) fn usage(msisdn: &str, service: Service, zone: &str, quantity: u64, exact: &str) -> UsageSum {
    let (zone, exact) = (zone.into(), decimal(exact));
    UsageSum { msisdn: msisdn.into(), service, zone, late_from: None, quantity: quantity.into(), exact }
}

pub(crate) fn charges() -> Charges {
    let late = UsageSum {
        late_from: Some(Cycle::parse("2026-09").unwrap()),
        ..usage("212600000001", Service::Sms, "national", 3, "0.60")
    };
    Charges {
        fees: vec![
            fee("212600000001", "flex", "99.00", "2026-01-01"),
            fee("212600000002", "data \"max\"", "149.90", "2026-10-12"),
        ],
        usage: vec![
            usage("212600000001", Service::Voice, "national", 5_425, "81.3750"),
            usage("212600000001", Service::Voice, "roaming, EU", 62, "14.9949"),
            usage("212600000002", Service::Data, "all", 12_345_678_901, "1234.5678"),
            late,
        ],
        credits: vec![CreditSum {
            msisdn: "212600000002".into(),
            service: Service::Voice,
            own_cycle: Cycle::parse("2026-09").unwrap(),
            exact: decimal("-7.2450"),
        }],
    }
}

/// An invoice of October 2026.
pub(crate) fn invoice_of(charges: Charges, operator: &Operator, customer: Party, exempt: bool) -> Invoice {
    let cycle = Cycle::parse("2026-10").unwrap();
    let (starts_at, ends_at) = cycle.bounds(1, operator.timezone).unwrap();
    let lines = lines(charges, (cycle.first_day(1), cycle.end_day(1))).unwrap();
    let billed = Billed { cycle, starts_at, ends_at, customer, exempt };
    let by = Issuance { operator, at: "2026-11-03T03:00:00Z".parse().unwrap() };
    issue(billed, lines, by.number(17), by).unwrap()
}

pub(crate) fn invoice() -> Invoice {
    invoice_of(charges(), &operator(), customer(), false)
}

/// What cancels an invoice.
pub(crate) fn cancelling(invoice: &Invoice) -> Invoice {
    let operator = operator();
    let by = Issuance { operator: &operator, at: "2026-11-20T12:00:00Z".parse().unwrap() };
    cancel(invoice, by.number(18), "Wrong plan".into(), by)
}

/// An invoice whose corrections outweigh what it charges.
pub(crate) fn in_favour() -> Invoice {
    let mut charges = charges();
    charges.credits[0].exact = decimal("-2000.005");
    invoice_of(charges, &operator(), customer(), false)
}

/// An invoice that takes several pages.
pub(crate) fn long(numbers: u64) -> Invoice {
    let mut charges = Charges::default();
    for n in 0..numbers {
        let msisdn = format!("2126{n:08}");
        charges.fees.push(fee(&msisdn, "flex", "99.00", "2026-01-01"));
        for service in Service::ALL {
            charges.usage.push(usage(&msisdn, service, "national", 1_000 + n * 977, &format!("{n}.3349")));
        }
    }
    invoice_of(charges, &operator(), customer(), false)
}
