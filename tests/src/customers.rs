//! Churn files whose labels can be learnt.

use std::fmt::Write as _;

const HEADER: &str = "State,Account length,Area code,International plan,Voice mail plan,Number vmail messages,Total day minutes,Total day calls,Total day charge,Total eve minutes,Total eve calls,Total eve charge,Total night minutes,Total night calls,Total night charge,Total intl minutes,Total intl calls,Total intl charge,Customer service calls";

/// Random numbers from 0 to 1 by a seed.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }
}

/// A file with the columns of the public churn files: customers leave for many minutes by day and after calling the service again
/// and again. One in a hundred does not do as the others.
pub fn churn_file(rows: usize, seed: u64, labelled: bool) -> String {
    let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut file = String::from(HEADER);
    file.push_str(if labelled { ",Churn\n" } else { "\n" });
    for row in 0..rows {
        let (day, eve, night) = (draws.between(60.0, 320.0), draws.between(60.0, 320.0), draws.between(60.0, 320.0));
        let (abroad, calls) = (draws.between(2.0, 18.0), draws.between(0.0, 6.0) as u32);
        let plan = draws.next() < 0.1;
        let left = (day > 260.0 || calls >= 5) != (draws.next() < 0.01);
        let yes_no = |yes: bool| if yes { "Yes" } else { "No" };
        write!(
            file,
            "{},{},{},{},{},{},{day:.1},{},{:.2},{eve:.1},{},{:.2},{night:.1},{},{:.2},{abroad:.1},{},{:.2},{calls}",
            ["KS", "OH", "NJ", "OK"][row % 4],
            draws.between(1.0, 240.0) as u32,
            [408, 415, 510][row % 3],
            yes_no(plan),
            yes_no(row % 4 == 0),
            if row % 4 == 0 { row % 50 } else { 0 },
            draws.between(60.0, 150.0) as u32,
            day * 0.17,
            draws.between(60.0, 150.0) as u32,
            eve * 0.085,
            draws.between(60.0, 150.0) as u32,
            night * 0.045,
            draws.between(1.0, 12.0) as u32,
            abroad * 0.27,
        )
        .expect("a string takes text");
        if labelled {
            file.push_str(if left { ",True" } else { ",False" });
        }
        file.push('\n');
    }
    file
}
