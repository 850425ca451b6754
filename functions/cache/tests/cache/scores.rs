use crate::world::World;

/// The latest score of each customer as its document has it.
async fn latest(world: &World) -> Vec<String> {
    let scores = world.cache.documents.highest_scores(10).await.unwrap();
    let told = |score: &millrace_churn_model::CustomerScore| {
        let reasons: Vec<&str> = score.reasons.iter().map(|reason| reason.feature.as_str()).collect();
        format!("{} {} {} {}", score.customer_id.as_str(), score.observed_at, score.probability, reasons.join(","))
    };
    scores.iter().map(told).collect()
}

#[tokio::test]
async fn a_customers_document_is_mended_to_its_latest_score() {
    let world = World::new().await;
    let reasons = r#"[{"feature":"state","value":"KS","contribution":0.5},{"feature":"total_day_minutes","value":null,"contribution":-1}]"#;
    let insert = |rows: &str| {
        let columns = "observed_at, customer_id, model_version, probability, churn_predicted, reasons, scored_at";
        format!(
            "INSERT INTO churn_scores ({columns}) VALUES {}",
            rows.replace("REST", &format!("FALSE, '{reasons}', '2026-11-20'"))
        )
    };
    world
        .database
        .run(&insert(
            "('2026-11-02', 'C-1', 1, 0.25, REST), ('2026-11-01', 'C-1', 1, 0.75, REST), ('2026-11-01', 'C-2', 1, 0.5, REST)",
        ))
        .await;
    let summary = world.run().await;
    assert_eq!((summary.scores.written, summary.scores.superseded), (2, 0));
    let both = "state,total_day_minutes";
    let expected =
        [format!("C-2 2026-11-01 00:00:00 UTC 0.5 {both}"), format!("C-1 2026-11-02 00:00:00 UTC 0.25 {both}")];
    assert_eq!(latest(&world).await, expected);

    // A score that comes late, of an earlier observation than the document's.
    world.database.run(&insert("('2026-10-31', 'C-2', 2, 0.9, REST)")).await;
    let summary = world.run().await;
    assert_eq!((summary.scores.written, summary.scores.superseded), (0, 1));
    assert_eq!(latest(&world).await, expected);

    world.cache.documents.clear().await.unwrap();
    world.run().await;
    assert_eq!(latest(&world).await, expected);
    world.cache.documents.clear().await.unwrap();
}
