//! The world that records come from: numbers, cells, sensors and customers, with the habits that the seed gives them.

use std::collections::HashMap;

use chrono_tz::Tz;
use millrace_domain::identity::{CellId, CustomerId, Destination, Msisdn};
use millrace_domain::reference::{Cell, Sensor};

use crate::draws::{Draws, Stream, generator};

/// What a world is made of: the sample operator's, or an operator's own.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The numbers that call; without any there are no usage events.
    pub numbers: Vec<Msisdn>,
    /// The cells they call from; without any, events carry none.
    pub cells: Vec<Cell>,
    /// The sensors that measure; without any there are no readings.
    pub sensors: Vec<Sensor>,
    /// The customers that are observed; without any there are no snapshots.
    pub customers: Vec<CustomerId>,
    /// Where the day's shape is taken from.
    pub timezone: Tz,
}

/// Parts with habits.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) seed: u64,
    pub(crate) parts: Parts,
    pub(crate) subscribers: Vec<Subscriber>,
    /// Running sums of the subscribers' activity, to choose one as often as it calls.
    activity: Vec<f64>,
    /// The cells of each site, by their indices, and each cell's site.
    sites: Vec<Vec<usize>>,
    site_of: Vec<usize>,
}

/// How one number behaves.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub(crate) msisdn: Msisdn,
    /// How much it uses voice, sms and data.
    pub(crate) services: [f64; 3],
    /// Median length of its calls, in seconds.
    pub(crate) call_seconds: f64,
    /// Median size of its data sessions, in bytes.
    pub(crate) session_bytes: f64,
    /// Share of its events that happen abroad.
    pub(crate) roaming: f64,
    /// Indices of the cells at home and at work.
    pub(crate) home: usize,
    pub(crate) work: usize,
    /// Whom it calls often.
    pub(crate) friends: Vec<Destination>,
}

/// Prefixes of destinations that are no friend's, how many digits follow, and how often they are called.
const DESTINATIONS: [(&str, usize, f64); 12] = [
    ("2126", 8, 46.0),
    ("2127", 8, 24.0),
    ("2125", 8, 16.0),
    ("33", 9, 5.0),
    ("34", 9, 3.0),
    ("32", 9, 1.2),
    ("49", 10, 1.0),
    ("39", 10, 1.0),
    ("44", 10, 0.8),
    ("1", 10, 0.8),
    ("971", 9, 0.7),
    ("221", 9, 0.5),
];

impl World {
    /// Gives the parts their habits. The same seed and parts give the same world.
    pub fn from_parts(seed: u64, parts: Parts) -> Self {
        let mut sites: Vec<Vec<usize>> = Vec::new();
        let mut site_of = Vec::with_capacity(parts.cells.len());
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        for (index, cell) in parts.cells.iter().enumerate() {
            let site = *by_name.entry(&cell.site).or_insert_with(|| {
                sites.push(Vec::new());
                sites.len() - 1
            });
            sites[site].push(index);
            site_of.push(site);
        }
        let mut total = 0.0;
        let mut activity = Vec::with_capacity(parts.numbers.len());
        let mut subscribers = Vec::with_capacity(parts.numbers.len());
        for (index, msisdn) in parts.numbers.iter().enumerate() {
            let mut rng = generator(seed, Stream::Habits, index as u64);
            total += rng.log_normal(1.0, 0.8);
            activity.push(total);
            subscribers.push(Subscriber {
                msisdn: msisdn.clone(),
                services: [rng.between(0.3, 1.0), rng.between(0.05, 0.5), rng.between(0.2, 1.2)],
                call_seconds: rng.log_normal(80.0, 0.4),
                session_bytes: rng.log_normal(4.0e6, 0.7),
                roaming: if rng.chance(0.05) { rng.between(0.1, 0.6) } else { 0.0 },
                home: rng.below(parts.cells.len()),
                work: rng.below(parts.cells.len()),
                friends: (0..4 + rng.below(6)).filter_map(|_| friend(&mut rng, &parts.numbers)).collect(),
            });
        }
        Self { seed, parts, subscribers, activity, sites, site_of }
    }

    /// What the world is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// A cell of the same site.
    pub(crate) fn cell_beside(&self, rng: &mut impl Draws, cell: usize) -> Option<CellId> {
        let site = self.sites.get(*self.site_of.get(cell)?)?;
        self.parts.cells.get(*rng.pick(site)).map(|cell| cell.cell.clone())
    }

    /// A subscriber, as often as it is active; `None` when the world has no numbers.
    pub(crate) fn subscriber(&self, rng: &mut impl Draws) -> Option<&Subscriber> {
        let total = *self.activity.last()?;
        let point = rng.unit() * total;
        let index = self.activity.partition_point(|sum| *sum <= point);
        self.subscribers.get(index.min(self.subscribers.len() - 1))
    }
}

fn friend(rng: &mut impl Draws, numbers: &[Msisdn]) -> Option<Destination> {
    if rng.chance(0.5) { Destination::parse(rng.pick(numbers).as_str()).ok() } else { stranger(rng) }
}

/// A destination with a plausible prefix; some are dialled with `+`.
pub(crate) fn stranger(rng: &mut impl Draws) -> Option<Destination> {
    let weights = DESTINATIONS.map(|(_, _, weight)| weight);
    let (prefix, digits, _) = DESTINATIONS[rng.weighted(&weights)];
    let mut text = String::with_capacity(16);
    if rng.chance(0.1) {
        text.push('+');
    }
    text.push_str(prefix);
    for _ in 0..digits {
        text.push(char::from(b'0' + rng.below(10) as u8));
    }
    Destination::parse(&text).ok()
}
