//! What is kept of a training beside its artefact.

use chrono::{DateTime, SecondsFormat, Utc};
use millrace_churn_model::Model;
use millrace_learning::{Examples, Intervals, Metrics, Trained};
use serde_json::{Map, Value, json};

use crate::champion::Reigning;
use crate::settings::Settings;
use crate::verdict::{self, Verdict};

/// The card of a trained model: the training's report, with its data, its figures on the held-out part and the verdict.
pub(crate) fn card(
    trained: &Trained,
    model: &Model,
    verdict: &Verdict,
    reigning: &Reigning,
    examples: &Examples,
    left_out: u64,
    settings: &Settings,
) -> anyhow::Result<Value> {
    let artefact = &trained.artefact;
    let judges = verdict::judges(examples);
    let left = examples.labels(&judges);
    let probabilities = examples.probabilities(model, &judges);
    let metrics = Metrics::measure(&probabilities, &left);
    let intervals = Intervals::measure(&probabilities, &left, settings.seed);
    let mut card = match serde_json::to_value(&trained.report)? {
        Value::Object(report) => report,
        _ => Map::new(),
    };
    let chosen = card.get("candidates").and_then(|candidates| candidates.get(0)).cloned().unwrap_or_default();
    let trained_on = &artefact.trained_on;
    card.extend(fields(json!({
        "candidate": artefact.candidate,
        "library": artefact.library,
        "schema_version": artefact.schema_version,
        "parameters": chosen["parameters"],
        "calibration": chosen["calibration"],
        "promoted": verdict.promote,
        "why": verdict.why,
        "champion_before": reigning.version(),
        "comparison": verdict.comparison,
        "data": {
            "from": said(trained_on.from),
            "to": said(trained_on.to),
            "rows": examples.len(),
            "trained_on": trained_on.rows,
            "trained_on_churned": trained_on.churned,
            "held_out": judges.len(),
            "held_out_churned": left.iter().filter(|&&left| left).count(),
            "left_out": left_out,
        },
        "metrics": metrics,
        "intervals": intervals,
        "settings": {
            "contact_cost": settings.contact_cost,
            "value_kept": settings.value_kept,
            "seed": settings.seed,
        },
    })));
    Ok(Value::Object(card))
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn said(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
