//! Who becomes champion.

use chrono::TimeDelta;
use millrace_store_mysql::champion;
use train::Outcome;

use crate::world::{World, customers, noon};

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_better_by_more_than_noise_takes_the_champions_place() {
    let world = World::new().await;
    // The first model learnt from labels that mean nothing.
    let mut wrong = customers("a", 700, 1, noon(), true);
    for (n, customer) in wrong.iter_mut().enumerate() {
        customer.churn = Some(customer.day.minutes < 100.0 || n % 9 == 0);
    }
    world.put(&wrong).await;
    assert_eq!(world.run().await.outcome, Outcome::Promoted);
    world.put(&customers("b", 4_000, 2, noon() + TimeDelta::days(30), true)).await;
    let better = world.run().await;
    assert_eq!((better.outcome, better.champion), (Outcome::Promoted, Some(2)), "{better:?}");
    let changes = world.changes().await;
    assert_eq!((changes[0].version, changes[0].before), (2, Some(1)));

    // What people took back stays back, until there is something new.
    assert_eq!(champion::rollback(&world.train.mysql, Some(2), "a test", "").await.unwrap(), 1);
    let again = world.run().await;
    assert_eq!((again.outcome, again.champion), (Outcome::Kept, Some(1)), "{again:?}");
    assert!(again.why.contains("rolled back"), "{}", again.why);
    assert_eq!(world.models().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_not_better_gets_its_card_and_the_champion_stays() {
    let world = World::new().await;
    world.put(&customers("a", 2_000, 1, noon(), true)).await;
    assert_eq!(world.run().await.outcome, Outcome::Promoted);
    world.put(&customers("b", 40, 2, noon() + TimeDelta::days(1), true)).await;
    let another = world.run().await;
    assert_eq!((another.outcome, another.version, another.champion), (Outcome::Kept, Some(2), Some(1)), "{another:?}");
    let card = world.train.documents.model_card(2).await.unwrap().unwrap().card;
    assert_eq!(card["promoted"], false);
    assert_eq!(card["why"], another.why);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_champion_whose_artefact_is_corrupt_is_replaced_and_one_that_cannot_be_read_is_not() {
    let mut world = World::new().await;
    world.put(&customers("a", 700, 1, noon(), true)).await;
    world.run().await;
    std::fs::write(world.artefact(1), "{}").unwrap();
    world.put(&customers("b", 50, 2, noon() + TimeDelta::days(1), true)).await;
    let mended = world.run().await;
    assert_eq!((mended.outcome, mended.champion), (Outcome::Promoted, Some(2)), "{mended:?}");
    assert!(mended.why.contains("corrupt"), "{}", mended.why);

    world.put(&customers("c", 50, 3, noon() + TimeDelta::days(2), true)).await;
    drop(world.server.take());
    let error = world.train.run().await.expect_err("S3 is away");
    assert!(format!("{error:#}").contains("models/2/artefact.json"), "{error:#}");
    assert_eq!((world.champion().await, world.models().await.len()), (Some(2), 2));
}
