//! A model that is ready to score.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::artefact::{Artefact, ArtefactError, Predictor};
use crate::calibration::probability;
use crate::features::Observation;
use crate::preparation::Prepared;
use crate::shapley::Shapley;
use crate::trees::Walk;

/// How many rows are prepared at once: few enough to stay in the processor's cache.
const BLOCK: usize = 512;

/// What a model says of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The probability of leaving, calibrated.
    pub probability: f64,
    /// Whether it reaches the artefact's threshold.
    pub churn_predicted: bool,
    /// The model's own output before calibration: the log-odds, and for a tree or a forest the probability. Reasons add up to it.
    pub margin: f64,
}

/// A column's part in a customer's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The column.
    pub feature: String,
    /// Its value of this customer.
    pub value: ReasonValue,
    /// What it adds to the model's own output ([`Score::margin`]): above 0 speaks for leaving.
    pub contribution: f64,
}

/// A column's value of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReasonValue {
    /// A number; `null` when it was missing.
    Number(Option<f64>),
    /// A text.
    Text(String),
}

/// A model that is ready to score.
#[derive(Debug)]
pub struct Model {
    artefact: Artefact,
    prepared: Prepared,
    walk: Option<Walk>,
    /// Laid out when the first reasons are asked for.
    shapley: OnceLock<Shapley>,
}

impl Model {
    /// Makes an artefact ready.
    ///
    /// # Errors
    /// When its parts do not fit each other.
    pub fn load(artefact: Artefact) -> Result<Self, ArtefactError> {
        artefact.check()?;
        let prepared = artefact.preparation.ready()?;
        let walk = match &artefact.predictor {
            Predictor::Averaged(trees) | Predictor::Boosted(trees) => Some(Walk::new(trees)),
            Predictor::Logistic(_) | Predictor::NaiveBayes(_) => None,
        };
        Ok(Self { artefact, prepared, walk, shapley: OnceLock::new() })
    }

    /// What it was made of.
    #[must_use]
    pub fn artefact(&self) -> &Artefact {
        &self.artefact
    }

    /// Scores a customer.
    #[must_use]
    pub fn score(&self, observation: &Observation<'_>) -> Score {
        let row = self.row(observation);
        self.scored(match &self.walk {
            Some(walk) => walk.sum(&row),
            None => self.smooth_margin(&row),
        })
    }

    /// Scores many customers, in their order: the same scores as one by one, sooner.
    #[must_use]
    pub fn score_all(&self, observations: &[Observation<'_>]) -> Vec<Score> {
        let width = self.prepared.width();
        let mut rows = vec![0.0; BLOCK.min(observations.len()) * width];
        let mut margins = vec![0.0; BLOCK.min(observations.len())];
        let mut scores = Vec::with_capacity(observations.len());
        for block in observations.chunks(BLOCK) {
            for (observation, row) in block.iter().zip(rows.chunks_exact_mut(width)) {
                self.prepared.fill(observation, row);
            }
            let margins = &mut margins[..block.len()];
            self.margins(&rows[..block.len() * width], margins);
            scores.extend(margins.iter().map(|&margin| self.scored(margin)));
        }
        scores
    }

    /// The `n` columns that account for most of a customer's score, the greatest contribution (either way) first.
    #[must_use]
    pub fn reasons(&self, observation: &Observation<'_>, n: usize) -> Vec<Reason> {
        let contributions = self.contributions(observation);
        let mut order: Vec<usize> = (0..contributions.len()).collect();
        order.sort_by(|&a, &b| contributions[b].abs().total_cmp(&contributions[a].abs()).then(a.cmp(&b)));
        order.truncate(n);
        let reason = |column: usize| Reason {
            feature: self.artefact.preparation.columns[column].name.clone(),
            value: self.value(column, observation),
            contribution: contributions[column],
        };
        order.into_iter().map(reason).collect()
    }

    /// Every column's part of a customer's [`Score::margin`], in the order of the preparation: they add up to the margin less
    /// [`base`](Self::base).
    #[must_use]
    pub fn contributions(&self, observation: &Observation<'_>) -> Vec<f64> {
        self.contributions_of(&self.row(observation))
    }

    /// Every column's part of a prepared row's margin.
    ///
    /// # Panics
    /// When `row` is narrower than the preparation.
    #[must_use]
    pub fn contributions_of(&self, row: &[f64]) -> Vec<f64> {
        let mut contributions = vec![0.0; row.len()];
        match &self.artefact.predictor {
            Predictor::Logistic(linear) => linear.contributions(row, &mut contributions),
            Predictor::NaiveBayes(bayes) => bayes.contributions(row, &mut contributions),
            Predictor::Averaged(trees) | Predictor::Boosted(trees) => {
                self.shapley.get_or_init(|| Shapley::new(trees)).contributions(row, &mut contributions);
            }
        }
        contributions
    }

    /// The output that reasons are counted from: that of the average customer, or for trees the average output.
    #[must_use]
    pub fn base(&self) -> f64 {
        match &self.artefact.predictor {
            Predictor::Logistic(linear) => linear.intercept,
            Predictor::NaiveBayes(bayes) => bayes.base(),
            Predictor::Averaged(trees) | Predictor::Boosted(trees) => {
                self.shapley.get_or_init(|| Shapley::new(trees)).base()
            }
        }
    }

    /// Outputs of prepared rows that stand one after another.
    ///
    /// # Panics
    /// When `rows` is not `into.len()` rows of the preparation's width.
    pub fn margins(&self, rows: &[f64], into: &mut [f64]) {
        let width = self.prepared.width();
        assert_eq!(rows.len(), width * into.len(), "rows of the preparation's width");
        match &self.walk {
            Some(walk) => walk.sums(rows, width, into),
            None => {
                for (margin, row) in into.iter_mut().zip(rows.chunks_exact(width)) {
                    *margin = self.smooth_margin(row);
                }
            }
        }
    }

    /// The probability that the fitted model gives before calibration.
    #[must_use]
    pub fn uncalibrated(&self, margin: f64) -> f64 {
        match self.artefact.predictor {
            Predictor::Averaged(_) => margin,
            _ => probability(margin),
        }
    }

    /// The calibrated probability of a margin.
    #[must_use]
    pub fn probability(&self, margin: f64) -> f64 {
        self.artefact.calibration.apply(self.uncalibrated(margin))
    }

    fn scored(&self, margin: f64) -> Score {
        let probability = self.probability(margin);
        Score { probability, churn_predicted: probability >= self.artefact.threshold, margin }
    }

    fn row(&self, observation: &Observation<'_>) -> Vec<f64> {
        let mut row = vec![0.0; self.prepared.width()];
        self.prepared.fill(observation, &mut row);
        row
    }

    fn smooth_margin(&self, row: &[f64]) -> f64 {
        match &self.artefact.predictor {
            Predictor::Logistic(linear) => linear.margin(row),
            Predictor::NaiveBayes(bayes) => bayes.margin(row),
            Predictor::Averaged(trees) | Predictor::Boosted(trees) => {
                trees.base + trees.weight * trees.trees.iter().map(|tree| tree.value(row)).sum::<f64>()
            }
        }
    }

    fn value(&self, column: usize, observation: &Observation<'_>) -> ReasonValue {
        if self.prepared.is_state(column) {
            return ReasonValue::Text(observation.customer.state.clone());
        }
        let value = self.prepared.observed(column, observation);
        ReasonValue::Number(value.is_finite().then_some(value))
    }
}
