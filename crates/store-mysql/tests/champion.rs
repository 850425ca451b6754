//! Models and the champion on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::Utc;
use millrace_store_mysql::champion::{self, ChangeError, ChangeKind};
use millrace_store_mysql::models::{self, NewModel};
use millrace_store_mysql::{MySqlPool, pool, schema};
use millrace_test_support::mysql::TestDatabase;

struct World {
    pool: MySqlPool,
    _database: TestDatabase,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let pool = pool::with(database.options());
        schema::migrate(&pool, Utc::now()).await.unwrap();
        Self { pool, _database: database }
    }

    /// Registers models and notes that they are stored.
    async fn models<const N: usize>(&self) -> [u32; N] {
        let mut versions = [0; N];
        for version in &mut versions {
            *version = self.register().await;
            assert!(models::stored(&self.pool, *version).await.unwrap());
        }
        versions
    }

    async fn register(&self) -> u32 {
        let sha256 = "0123456789abcdef".repeat(4);
        let model = NewModel { candidate: "boosted trees", schema_version: 1, sha256: &sha256 };
        models::register(&self.pool, &model).await.unwrap()
    }

    async fn promote(&self, version: u32, before: Option<u32>) -> Result<(), ChangeError> {
        champion::promote(&self.pool, version, before, "train", "better by 0.01").await
    }

    async fn roll_back(&self, before: Option<u32>, reason: &str) -> Result<u32, ChangeError> {
        champion::rollback(&self.pool, before, "op", reason).await
    }

    async fn champion(&self) -> Option<u32> {
        champion::current(&self.pool).await.unwrap().map(|champion| champion.model.version)
    }
}

#[tokio::test]
async fn a_model_without_stored_objects_is_no_champion() {
    let world = World::new().await;
    let version = world.register().await;
    let error = world.promote(version, None).await.unwrap_err();
    assert_eq!(error.to_string(), "model version 1 has no stored artefact");
    assert!(models::stored(&world.pool, version).await.unwrap());
    world.promote(version, None).await.unwrap();
    let champion = champion::current(&world.pool).await.unwrap().unwrap();
    assert_eq!(Some(champion.model), models::get(&world.pool, version).await.unwrap());
    assert!(!models::stored(&world.pool, 99).await.unwrap());
    let error = world.promote(99, Some(version)).await.unwrap_err();
    assert_eq!(error.to_string(), "model version 99 is unknown");
    let error = world.promote(version, Some(version)).await.unwrap_err();
    assert_eq!(error.to_string(), "model version 1 is the champion already");
}

#[tokio::test]
async fn of_two_trainings_at_once_one_finds_another_champion_than_it_beat() {
    let world = World::new().await;
    let [one, two, three] = world.models().await;
    world.promote(one, None).await.unwrap();
    let (a, b) = tokio::join!(world.promote(two, Some(one)), world.promote(three, Some(one)));
    let (winner, lost) = if a.is_ok() { (two, b) } else { (three, a) };
    assert!(matches!(
        lost,
        Err(ChangeError::Superseded { current, expected }) if current == Some(winner) && expected == Some(one)
    ));
    assert_eq!(world.champion().await, Some(winner));
    assert_eq!(champion::history(&world.pool, 10).await.unwrap().len(), 2);
    let error = world.promote(one, None).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the champion is version {winner}, expected none"));
}

#[tokio::test]
async fn rollbacks_go_back_one_champion_after_another() {
    let world = World::new().await;
    let [one, two, three] = world.models().await;
    assert!(matches!(world.roll_back(None, "").await, Err(ChangeError::NoneBefore)));
    world.promote(one, None).await.unwrap();
    assert!(matches!(world.roll_back(Some(one), "").await, Err(ChangeError::NoneBefore)));
    world.promote(two, Some(one)).await.unwrap();
    world.promote(three, Some(two)).await.unwrap();
    assert_eq!(champion::previous(&world.pool).await.unwrap(), Some(two));
    assert_eq!(world.roll_back(Some(three), "worse live").await.unwrap(), two);
    assert_eq!(world.roll_back(Some(two), "").await.unwrap(), one);
    assert!(matches!(world.roll_back(Some(one), "").await, Err(ChangeError::NoneBefore)));
    world.promote(three, Some(one)).await.unwrap();
    assert_eq!(world.roll_back(Some(three), "").await.unwrap(), one);
    let history = champion::history(&world.pool, 10).await.unwrap();
    let told: Vec<_> = history.iter().rev().map(|change| (change.kind, change.before, change.version)).collect();
    use ChangeKind::{Promoted, RolledBack};
    assert_eq!(
        told,
        [
            (Promoted, None, one),
            (Promoted, Some(one), two),
            (Promoted, Some(two), three),
            (RolledBack, Some(three), two),
            (RolledBack, Some(two), one),
            (Promoted, Some(one), three),
            (RolledBack, Some(three), one),
        ]
    );
    assert_eq!((history[3].changed_by.as_str(), history[3].reason.as_str()), ("op", "worse live"));
    let newest: Vec<u32> = models::newest(&world.pool, 2).await.unwrap().iter().map(|model| model.version).collect();
    assert_eq!(newest, [three, two]);
}

#[tokio::test]
async fn of_two_rollbacks_at_once_one_finds_another_champion_than_it_was_to_take_back() {
    let world = World::new().await;
    let [one, two, three] = world.models().await;
    world.promote(one, None).await.unwrap();
    world.promote(two, Some(one)).await.unwrap();
    world.promote(three, Some(two)).await.unwrap();
    let (a, b) = tokio::join!(world.roll_back(Some(three), "a"), world.roll_back(Some(three), "b"));
    let (back, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    assert_eq!(back.unwrap(), two);
    assert_eq!(lost.unwrap_err().to_string(), "the champion is version 2, expected version 3");
    assert_eq!(world.champion().await, Some(two));
}
