//! Customers' snapshots: usage over a period, and whether they left, with the dependencies that a churn model can learn.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use millrace_domain::customers::{CustomerSnapshot, PeriodUsage};
use millrace_domain::identity::CustomerId;
use millrace_domain::time::cut_to_millis;

use crate::draws::{Draws, Stream, generator, round};
use crate::world::{Parts, World};

/// Regions and their area codes.
const REGIONS: [(&str, u32); 8] =
    [("CAS", 522), ("RAB", 537), ("MAR", 524), ("FES", 535), ("TNG", 539), ("AGA", 528), ("MEK", 535), ("OUJ", 536)];

/// Charge of a minute by day, in the evening, at night and abroad.
const MINUTE_CHARGES: [f64; 4] = [0.17, 0.085, 0.045, 0.27];

/// Labelled snapshots of as many customers as are asked for, one of each: the same for the same seed.
pub fn labelled_customers(seed: u64, observed_at: DateTime<Utc>) -> impl Iterator<Item = CustomerSnapshot> {
    let mut found = 0_u64;
    (0_u64..).filter_map(move |index| {
        let parts = Parts {
            numbers: Vec::new(),
            cells: Vec::new(),
            sensors: Vec::new(),
            customers: vec![CustomerId::parse(&format!("customer-{found}")).ok()?],
            timezone: Tz::UTC,
        };
        // A world of its own for each, so that each has a profile of its own.
        let world = World::from_parts(seed.wrapping_add(index), parts);
        let labelled = world.customer_snapshot(index, observed_at).filter(|snapshot| snapshot.churn.is_some())?;
        found += 1;
        Some(labelled)
    })
}

impl World {
    /// The snapshot of an index: the same for the same seed, but for `observed_at`. Two in five are labelled. `None` when the world
    /// has no customers.
    pub fn customer_snapshot(&self, index: u64, observed_at: DateTime<Utc>) -> Option<CustomerSnapshot> {
        let mut rng = generator(self.seed, Stream::Customers, index);
        let chosen = rng.below(self.parts.customers.len());
        let customer_id = self.parts.customers.get(chosen)?.clone();
        // What stays with a customer from one snapshot to the next.
        let mut profile = generator(self.seed, Stream::Profiles, chosen as u64);
        let (state, area_code) = *profile.pick(&REGIONS);
        let account_length = normal(&mut profile, 101.0, 40.0).max(1.0) as u32;
        let international_plan = profile.chance(0.1);
        let voice_mail_plan = profile.chance(0.28);
        let day_minutes = normal(&mut profile, 180.0, 48.0);
        let eve_minutes = normal(&mut profile, 200.0, 45.0);
        let night_minutes = normal(&mut profile, 200.0, 45.0);

        let day = period(&mut rng, day_minutes, 24.0, 100.0, MINUTE_CHARGES[0]);
        let eve = period(&mut rng, eve_minutes, 22.0, 100.0, MINUTE_CHARGES[1]);
        let night = period(&mut rng, night_minutes, 22.0, 100.0, MINUTE_CHARGES[2]);
        let intl = period(&mut rng, 10.2, 2.8, 4.5, MINUTE_CHARGES[3]);
        let customer_service_calls = rng.poisson(1.55);
        let number_vmail_messages = if voice_mail_plan { normal(&mut rng, 29.0, 7.0).max(1.0) as u32 } else { 0 };

        // Customers leave for bills that shock (many day minutes), for the international plan's terms, and after calling the
        // service again and again; voice mail keeps them.
        let mut logit = -3.1 + 0.024 * (day.minutes - 180.0) + 0.006 * (eve.minutes - 200.0);
        logit += if international_plan { 2.1 + 0.12 * (intl.minutes - 10.0) } else { 0.0 };
        logit += if customer_service_calls >= 4 { 2.4 } else { 0.1 * f64::from(customer_service_calls) };
        logit -= if voice_mail_plan { 1.1 } else { 0.0 };
        let left = rng.chance(1.0 / (1.0 + (-logit).exp()));
        let labelled = rng.chance(0.4);

        Some(CustomerSnapshot {
            customer_id,
            observed_at: cut_to_millis(observed_at),
            state: state.to_owned(),
            account_length,
            area_code,
            international_plan,
            voice_mail_plan,
            number_vmail_messages,
            day,
            eve,
            night,
            intl,
            customer_service_calls,
            churn: labelled.then_some(left),
        })
    }
}

fn normal(rng: &mut impl Draws, mean: f64, deviation: f64) -> f64 {
    mean + deviation * rng.normal()
}

fn period(rng: &mut impl Draws, minutes: f64, spread: f64, calls: f64, minute_charge: f64) -> PeriodUsage {
    let minutes = round(normal(rng, minutes, spread).max(0.0), 1);
    let calls = normal(rng, calls, calls.sqrt() * 1.6).max(0.0).round() as u32;
    PeriodUsage { minutes, calls, charge: round(minutes * minute_charge, 2) }
}
