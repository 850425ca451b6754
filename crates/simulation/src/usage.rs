//! Usage events: calls, messages and data sessions of the world's subscribers.

use chrono::{DateTime, Duration, Utc};
use millrace_domain::identity::{CellId, Destination};
use millrace_domain::time::cut_to_millis;
use millrace_domain::usage::{Service, UsageEvent};
use rand::RngExt;

use crate::draws::{Draws, Stream, generator};
use crate::world::{Subscriber, World, stranger};

/// The longest call, in seconds, and the largest session, in bytes, that a subscriber makes.
const LONGEST_CALL: f64 = 7_200.0;
const LARGEST_SESSION: f64 = 2.0e10;

impl World {
    /// The usage event of an index: the same for the same seed, but for `started_at`, which lies before `ended_at` by as long as
    /// the call or session took. `None` when the world has no numbers.
    pub fn usage_event(&self, index: u64, ended_at: DateTime<Utc>) -> Option<UsageEvent> {
        let mut rng = generator(self.seed, Stream::Usage, index);
        let event_id = uuid::Builder::from_random_bytes(rng.random()).into_uuid();
        let subscriber = self.subscriber(&mut rng)?;
        let service = Service::ALL[rng.weighted(&subscriber.services)];
        let (usage, lasted) = match service {
            // A few calls are not answered.
            Service::Voice if rng.chance(0.03) => (0, 0.0),
            Service::Voice => {
                let seconds = rng.log_normal(subscriber.call_seconds, 1.0).clamp(1.0, LONGEST_CALL);
                (seconds as u64, seconds)
            }
            Service::Sms => (1 + u64::from(rng.chance(0.08)) + u64::from(rng.chance(0.02)), 0.0),
            Service::Data => {
                let bytes = rng.log_normal(subscriber.session_bytes, 1.5).clamp(512.0, LARGEST_SESSION);
                (bytes as u64, rng.log_normal(120.0, 1.0).clamp(1.0, 3_600.0))
            }
        };
        let roaming = rng.chance(subscriber.roaming);
        let destination = if service == Service::Data { None } else { destination(&mut rng, subscriber) };
        // Another operator's cells mean nothing here.
        let cell = if roaming { None } else { self.cell_of(&mut rng, subscriber) };
        let started_at = cut_to_millis(ended_at - Duration::milliseconds((lasted * 1000.0) as i64));
        Some(UsageEvent {
            event_id,
            service,
            subscriber: subscriber.msisdn.clone(),
            destination,
            started_at,
            usage,
            cell,
            roaming,
        })
    }

    /// Mostly a cell of the site at home or at work, sometimes any.
    fn cell_of(&self, rng: &mut impl Draws, subscriber: &Subscriber) -> Option<CellId> {
        let near = match rng.weighted(&[0.6, 0.3, 0.1]) {
            0 => subscriber.home,
            1 => subscriber.work,
            _ => rng.below(self.parts.cells.len()),
        };
        self.cell_beside(rng, near)
    }
}

fn destination(rng: &mut impl Draws, subscriber: &Subscriber) -> Option<Destination> {
    if rng.chance(0.7) && !subscriber.friends.is_empty() {
        Some(rng.pick(&subscriber.friends).clone())
    } else {
        stranger(rng)
    }
}
