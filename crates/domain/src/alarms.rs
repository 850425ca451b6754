//! Alarms of sensors: thresholds with hysteresis.

/// Limits of one sensor, in degrees Celsius.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Above it a warning opens.
    pub warning_c: f64,
    /// Above it the alarm is critical.
    pub critical_c: f64,
    /// An alarm closes below `warning_c - hysteresis_c`.
    pub hysteresis_c: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { warning_c: 70.0, critical_c: 80.0, hysteresis_c: 2.0 }
    }
}

/// How bad an alarm is. The severity of an open alarm never falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Above the warning threshold.
    Warning,
    /// Above the critical threshold.
    Critical,
}

impl Severity {
    /// Its name in views.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// The temperature crossed a threshold.
    Temperature,
    /// The sensor sent nothing for too long.
    Silent,
}

impl AlarmKind {
    /// Its name in views.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::Silent => "silent",
        }
    }
}

/// What a reading does to the sensor's alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Transition {
    /// Nothing changes.
    None,
    /// An alarm opens.
    Open(Severity),
    /// The open warning becomes critical.
    Escalate,
    /// The open alarm closes.
    Close,
}

/// Judges one value against the thresholds and the alarm that is open.
///
/// ```
/// use millrace_domain::alarms::{judge, Severity, Thresholds, Transition};
/// let limits = Thresholds::default();
/// assert_eq!(judge(81.0, limits, None), Transition::Open(Severity::Critical));
/// assert_eq!(judge(69.0, limits, Some(Severity::Warning)), Transition::None, "within the hysteresis");
/// assert_eq!(judge(67.9, limits, Some(Severity::Critical)), Transition::Close);
/// ```
pub fn judge(value: f64, limits: Thresholds, open: Option<Severity>) -> Transition {
    let severity = severity(value, limits);
    match (open, severity) {
        (None, Some(severity)) => Transition::Open(severity),
        (Some(Severity::Warning), Some(Severity::Critical)) => Transition::Escalate,
        (Some(_), _) if value < limits.warning_c - limits.hysteresis_c => Transition::Close,
        _ => Transition::None,
    }
}

/// The severity of one value by itself; `None` is normal.
pub fn severity(value: f64, limits: Thresholds) -> Option<Severity> {
    if value > limits.critical_c {
        Some(Severity::Critical)
    } else if value > limits.warning_c {
        Some(Severity::Warning)
    } else {
        None
    }
}
