//! The champion and the present: whether customers still are as they were in its training, and how its scores turned out.

use std::time::Duration;

use chrono::TimeDelta;
use millrace_churn_model::{Model, Observation};
use millrace_lambda_support::metrics::Metric;
use millrace_learning::{Examples, Metrics, Profile};
use millrace_store_mysql::live_quality::live_quality;
use serde::{Deserialize, Serialize};

use crate::champion::Reigning;
use crate::{Train, rows, verdict};

/// Customers that tell of the present, the newest ones: more would not tell more.
const PRESENT: u64 = 20_000;
/// The least number of them from which a stability index means something.
const LEAST_PRESENT: usize = 100;
/// The least number of labels from which precision and recall are metrics: with fewer, chance would raise their alarms.
const LEAST_LABELS: u64 = 100;
/// How far back scores are looked at whose label may have come.
const LIVE: TimeDelta = TimeDelta::days(90);
/// How long the object store may take to give a card.
const WITHIN: Duration = Duration::from_secs(30);
/// The score's profile, among those of a card.
const SCORE: &str = "score";

/// How the champion does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Monitoring {
    /// The champion.
    pub version: u32,
    /// The time since its newest training example, in seconds.
    pub age_seconds: f64,
    /// Its log loss on the held-out part; `None` when that is empty.
    pub log_loss: Option<f64>,
    /// Customers without a label who tell of the present.
    pub recent_rows: u64,
    /// The greatest population stability index of the columns that it reads; `None` while the present is too small.
    pub feature_drift: Option<f64>,
    /// The column that moved so far.
    pub furthest_feature: Option<String>,
    /// The population stability index of its score.
    pub score_drift: Option<f64>,
    /// Its scores of the last 90 days whose label came.
    pub live_labels: u64,
    /// Of those that it said would leave, the share that left.
    pub live_precision: Option<f64>,
    /// Of those that left, the share that it said would.
    pub live_recall: Option<f64>,
}

impl Monitoring {
    /// What is to be emitted: what is known, and by enough customers.
    pub(crate) fn metrics(&self) -> Vec<(Metric, f64)> {
        let live = |share: Option<f64>| share.filter(|_| self.live_labels >= LEAST_LABELS);
        let known = [
            (Metric::ChampionAge, Some(self.age_seconds)),
            (Metric::ChampionLogLoss, self.log_loss),
            (Metric::FeatureDrift, self.feature_drift),
            (Metric::ScoreDrift, self.score_drift),
            (Metric::LivePrecision, live(self.live_precision)),
            (Metric::LiveRecall, live(self.live_recall)),
        ];
        known
            .into_iter()
            .filter_map(|(metric, value)| Some((metric, value.filter(|value| value.is_finite())?)))
            .collect()
    }
}

/// What is read of a card.
#[derive(Deserialize)]
struct Card {
    profiles: Vec<Profile>,
}

impl Train {
    /// Compares the champion with the present; `None` while no champion can score.
    pub(crate) async fn monitor(&self, examples: &Examples) -> anyhow::Result<Option<Monitoring>> {
        let Reigning::Sound { version, model, .. } = Reigning::read(&self.mysql, &self.objects).await? else {
            return Ok(None);
        };
        let now = (self.clock)();
        let judges = verdict::judges(examples);
        let log_loss = (!judges.is_empty())
            .then(|| Metrics::measure(&examples.probabilities(&model, &judges), &examples.labels(&judges)).log_loss);
        let live = live_quality(&self.mysql, version, now - LIVE).await?;
        let mut monitoring = Monitoring {
            version,
            age_seconds: (now - model.artefact().trained_on.to).as_seconds_f64(),
            log_loss,
            recent_rows: 0,
            feature_drift: None,
            furthest_feature: None,
            score_drift: None,
            live_labels: live.labelled(),
            live_precision: live.precision(),
            live_recall: live.recall(),
        };
        let card: Card = serde_json::from_slice(&self.objects.card(version, WITHIN).await?)?;
        let present = rows::unlabelled(&self.documents, PRESENT).await?;
        let observations: Vec<Observation<'_>> = present.iter().map(rows::Observed::observation).collect();
        monitoring.recent_rows = observations.len() as u64;
        if observations.len() >= LEAST_PRESENT {
            monitoring.measure_drift(&card.profiles, &model, &observations);
        }
        Ok(Some(monitoring))
    }
}

impl Monitoring {
    fn measure_drift(&mut self, profiles: &[Profile], model: &Model, observations: &[Observation<'_>]) {
        let read = &model.artefact().preparation.columns;
        let of_feature = |profile: &Profile| {
            read.iter().find(|column| column.name == profile.feature)?;
            Some((profile.stability_of(observations)?, profile.feature.clone()))
        };
        let furthest = profiles.iter().filter_map(of_feature).max_by(|a, b| a.0.total_cmp(&b.0));
        (self.feature_drift, self.furthest_feature) = furthest.unzip();
        if let Some(profile) = profiles.iter().find(|profile| profile.feature == SCORE) {
            let scores = model.score_all(observations);
            self.score_drift = Some(profile.stability(scores.iter().map(|score| score.probability)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_and_recall_are_metrics_from_a_hundred_labels_on() {
        let emitted = |live_labels| {
            let monitoring = Monitoring {
                version: 1,
                age_seconds: 60.0,
                log_loss: Some(0.1),
                recent_rows: 0,
                feature_drift: None,
                furthest_feature: None,
                score_drift: None,
                live_labels,
                live_precision: Some(0.5),
                live_recall: None,
            };
            monitoring.metrics().into_iter().map(|(metric, _)| metric).collect::<Vec<_>>()
        };
        assert_eq!(emitted(99), [Metric::ChampionAge, Metric::ChampionLogLoss]);
        assert_eq!(emitted(100), [Metric::ChampionAge, Metric::ChampionLogLoss, Metric::LivePrecision]);
    }
}
