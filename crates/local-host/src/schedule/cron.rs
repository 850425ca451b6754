//! The six fields of a `cron(...)` expression: minutes, hours, day of month, month, day of week, year.

use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday};

use super::ExpressionError;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const FIRST_YEAR: u32 = 1970;
const LAST_YEAR: u32 = 2199;

/// A parsed `cron(...)` expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: DayRule,
    months: Vec<u32>,
    years: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DayRule {
    /// Any of these days of the month.
    OfMonth(Vec<DayOfMonth>),
    /// Any of these days of the week.
    OfWeek(Vec<DayOfWeek>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DayOfMonth {
    Days(Vec<u32>),
    /// `L`
    Last,
    /// `LW`
    LastWorkday,
    /// `15W`: the working day nearest to the 15th, within the month.
    Nearest(u32),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DayOfWeek {
    /// 1 is Sunday.
    Days(Vec<u32>),
    /// `6L`: the month's last Friday.
    Last(u32),
    /// `3#2`: the month's second Tuesday.
    Nth(u32, u32),
}

/// One field's name, bounds and names of values, for parsing it and for saying what is wrong with it.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

impl FromStr for Cron {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Cron, ExpressionError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, day_of_month, months, day_of_week, years] = fields.as_slice() else {
            return Err(ExpressionError(format!(
                "must have six fields (minutes hours day-of-month month day-of-week year), but cron({text}) has {}",
                fields.len()
            )));
        };
        let days = match (day_of_month, day_of_week) {
            ("?", "?") => {
                return Err(ExpressionError("must name a day of month or a day of week: both are `?`".to_owned()));
            }
            (days, "?") => DayRule::OfMonth(days.split(',').map(parse_day_of_month).collect::<Result<_, _>>()?),
            ("?", days) => DayRule::OfWeek(days.split(',').map(parse_day_of_week).collect::<Result<_, _>>()?),
            _ => return Err(ExpressionError("must have `?` as the day of month or as the day of week".to_owned())),
        };
        Ok(Cron {
            minutes: Field { name: "minutes", least: 0, most: 59, names: &[] }.list(minutes)?,
            hours: Field { name: "hours", least: 0, most: 23, names: &[] }.list(hours)?,
            days,
            months: Field { name: "month", least: 1, most: 12, names: &MONTHS }.list(months)?,
            years: Field { name: "year", least: FIRST_YEAR, most: LAST_YEAR, names: &[] }.list(years)?,
        })
    }
}

impl Field {
    fn wrong(&self, text: &str) -> ExpressionError {
        ExpressionError(format!(
            "{} must be {} to {} (lists, ranges, steps), but is `{text}`",
            self.name, self.least, self.most
        ))
    }

    /// All values of a list, in order, each once.
    fn list(&self, text: &str) -> Result<Vec<u32>, ExpressionError> {
        let mut values = Vec::new();
        for part in text.split(',') {
            self.part(part, &mut values)?;
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn part(&self, text: &str, values: &mut Vec<u32>) -> Result<(), ExpressionError> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => {
                let step: usize = step.parse().ok().filter(|step| *step > 0).ok_or_else(|| self.wrong(text))?;
                (range, Some(step))
            }
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            // `5/15` runs from 5 to the field's end.
            None if step.is_some() => (self.value(range)?, self.most),
            None => (self.value(range)?, self.value(range)?),
        };
        if first > last {
            return Err(self.wrong(text));
        }
        values.extend((first..=last).step_by(step.unwrap_or(1)));
        Ok(())
    }

    fn value(&self, text: &str) -> Result<u32, ExpressionError> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(index) => u32::try_from(index + 1).ok(),
            None => text.parse().ok(),
        };
        value.filter(|value| (self.least..=self.most).contains(value)).ok_or_else(|| self.wrong(text))
    }
}

fn parse_day_of_month(text: &str) -> Result<DayOfMonth, ExpressionError> {
    let field = Field { name: "day of month", least: 1, most: 31, names: &[] };
    Ok(match text {
        "L" => DayOfMonth::Last,
        "LW" => DayOfMonth::LastWorkday,
        _ => match text.strip_suffix('W') {
            Some(day) => DayOfMonth::Nearest(field.value(day)?),
            None => DayOfMonth::Days(field.list(text)?),
        },
    })
}

fn parse_day_of_week(text: &str) -> Result<DayOfWeek, ExpressionError> {
    let field = Field { name: "day of week", least: 1, most: 7, names: &WEEKDAYS };
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth)).ok_or_else(|| field.wrong(text))?;
        return Ok(DayOfWeek::Nth(field.value(day)?, nth));
    }
    Ok(match text.strip_suffix('L') {
        // The week's last day.
        Some("") => DayOfWeek::Days(vec![7]),
        Some(day) => DayOfWeek::Last(field.value(day)?),
        None => DayOfWeek::Days(field.list(text)?),
    })
}

impl Cron {
    /// Every wall-clock time of the expression from `from` on, in order.
    pub(super) fn times_from(&self, from: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> + '_ {
        let last_year = self.years.last().copied().unwrap_or(FIRST_YEAR);
        from.date()
            .iter_days()
            .take_while(move |day| day.year_ce().1 <= last_year)
            .filter(|day| self.has_day(*day))
            .flat_map(move |day| self.times_of(day).filter(move |time| *time >= from))
    }

    fn times_of(&self, day: NaiveDate) -> impl Iterator<Item = NaiveDateTime> + '_ {
        self.hours.iter().flat_map(move |hour| {
            self.minutes.iter().filter_map(move |minute| {
                NaiveTime::MIN.with_hour(*hour)?.with_minute(*minute).map(|time| day.and_time(time))
            })
        })
    }

    fn has_day(&self, day: NaiveDate) -> bool {
        self.years.contains(&day.year_ce().1)
            && self.months.contains(&day.month())
            && match &self.days {
                DayRule::OfMonth(days) => days.iter().any(|rule| rule.has(day)),
                DayRule::OfWeek(days) => days.iter().any(|rule| rule.has(day)),
            }
    }
}

impl DayOfMonth {
    fn has(&self, day: NaiveDate) -> bool {
        match self {
            DayOfMonth::Days(days) => days.contains(&day.day()),
            DayOfMonth::Last => day == last_of_month(day),
            DayOfMonth::LastWorkday => Some(day) == workday_near(last_of_month(day)),
            DayOfMonth::Nearest(wanted) => day.with_day(*wanted).and_then(workday_near) == Some(day),
        }
    }
}

impl DayOfWeek {
    fn has(&self, day: NaiveDate) -> bool {
        let weekday = day.weekday().number_from_sunday();
        match self {
            DayOfWeek::Days(days) => days.contains(&weekday),
            DayOfWeek::Last(wanted) => weekday == *wanted && last_of_month(day).day() - day.day() < 7,
            DayOfWeek::Nth(wanted, nth) => weekday == *wanted && (day.day() - 1) / 7 + 1 == *nth,
        }
    }
}

fn last_of_month(day: NaiveDate) -> NaiveDate {
    (28..=31).rev().find_map(|last| day.with_day(last)).unwrap_or(day)
}

/// The working day (Monday to Friday) nearest to `day` in the same month.
fn workday_near(day: NaiveDate) -> Option<NaiveDate> {
    let moved = |days: i64| {
        let distance = Days::new(days.unsigned_abs());
        if days < 0 { day.checked_sub_days(distance) } else { day.checked_add_days(distance) }
    };
    match day.weekday() {
        Weekday::Sat if day.day() == 1 => moved(2),
        Weekday::Sat => moved(-1),
        Weekday::Sun if day == last_of_month(day) => moved(-2),
        Weekday::Sun => moved(1),
        _ => Some(day),
    }
}
