//! Revenue, customers who may leave, and forecasts.

use chrono::{DateTime, Utc};
use lambda_http::http::StatusCode;
use millrace_churn_model::{CustomerScore, Reason, ReasonValue};
use millrace_domain::aggregates::CycleRevenue;
use millrace_domain::cycles::Cycle;
use millrace_domain::forecasts::{Crossing, ForecastOutcome, ForecastPoint, Realised, SeriesForecast};
use millrace_domain::identity::CustomerId;
use millrace_store_documents::ModelCard;
use millrace_store_mysql::{champion, forecast_alerts, models};
use serde_json::json;

use crate::site::site;

fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn score(customer: &str, probability: f64) -> CustomerScore {
    let reason = |feature: &str, value, contribution| Reason { feature: feature.into(), value, contribution };
    CustomerScore {
        customer_id: CustomerId::parse(customer).unwrap(),
        observed_at: noon(),
        model_version: 1,
        probability,
        churn_predicted: probability > 0.5,
        reasons: vec![
            reason("customer_service_calls", ReasonValue::Number(Some(5.0)), 1.25),
            reason("international_plan", ReasonValue::Text("yes".into()), 0.5),
            reason("number_vmail_messages", ReasonValue::Number(None), -0.25),
            reason("state", ReasonValue::Text("KS".into()), 0.01),
        ],
        scored_at: noon(),
    }
}

#[tokio::test]
async fn revenue_is_told_by_cycle_the_newest_first_and_exact() {
    let site = site().await;
    let cookie = site.cookie().await;
    assert_eq!(site.get("/api/revenue", &cookie).await.1, json!({"cycles": []}));
    let cycle = |number: u32| CycleRevenue {
        cycle: Cycle::parse(&format!("2026-{number:02}")).unwrap(),
        invoices: 2,
        net: "0.1000".parse().unwrap(),
        tax: "0.0200".parse().unwrap(),
        total: "0.1200".parse().unwrap(),
        open_charges: "-0.4617".parse().unwrap(),
        currency: "EUR".into(),
        version: 1,
    };
    site.documents.put_revenue(&[cycle(3), cycle(4)]).await.unwrap();
    let (status, told) = site.get("/api/revenue", &cookie).await;
    assert_eq!(status, StatusCode::OK);
    let cycles: Vec<_> =
        told["cycles"].as_array().unwrap().iter().map(|cycle| cycle["cycle"].as_str().unwrap()).collect();
    assert_eq!(cycles, ["2026-04", "2026-03"]);
    assert_eq!(
        told["cycles"][0],
        json!({"cycle": "2026-04", "invoices": 2, "net": "0.1000", "tax": "0.0200", "total": "0.1200",
            "open_charges": "-0.4617", "currency": "EUR"})
    );
    site.documents.clear().await.unwrap();
}

#[tokio::test]
async fn customers_are_told_by_their_risk_with_the_reasons_and_the_model_in_use_with_its_card() {
    let site = site().await;
    let cookie = site.cookie().await;
    assert_eq!(site.get("/api/churn", &cookie).await.1, json!({"customers": [], "model": null}));
    site.documents.put_scores(&[score("calm", 0.1), score("angry", 0.9)]).await.unwrap();
    let sha256 = "ab".repeat(32);
    let new = models::NewModel { candidate: "forest", schema_version: 1, sha256: &sha256 };
    let version = models::register(&site.mysql, &new).await.unwrap();
    models::stored(&site.mysql, version).await.unwrap();
    champion::promote(&site.mysql, version, None, "test", "the first").await.unwrap();

    let (status, told) = site.get("/api/churn", &cookie).await;
    assert_eq!(status, StatusCode::OK);
    let customers: Vec<_> = told["customers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|customer| customer["customer_id"].as_str().unwrap())
        .collect();
    assert_eq!(customers, ["angry", "calm"]);
    let angry = &told["customers"][0];
    assert_eq!(
        (&angry["probability"], &angry["churn_predicted"], &angry["model_version"]),
        (&json!(0.9), &json!(true), &json!(1))
    );
    assert_eq!(
        angry["reasons"],
        json!([
            {"feature": "customer_service_calls", "value": 5.0, "contribution": 1.25},
            {"feature": "international_plan", "value": "yes", "contribution": 0.5},
            {"feature": "number_vmail_messages", "value": null, "contribution": -0.25},
        ])
    );
    assert_eq!((&told["model"]["version"], &told["model"]["candidate"]), (&json!(version), &json!("forest")));
    assert_eq!(told["model"]["card"], json!(null), "the card is written after the model");
    let card = ModelCard { version, written_at: noon(), card: json!({"why": "it is better", "profiles": [1, 2]}) };
    site.documents.put_model_card(&card).await.unwrap();
    let (_, told) = site.get("/api/churn", &cookie).await;
    assert_eq!(told["model"]["card"]["why"], "it is better");
    assert!(told["model"]["card"].get("profiles").is_none(), "what is long is left out");
    site.documents.clear().await.unwrap();
}

#[tokio::test]
async fn forecasts_are_told_with_their_bands_and_what_they_cross() {
    let site = site().await;
    let cookie = site.cookie().await;
    assert_eq!(site.get("/api/forecasts", &cookie).await.1, json!({"forecasts": [], "alerts": []}));
    let point = ForecastPoint { time: noon(), value: 72.5, low: 70.25, high: 74.75 };
    let made = ForecastOutcome::Made {
        method: "ridge".into(),
        candidates: vec![("ridge".into(), 1.5)],
        coverage: Some(0.8),
        points: vec![point],
    };
    let forecast = |series: &str, outcome| SeriesForecast {
        series: series.into(),
        made_at: noon(),
        history_hours: 300,
        filled_hours: 0,
        threshold: Some(70.0),
        outcome,
        realised: Some(Realised { hours: 24, coverage: 0.75, mae: 1.0 }),
    };
    let missing = forecast("usage/voice", ForecastOutcome::NotMade { reason: "too short".into() });
    site.documents.put_forecasts(&[forecast("temperature/S-1", made), missing]).await.unwrap();
    let crossing = Crossing { series: "temperature/S-1".into(), threshold: 70.0, above: true, point };
    forecast_alerts::update(&site.mysql, &["temperature/S-1".to_owned()].into(), &[crossing], noon()).await.unwrap();

    let (status, told) = site.get("/api/forecasts", &cookie).await;
    assert_eq!(status, StatusCode::OK);
    let expected = json!({"time": "2026-11-21T12:00:00.000Z", "value": 72.5, "low": 70.25, "high": 74.75});
    assert_eq!(
        told["forecasts"][0],
        json!({"series": "temperature/S-1", "unit": "°C", "made_at": "2026-11-21T12:00:00.000Z", "history_hours": 300,
            "threshold": 70.0, "method": "ridge", "coverage": 0.75, "points": [expected]})
    );
    assert_eq!((&told["forecasts"][1]["reason"], &told["forecasts"][1]["points"]), (&json!("too short"), &json!([])));
    assert_eq!(
        told["alerts"],
        json!([{"series": "temperature/S-1", "unit": "°C", "threshold": 70.0, "above": true, "expected": expected}])
    );
    site.documents.clear().await.unwrap();
}
