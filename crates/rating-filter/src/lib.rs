//! From usage events to charges, line by line: what `millrace rate` does. No database, no network, no clock.
//!
//! Each line is answered by one line, in the same order. A line is a record of the topic `usage-events`; what the topic asks of
//! a record's time cannot be asked here. Everything else is answered as an error: a line that is no event, an empty one too,
//! and one that is longer than [`MAX_LINE`] bytes. Allowances are spent in the order of the lines, by number, service and
//! cycle, which is the calendar month of the tariff's time zone unless cycles begin on another day; nothing else is remembered,
//! so that a repeated event is priced, and spends, again.

mod allowances;
mod answer;
mod lines;

use std::io::{self, Read, Write};

use millrace_domain::rating;
use millrace_domain::tariffs::Tariff;
use millrace_wire::usage;

use allowances::Allowances;
pub use lines::MAX_LINE;
use lines::{Line, Lines};

/// How many bytes of answers are gathered before they are written.
const GATHERED: usize = 64 * 1024;

/// A tariff, and what was spent of its allowances so far.
#[derive(Debug)]
pub struct Filter<'t> {
    tariff: &'t Tariff,
    allowances: Allowances<'t>,
}

impl<'t> Filter<'t> {
    /// A filter of which nothing is spent yet.
    pub fn new(tariff: &'t Tariff) -> Self {
        Self::with_cycle_day(tariff, 1)
    }

    /// The same, for numbers whose cycles begin on that day of the month, 1 to 28.
    pub fn with_cycle_day(tariff: &'t Tariff, cycle_day: u8) -> Self {
        Self { tariff, allowances: Allowances::new(tariff, cycle_day) }
    }

    /// Prices the event of a line and appends its answer, a line with its end.
    pub fn answer(&mut self, line: &[u8], answers: &mut Vec<u8>) {
        let event = match usage::decode_untimed(line) {
            Ok(event) => event,
            Err(rejection) => return answer::invalid(answers, &rejection),
        };
        let cycle = self.allowances.of(&event);
        match rating::price(self.tariff, &event, self.allowances.left(cycle)) {
            Ok(charge) => {
                self.allowances.spend(cycle, charge.allowance_used);
                answer::charge(answers, event.event_id, &charge);
            }
            Err(error) => answer::unrated(answers, event.event_id, error),
        }
    }
}

/// Answers every line of `input` on `output`, with nothing spent before. Whatever can be answered is written before more is
/// asked for, so that both ends of a pipe can wait for each other.
///
/// # Errors
/// What reading and writing report.
pub fn run(mut filter: Filter<'_>, input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut lines = Lines::new(input);
    let mut answers = Vec::with_capacity(2 * GATHERED);
    loop {
        let more = lines.read()?;
        while let Some(line) = lines.next() {
            match line {
                Line::Whole(line) => filter.answer(line, &mut answers),
                Line::TooLong => answer::invalid(&mut answers, &format_args!("value: is longer than {MAX_LINE} bytes")),
            }
            if answers.len() >= GATHERED {
                output.write_all(&answers)?;
                answers.clear();
            }
        }
        output.write_all(&answers)?;
        answers.clear();
        output.flush()?;
        if !more {
            return Ok(());
        }
    }
}
