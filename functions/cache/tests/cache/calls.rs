use millrace_domain::customers::PeriodUsage;
use millrace_domain::usage::Service;

use crate::world::{World, event, hour};

/// Minutes, calls and charge of all parts of the day.
async fn told(world: &World) -> (f64, u32, f64) {
    let calls = world.calls().await.expect("calls of the only account");
    let parts = [calls.day, calls.eve, calls.night, calls.intl];
    let sum = |of: fn(&PeriodUsage) -> f64| parts.iter().map(of).sum::<f64>();
    (sum(|part| part.minutes), parts.iter().map(|part| part.calls).sum(), sum(|part| part.charge))
}

#[tokio::test]
async fn calls_become_their_customers_document_and_later_ones_are_added_to_it() {
    let world = World::new().await;
    let call = |seconds| event(hour(), Service::Voice, "C-1", seconds);
    world.events(vec![call(90), event(hour(), Service::Data, "C-1", 5_000)]).await;
    assert_eq!(world.run().await.customer_usage.written, 1);
    assert_eq!(told(&world).await, (1.5, 1, 0.25));
    world.events(vec![call(30), call(60)]).await;
    assert_eq!(world.run().await.customer_usage.written, 1);
    assert_eq!(told(&world).await, (3.0, 3, 0.75));
    assert_eq!(world.run().await.customer_usage.written, 0);
    world.cache.documents.clear().await.unwrap();
}
