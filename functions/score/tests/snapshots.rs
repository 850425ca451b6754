//! Customer snapshots on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeZone, Utc};
use millrace_store_mysql::{pool, schema};
use millrace_test_support::batches::batch;
use millrace_test_support::mysql::TestDatabase;
use millrace_wire::PartialBatchResponse;
use score::Score;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap()
}

fn snapshot(customer: &str, churn: &str) -> Vec<u8> {
    format!(
        r#"{{"customer_id":"{customer}","observed_at":"2026-11-20T10:00:00+01:00","state":"KS","account_length":128,"area_code":415,
        "international_plan":"No","voice_mail_plan":"Yes","number_vmail_messages":25,"total_day_minutes":265.1,"total_day_calls":110,
        "total_day_charge":45.07,"total_eve_minutes":"197.4","total_eve_calls":99,"total_eve_charge":16.78,"total_night_minutes":244.7,
        "total_night_calls":91,"total_night_charge":11.01,"total_intl_minutes":10.0,"total_intl_calls":3,"total_intl_charge":2.7,
        "customer_service_calls":1{churn}}}"#
    )
    .into_bytes()
}

#[tokio::test]
async fn snapshots_are_stored_once_with_or_without_a_label() {
    let database = TestDatabase::create().await;
    let pool = pool::with(database.options());
    schema::migrate(&pool, now()).await.unwrap();
    let score = Score::new(pool);
    let values = [
        snapshot("C-1", r#","churn":"True""#),
        snapshot("C-2", ""),
        snapshot("C-1", r#","churn":false"#),
        snapshot("C-3", r#","churn":"?""#),
    ];
    let payload = batch("customers", 1, 0, now(), &values);
    for _ in 0..2 {
        assert_eq!(score.handle(&payload).await.unwrap(), PartialBatchResponse::default());
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
