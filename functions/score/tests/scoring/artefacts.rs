use std::time::{Duration, Instant};

use bytes::Bytes;
use millrace_store_mysql::models::{self, NewModel};
use millrace_store_objects::{ModelObjectError, artefact_key};

use crate::world::{World, by_day_minutes, model, snapshot};

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_artefact_is_refused_and_the_last_good_model_goes_on() {
    let world = World::new().await;
    let good = world.train(&by_day_minutes()).await;
    world.promote(good).await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None)]).await;

    let corrupt = world.train(&model("total_day_minutes", -0.02)).await;
    let sound = world.objects.get(&artefact_key(corrupt)).await.unwrap().body;
    let bytes: Vec<u8> = sound.iter().copied().chain(*b" ").collect();
    world.objects.put_artefact(corrupt, Bytes::from(bytes)).await.unwrap();
    world.promote(corrupt).await;
    world.deliver(&[snapshot("C-1", 2, 300.0, None)]).await;
    assert_eq!(world.scores().await, ["C-1 1 1 88 1", "C-1 2 1 88 1"]);

    // A process that has no good model keeps the snapshot for later.
    let fresh = world.another_process();
    world.deliver_at(&fresh, 2, &[snapshot("C-1", 3, 300.0, None)]).await;
    assert_eq!((world.count("churn_scores").await, world.count("unscored_snapshots").await), ("2".into(), "1".into()));

    let sha256 = models::get(&world.mysql, corrupt).await.unwrap().unwrap().sha256;
    let error = world.objects.artefact(corrupt, &sha256, Duration::from_secs(5)).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("models/2/artefact.json is corrupt: expected SHA-256 {sha256}, found ")),
        "{said}"
    );

    // Once it is sound again, so is scoring: another process need not wait.
    world.objects.put_artefact(corrupt, sound).await.unwrap();
    let mended = world.another_process();
    let left = mended.score_left(Instant::now() + Duration::from_secs(30)).await.unwrap();
    assert_eq!((left.scored, left.waiting), (1, 0));
    assert_eq!(world.scores().await[2], "C-1 3 2 12 0");
    world.documents.clear().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artefact_that_is_missing_or_no_model_is_refused() {
    let world = World::new().await;
    let good = world.train(&by_day_minutes()).await;
    world.promote(good).await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None)]).await;

    let missing = world.train(&model("total_day_minutes", -0.02)).await;
    world.objects.delete(&artefact_key(missing)).await.unwrap();
    world.promote(missing).await;
    world.deliver(&[snapshot("C-1", 2, 300.0, None)]).await;
    let error = world.objects.artefact(missing, "", Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(&error, ModelObjectError::Missing(key) if key == "models/2/artefact.json"), "{error}");

    let bytes = Bytes::from_static(br#"{"schema_version":999}"#);
    let sha256 = millrace_churn_model::checksum(&bytes);
    let no_model = NewModel { candidate: "of the future", schema_version: 999, sha256: &sha256 };
    let no_model = models::register(&world.mysql, &no_model).await.unwrap();
    world.objects.put_artefact(no_model, bytes).await.unwrap();
    models::stored(&world.mysql, no_model).await.unwrap();
    world.promote(no_model).await;
    world.deliver(&[snapshot("C-1", 3, 300.0, None)]).await;
    assert_eq!(world.scores().await, ["C-1 1 1 88 1", "C-1 2 1 88 1", "C-1 3 1 88 1"]);
    world.documents.clear().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_object_store_is_away_the_loaded_model_scores_and_a_new_process_stores() {
    let mut world = World::new().await;
    world.promote(world.train(&by_day_minutes()).await).await;
    world.deliver(&[snapshot("C-1", 1, 300.0, None)]).await;
    let another = world.train(&model("total_day_minutes", -0.02)).await;
    world.promote(another).await;
    drop(world.server.take());

    let begun = Instant::now();
    world.deliver(&[snapshot("C-1", 2, 300.0, None)]).await;
    let fresh = world.another_process();
    world.deliver_at(&fresh, 2, &[snapshot("C-2", 2, 300.0, None)]).await;
    world.deliver_at(&fresh, 3, &[snapshot("C-3", 2, 300.0, None)]).await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(world.scores().await, ["C-1 1 1 88 1", "C-1 2 1 88 1"]);
    assert_eq!(world.count("unscored_snapshots").await, "2");
    world.documents.clear().await.unwrap();
}
