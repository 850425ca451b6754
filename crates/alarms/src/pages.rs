//! Composite alarms: the alarms of a group and severity page as one, and keep quiet while what may explain them is in alarm, so
//! that one fault pages once.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::definitions::{Definitions, Severity, Silence};

/// What pages.
#[derive(Debug)]
pub(crate) struct Page {
    /// Group and severity.
    pub(crate) name: String,
    pub(crate) severity: Severity,
    /// The places of its alarms.
    pub(crate) members: Vec<usize>,
    /// When it was raised, while it is.
    pub(crate) raised: Option<DateTime<Utc>>,
    /// The members that were in alarm since.
    told: BTreeSet<usize>,
    /// The places of the pages that silence it.
    silencers: Vec<usize>,
    /// The minute since which a member is in alarm.
    since: Option<u64>,
    /// Until when its silencers keep it quiet.
    quiet_until: u64,
}

/// A page that was raised or cleared: its place, and the members that it is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) page: usize,
    pub(crate) raised: bool,
    pub(crate) members: Vec<usize>,
}

/// The pages of alarms that are given by group and severity. A group without such alarms has none.
pub(crate) fn of(definitions: &Definitions, alarms: &[(&str, Severity)]) -> Vec<Page> {
    let name = |group: &str, severity: Severity| format!("{group}-{}", severity.as_str());
    let mut pages = Vec::new();
    for group in &definitions.groups {
        for severity in Severity::ALL {
            let places = (0..).zip(alarms).filter(|(_, alarm)| **alarm == (group.name.as_str(), severity));
            let members: Vec<usize> = places.map(|(place, _)| place).collect();
            if !members.is_empty() {
                pages.push(Page {
                    name: name(&group.name, severity),
                    severity,
                    members,
                    raised: None,
                    told: BTreeSet::new(),
                    silencers: Vec::new(),
                    since: None,
                    quiet_until: 0,
                });
            }
        }
    }
    for group in &definitions.groups {
        for severity in Severity::ALL {
            // What a group warns of mostly follows from what is critical in it.
            let own = (severity == Severity::Warning).then_some(&group.name);
            let explanations: Vec<String> =
                group.silenced_by.iter().chain(own).map(|by| name(by, Severity::Critical)).collect();
            let silencers = (0..).zip(&pages).filter(|(_, page)| explanations.contains(&page.name));
            let silencers: Vec<usize> = silencers.map(|(place, _)| place).collect();
            if let Some(page) = pages.iter_mut().find(|page| page.name == name(&group.name, severity)) {
                page.silencers = silencers;
            }
        }
    }
    pages
}

/// Raises and clears pages as of a minute, given which alarms are on.
pub(crate) fn step(
    pages: &mut [Page],
    silence: Silence,
    minute: u64,
    at: DateTime<Utc>,
    on: impl Fn(usize) -> bool,
) -> Vec<Turn> {
    let (wait, extension) = (silence.wait_seconds.div_ceil(60), silence.extension_seconds.div_ceil(60));
    let are_on: Vec<bool> = pages.iter().map(|page| page.members.iter().any(|member| on(*member))).collect();
    let mut turns = Vec::new();
    for (place, page) in pages.iter_mut().enumerate() {
        if page.silencers.iter().any(|silencer| are_on[*silencer]) {
            page.quiet_until = minute + extension + 1;
        }
        if !are_on[place] {
            page.since = None;
            if page.raised.take().is_some() {
                turns.push(Turn {
                    page: place,
                    raised: false,
                    members: std::mem::take(&mut page.told).into_iter().collect(),
                });
            }
            continue;
        }
        let since = *page.since.get_or_insert(minute);
        let waited = page.silencers.is_empty() || minute >= since + wait;
        let members = page.members.iter().copied().filter(|member| on(*member));
        if page.raised.is_some() {
            page.told.extend(members);
        } else if waited && minute >= page.quiet_until {
            page.told = members.collect();
            page.raised = Some(at);
            turns.push(Turn { page: place, raised: true, members: page.told.iter().copied().collect() });
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SILENCE: Silence = Silence { wait_seconds: 120, extension_seconds: 300 };

    /// The database silences functions, functions and streaming silence ingest; sites are on their own.
    fn definitions() -> Definitions {
        let text = r#"{"about": "", "silence": {"wait_seconds": 120, "extension_seconds": 300}, "alarms": [], "groups": [
            {"name": "database", "silenced_by": []}, {"name": "functions", "silenced_by": ["database"]},
            {"name": "ingest", "silenced_by": ["functions", "streaming"]}, {"name": "sites", "silenced_by": []},
            {"name": "streaming", "silenced_by": []}]}"#;
        Definitions::parse(text).unwrap()
    }

    const DATABASE: usize = 0;
    const FUNCTION: usize = 1;
    const MAPPING: usize = 2;
    const OTHER_MAPPING: usize = 3;
    const SITE: usize = 4;
    const BROKERS: usize = 5;
    const UNREAD: usize = 6;

    struct Pager {
        pages: Vec<Page>,
        minute: u64,
    }

    impl Pager {
        fn new() -> Self {
            let alarms = [
                ("database", Severity::Critical),
                ("functions", Severity::Critical),
                ("ingest", Severity::Warning),
                ("ingest", Severity::Warning),
                ("sites", Severity::Warning),
                ("streaming", Severity::Critical),
                ("ingest", Severity::Critical),
            ];
            Self { pages: of(&definitions(), &alarms), minute: 0 }
        }

        /// The turns of some minutes in which these alarms are on: `+` is raised, `-` cleared, after the minute.
        fn minutes(&mut self, count: u64, on: &[usize]) -> Vec<String> {
            let mut told = Vec::new();
            for _ in 0..count {
                self.minute += 1;
                let turns =
                    step(&mut self.pages, SILENCE, self.minute, DateTime::UNIX_EPOCH, |place| on.contains(&place));
                told.extend(turns.into_iter().map(|turn| {
                    let sign = if turn.raised { '+' } else { '-' };
                    format!("{} {sign}{} {:?}", self.minute, self.pages[turn.page].name, turn.members)
                }));
            }
            told
        }
    }

    #[test]
    fn a_page_is_raised_once_and_cleared_once() {
        let mut pager = Pager::new();
        assert_eq!(pager.minutes(3, &[SITE]), ["1 +sites-warning [4]"]);
        assert_eq!(pager.minutes(2, &[]), ["4 -sites-warning [4]"]);
        assert_eq!(pager.minutes(1, &[SITE]), ["6 +sites-warning [4]"], "another time it is another page");
    }

    #[test]
    fn a_group_pages_as_one_and_tells_at_its_end_of_all_that_were_in_alarm() {
        let mut pager = Pager::new();
        assert_eq!(pager.minutes(4, &[MAPPING]), ["3 +ingest-warning [2]"], "after it waited for what may explain it");
        assert!(pager.minutes(2, &[MAPPING, OTHER_MAPPING]).is_empty());
        assert!(pager.minutes(2, &[OTHER_MAPPING]).is_empty());
        assert_eq!(pager.minutes(2, &[]), ["9 -ingest-warning [2, 3]"]);
    }

    #[test]
    fn a_database_that_is_away_pages_alone() {
        let mut pager = Pager::new();
        // What follows from it is seen first.
        assert!(pager.minutes(1, &[MAPPING]).is_empty());
        assert!(pager.minutes(1, &[MAPPING, FUNCTION]).is_empty());
        assert_eq!(pager.minutes(9, &[MAPPING, FUNCTION, DATABASE]), ["3 +database-critical [0]"]);
        // It comes back first, too, and the others within the extension.
        assert_eq!(pager.minutes(3, &[MAPPING, FUNCTION]), ["12 -database-critical [0]"]);
        assert!(pager.minutes(4, &[MAPPING]).is_empty(), "the functions' extension follows the database's");
        assert!(pager.minutes(9, &[]).is_empty());
    }

    #[test]
    fn a_group_keeps_quiet_for_each_of_the_groups_that_may_explain_it() {
        let mut pager = Pager::new();
        assert_eq!(pager.minutes(9, &[MAPPING, BROKERS]), ["1 +streaming-critical [5]"]);
        // One explanation follows the other.
        let told = pager.minutes(9, &[MAPPING, FUNCTION]);
        assert_eq!(told, ["10 -streaming-critical [5]", "12 +functions-critical [1]"]);
        assert_eq!(pager.minutes(1, &[]), ["19 -functions-critical [1]"]);
    }

    #[test]
    fn a_group_s_warnings_keep_quiet_while_it_is_critical_itself() {
        let mut pager = Pager::new();
        assert_eq!(pager.minutes(9, &[MAPPING, UNREAD]), ["3 +ingest-critical [6]"]);
        // Minutes 10 to 14 are the extension.
        assert_eq!(pager.minutes(6, &[MAPPING]), ["10 -ingest-critical [6]", "15 +ingest-warning [2]"]);
        // What is critical does not wait for what it warns of.
        assert_eq!(pager.minutes(3, &[MAPPING, UNREAD]), ["18 +ingest-critical [6]"]);
    }

    #[test]
    fn what_does_not_end_with_its_explanation_pages_after_the_extension() {
        let mut pager = Pager::new();
        assert_eq!(pager.minutes(3, &[FUNCTION, DATABASE]), ["1 +database-critical [0]"]);
        // Minutes 4 to 8 are the extension.
        assert_eq!(pager.minutes(7, &[FUNCTION]), ["4 -database-critical [0]", "9 +functions-critical [1]"]);
    }

    #[test]
    fn an_explanation_that_comes_late_does_not_take_a_page_back() {
        let mut pager = Pager::new();
        assert_eq!(pager.minutes(3, &[FUNCTION]), ["3 +functions-critical [1]"]);
        assert_eq!(pager.minutes(2, &[FUNCTION, DATABASE]), ["4 +database-critical [0]"]);
        assert_eq!(pager.minutes(1, &[]), ["6 -database-critical [0]", "6 -functions-critical [1]"]);
    }

    #[test]
    fn a_group_whose_silencer_has_no_alarm_here_pages_at_once() {
        let alarms = [("ingest", Severity::Warning)];
        let mut pager = Pager { pages: of(&definitions(), &alarms), minute: 0 };
        assert_eq!(pager.minutes(2, &[0]), ["1 +ingest-warning [0]"]);
    }
}
