use crate::world::World;

fn labelled(customer: &str, label: &str) -> Vec<u8> {
    let text = String::from_utf8(crate::world::snapshot(customer, 9, 265.1, None)).unwrap();
    format!("{}{label}}}", text.trim_end_matches('}')).into_bytes()
}

#[tokio::test]
async fn snapshots_are_stored_once_with_or_without_a_label() {
    let world = World::new().await;
    let database = &world.database;
    let values = [
        labelled("C-1", r#","churn":"True""#),
        labelled("C-2", ""),
        labelled("C-1", r#","churn":false"#),
        labelled("C-3", r#","churn":"?""#),
    ];
    for _ in 0..2 {
        world.deliver_at(&world.score, 0, &values).await;
        let ledger =
            database.texts("SELECT CONCAT_WS(' ', next_offset, stored, duplicates, rejects) FROM ledger").await;
        assert_eq!(ledger, ["4 2 1 1"]);
        let stored = database
            .texts(
                "SELECT CONCAT_WS(' ', customer_id, observed_at, state, account_length, international_plan, voice_mail_plan, \
                 total_eve_minutes, total_intl_charge, customer_service_calls, COALESCE(churn, '-')) FROM customer_snapshots ORDER BY customer_id",
            )
            .await;
        assert_eq!(
            stored,
            [
                "C-1 2026-11-20 09:00:00.000 KS 128 0 1 197.4 2.7 1 1",
                "C-2 2026-11-20 09:00:00.000 KS 128 0 1 197.4 2.7 1 -"
            ]
        );
    }
}
