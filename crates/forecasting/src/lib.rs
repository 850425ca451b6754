//! Forecasts of hourly series, with bands that hold four outcomes in five.
//!
//! Several methods forecast the series from points in its own past, none of which sees what came after; the one that was off least
//! forecasts the future. What those rolling forecasts missed by gives the bands, and says how much such bands really held. Nothing
//! here reads a clock or draws at random: the same series gives the same forecast, bit for bit.
//!
//! | method | is |
//! | --- | --- |
//! | `seasonal_naive_24h` | the value of the same hour on the last day |
//! | `seasonal_naive_168h` | the value of the same hour in the last week |
//! | `ridge` | linear regression on calendar and past values, solved in closed form |
//! | `elastic_net` | the same with smooth calendar features and a sparse solution (linfa) |
//! | `mstl_ets` | daily and weekly seasons taken off, the rest by exponential smoothing (augurs) |

mod backtest;
mod bands;
mod elastic_net;
mod error;
mod features;
mod forecast;
mod methods;
mod mstl;
mod naive;
mod normal;
mod ridge;
mod series;

pub use error::ForecastError;
pub use forecast::{Candidate, Forecast, LONGEST_HORIZON, Point, forecast, hours_needed};
pub use methods::Method;
pub use series::{Gap, Series};
