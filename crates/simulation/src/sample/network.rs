//! The sample operator's sites with their cells and sensors.

use millrace_domain::identity::{CellId, Malformed, SensorId};
use millrace_domain::reference::{Cell, PartialThresholds, Sensor};

use super::CITIES;
use crate::draws::{Draws, round};

/// Sites in each city, cells at each site, and how many sites have a second sensor.
const SITES_PER_CITY: usize = 3;
const SECTORS: [&str; 3] = ["A", "B", "C"];
const SECOND_SENSORS: usize = 16;

pub(super) fn network(rng: &mut impl Draws) -> Result<(Vec<Cell>, Vec<Sensor>), Malformed> {
    let mut cells = Vec::new();
    let mut sensors = Vec::new();
    for (number, city) in CITIES.iter().flat_map(|city| std::iter::repeat_n(city, SITES_PER_CITY)).enumerate() {
        let site = format!("{}-{:02}", city.code, number % SITES_PER_CITY + 1);
        let latitude = round(city.latitude + rng.between(-0.05, 0.05), 5);
        let longitude = round(city.longitude + rng.between(-0.05, 0.05), 5);
        for sector in SECTORS {
            cells.push(Cell {
                cell: CellId::parse(&format!("{site}-{sector}"))?,
                site: site.clone(),
                latitude,
                longitude,
            });
        }
        for sensor in 1..=1 + usize::from(number < SECOND_SENSORS) {
            sensors.push(Sensor {
                sensor_id: SensorId::parse(&format!("{site}-T{sensor}"))?,
                site: site.clone(),
                latitude,
                longitude,
                limits: limits(rng),
            });
        }
    }
    Ok((cells, sensors))
}

/// A few cabinets bear less heat than the platform's defaults allow.
fn limits(rng: &mut impl Draws) -> PartialThresholds {
    if rng.chance(0.12) {
        PartialThresholds { warning_c: Some(66.0), critical_c: Some(76.0), hysteresis_c: Some(3.0) }
    } else {
        PartialThresholds::default()
    }
}
