//! Trainings that are run again, at once, or killed.

use std::time::Duration;

use millrace_store_documents::{DocumentSettings, DocumentStore};
use millrace_store_mysql::{leases, models};
use millrace_test_support::environment::nowhere;
use train::Outcome;

use crate::world::{World, customers, noon};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_model_becomes_champion_and_the_same_data_gives_the_same_bytes_again() {
    let world = World::new().await;
    world.put(&customers("a", 900, 1, noon(), true)).await;
    let first = world.run().await;
    assert_eq!((first.outcome, first.version, first.champion), (Outcome::Promoted, Some(1), Some(1)), "{first:?}");
    assert_eq!((first.rows, first.left_out), (900, 0));
    assert_eq!(world.champion().await, Some(1));
    let bytes = std::fs::read(world.artefact(1)).unwrap();

    let second = world.run().await;
    assert_eq!((second.outcome, second.version), (Outcome::Unchanged, Some(1)), "{second:?}");
    assert_eq!((world.models().await.len(), world.changes().await.len()), (1, 1));

    // On another platform, whose documents come in another order, the artefact is the same.
    let other = World::new().await;
    let mut customers = customers("a", 900, 1, noon(), true);
    customers.reverse();
    other.put(&customers).await;
    other.run().await;
    assert!(std::fs::read(other.artefact(1)).unwrap() == bytes, "the same data and seed give the same bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_that_is_killed_anywhere_leaves_a_whole_champion_and_the_next_one_goes_on() {
    let world = World::new().await;
    world.put(&customers("a", 600, 1, noon(), true)).await;
    world.run().await;
    world.put(&customers("b", 600, 2, noon(), true)).await;
    for kill_after in [5, 60, 200, 500, 900, 1400, 2000] {
        world.run_for(Duration::from_millis(kill_after)).await;
        let champion = world.champion().await.expect("a champion");
        let model = models::get(&world.train.mysql, champion).await.unwrap().expect("its model");
        assert!(model.stored_at.is_some());
        world.train.objects.artefact(champion, &model.sha256, Duration::from_secs(5)).await.expect("a whole artefact");
        // A killed training's lease ends by itself.
        world.database.run("UPDATE leases SET expires_at = '2000-01-01'").await;
    }
    world.run().await;
    let models = world.models().await;
    assert!(models.len() <= 2, "the same artefact keeps its version: {models:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_training_was_killed_between_artefact_and_row_is_taken_up() {
    let world = World::new().await;
    world.put(&customers("a", 600, 1, noon(), true)).await;
    world.run().await;
    // As it is after a kill before the row says that the objects are there.
    world
        .database
        .run("DELETE FROM champion_history; UPDATE champion SET version = NULL; UPDATE models SET stored_at = NULL")
        .await;
    let again = world.run().await;
    assert_eq!((again.outcome, again.version), (Outcome::Promoted, Some(1)), "{again:?}");
    assert_eq!(world.models().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_trainings_at_once_one_waits_and_both_leave_a_whole_champion() {
    let world = World::new().await;
    world.put(&customers("a", 600, 1, noon(), true)).await;
    let (one, two) = (world.another("one"), world.another("two"));
    let (one, two) = tokio::join!(one.run(), two.run());
    let mut outcomes = [one.unwrap().outcome, two.unwrap().outcome];
    outcomes.sort_by_key(|outcome| *outcome != Outcome::Promoted);
    assert_eq!(outcomes, [Outcome::Promoted, Outcome::Unchanged]);
    assert_eq!((world.models().await.len(), world.changes().await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_training_that_died_is_waited_for() {
    let world = World::new().await;
    assert!(leases::take(&world.train.mysql, "train", "another", Duration::from_secs(2)).await.unwrap());
    // It waits for the other one, which is dead, to lose its own.
    let answer = world.run().await;
    assert_eq!(answer.outcome, Outcome::TooLittleData);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_documents_are_away_a_training_fails_and_the_champion_stays() {
    let world = World::new().await;
    world.put(&customers("a", 600, 1, noon(), true)).await;
    world.run().await;
    let away = DocumentSettings {
        url: format!("mongodb://{}/?retryWrites=false", nowhere()),
        database: "millrace".into(),
        user: None,
        password: None,
        timeout: Duration::from_secs(2),
    };
    let mut train = world.another("without documents");
    train.documents = DocumentStore::connect(&away).await.unwrap();
    let error = train.run().await.expect_err("the documents are away");
    assert!(format!("{error:#}").starts_with("labelled customers: "), "{error:#}");
    assert_eq!((world.champion().await, world.models().await.len()), (Some(1), 1));
    // Its turn was given back: the next training does not wait.
    let begun = std::time::Instant::now();
    assert_eq!(world.run().await.outcome, Outcome::Unchanged);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}
