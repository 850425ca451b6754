//! What a billing cycle's document and view say.

use chrono::{DateTime, TimeDelta, Utc};
use millrace_domain::aggregates::CycleRevenue;
use millrace_domain::usage::Service;
use millrace_store_documents::UsageGrain;

use crate::world::{World, event};

/// What the document of each cycle says.
async fn revenue(world: &World) -> Vec<String> {
    let told = |cycle: &CycleRevenue| {
        let sums = [cycle.net, cycle.tax, cycle.total, cycle.open_charges].map(|sum| sum.normalize().to_string());
        format!("{} {} {} {}", cycle.cycle, cycle.invoices, sums.join(" "), cycle.currency)
    };
    world.cache.documents.revenue().await.unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn a_cycles_document_shows_what_is_open_and_then_what_was_invoiced() {
    let world = World::new().await;
    let june: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().unwrap();
    let events = (0..6).map(|n| event(june + TimeDelta::days(4 * n), Service::Voice, "C-1", 60)).collect();
    world.events(events).await;
    world.run().await;
    assert_eq!(revenue(&world).await, ["2026-06 0 0 0 0 1.5 EUR"]);

    world
        .database
        .run(
            "INSERT INTO closed_cycles (account_no, cycle, starts_at, ends_at, closed_at, invoiced)
                 VALUES (1, 202606, '2026-06-01', '2026-07-01', '2026-07-03', TRUE);
             SET sql_mode = '';
             INSERT INTO invoices (invoice_number, account_no, cycle, net, tax, total, currency)
                 VALUES ('MR2026-00000001', 1, 202606, 1.50, 0.30, 1.80, 'EUR')",
        )
        .await;
    let summary = world.run().await;
    assert_eq!((summary.usage.written, summary.revenue.written), (0, 1));
    assert_eq!(revenue(&world).await, ["2026-06 1 1.5 0.3 1.8 0 EUR"]);
    let view =
        "SELECT CONCAT_WS(' ', cycle, invoices, net, tax, total, open_charges, currency) FROM bi_revenue_by_cycle";
    assert_eq!(world.database.texts(view).await, ["2026-06 1 1.5000 0.3000 1.8000 0.0000 EUR"]);

    // A difference by re-rating goes on the next invoice.
    world
        .database
        .run(
            "UPDATE usage_events SET amount = 0.10 ORDER BY started_at LIMIT 1;
             INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, old_account_no,
                 old_bill_cycle, old_amount, new_account_no, new_bill_cycle, new_amount, credit_account_no, credit_cycle, own_cycle,
                 difference)
             SELECT 1, started_at, event_id, service, subscriber, cell, usage_amount, 1, 202606, 0.25, 1, 202606, 0.10, 1, 202607,
                 202606, -0.15 FROM usage_events WHERE amount = 0.10",
        )
        .await;
    world.run().await;
    assert_eq!(revenue(&world).await, ["2026-06 1 1.5 0.3 1.8 0 EUR", "2026-07 0 0 0 0 -0.15 EUR"]);
    let sums = world.cache.documents.usage(UsageGrain::HourByCell, june).await.unwrap();
    assert_eq!((sums.len(), sums[0].amount.to_string().as_str()), (6, "0.1000"));
    world.cache.documents.clear().await.unwrap();
}
