//! Days become files, once.

use std::time::{Duration, Instant};

use archive::{Limits, part_key};
use millrace_store_mysql::archive::Dataset;
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::rerate::{self, Pace, Period};
use millrace_wire::tariff;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::support::{NUMBER, World, day};

fn days(archived: &archive::Archived) -> Vec<String> {
    let shown = archived.days.iter();
    shown.map(|day| format!("{} {} {} rows in {}", day.dataset, day.stored, day.rows, day.parts)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_day_is_written_once_with_everything_that_was_stored() {
    let world = World::new().await;
    world.store(NUMBER, &["2026-02-28T23:00:00Z", "2026-03-01T08:00:00.125Z", "2026-03-01T09:00:00Z"]).await;
    world.store("46799999999", &["2026-03-01T10:00:00Z"]).await;
    world.observe("c-1", Some(true)).await;
    world.observe("c-2", None).await;
    world.stored_at("2026-03-01 12:00:00.5").await;
    world.store(NUMBER, &["2026-03-01T11:00:00Z"]).await;

    let archived = world.run("2026-03-01").await;
    assert!(archived.finished);
    assert_eq!(days(&archived), ["usage-events 2026-03-01 4 rows in 2", "customers 2026-03-01 2 rows in 1"]);

    let manifest = world.manifest(Dataset::UsageEvents, "2026-03-01").await;
    assert_eq!((manifest.rows, manifest.parts.len()), (4, 2));
    assert_eq!(manifest.months.iter().map(|(m, n)| format!("{m} {n}")).collect::<Vec<_>>(), ["2026-02 1", "2026-03 3"]);
    let parts: Vec<_> = manifest.parts.iter().map(|part| (part.file.as_str(), part.rows)).collect();
    assert_eq!(parts, [("part-00000.parquet", 3), ("part-00001.parquet", 1)]);

    let rows = world.rows(Dataset::UsageEvents, "2026-03-01").await;
    assert_eq!(rows.len(), 4);
    for said in [
        "service=\"voice\" subscriber=\"46700000001\" destination=\"33700000000\" started_at=2026-03-01 08:00:00.125 +00:00 usage=60 \
         roaming=false account_id=\"A-1\" customer_id=\"A-1\" cycle_day=1 tariff_no=1 zone=\"national\" amount=0.2500 currency=\"EUR\" \
         bill_cycle=\"2026-03\" allowance_used=0",
        "stored_at=2026-03-01 12:00:00.500 +00:00",
    ] {
        assert!(rows[1].contains(said), "{}\nlacks {said}", rows[1]);
    }
    assert!(rows[3].ends_with("roaming=false rating_error=\"no_subscription\" allowance_used=0"), "{}", rows[3]);
    let customers = world.rows(Dataset::Customers, "2026-03-01").await;
    assert!(customers[0].contains("total_intl_minutes=4.5 total_intl_calls=5") && customers[0].ends_with("churn=true"));
    assert!(customers[1].ends_with("customer_service_calls=1"), "{}", customers[1]);

    let before = world.everything().await;
    assert_eq!(days(&world.run("2026-03-01").await), [] as [&str; 0], "the second run has nothing to do");
    assert_eq!(world.everything().await, before);
}

/// The rows of each group of each file of a day.
async fn groups(world: &World, stored: &str) -> Vec<Vec<i64>> {
    let mut groups = Vec::new();
    for part in 0..world.manifest(Dataset::UsageEvents, stored).await.parts.len() {
        let key = part_key(Dataset::UsageEvents, day(stored), part as u32);
        let reader = SerializedFileReader::new(world.objects.get(&key).await.unwrap().body).unwrap();
        groups.push(reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect());
    }
    groups
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_written_group_by_group_and_a_file_ends_when_it_is_large() {
    let world = World::new().await;
    let deadline = || Instant::now() + Duration::from_secs(60);
    world.store(NUMBER, &["2026-03-01T08:00:00Z"; 5]).await;
    world.stored_at("2026-03-01 12:00:00").await;
    let limits = Limits { group_rows: 2, ..Limits::default() };
    world.try_run_within("2026-03-01", limits, deadline()).await.unwrap();
    assert_eq!(groups(&world, "2026-03-01").await, [[2, 2, 1]]);

    world.store(NUMBER, &["2026-03-02T08:00:00Z"; 5]).await;
    world.stored_at("2026-03-02 12:00:00").await;
    // Every group is larger than that, so that each ends its file.
    let limits = Limits { part_bytes: 100, ..limits };
    world.try_run_within("2026-03-02", limits, deadline()).await.unwrap();
    assert_eq!(groups(&world, "2026-03-02").await, [vec![2], vec![2], vec![1]]);
    assert_eq!(world.rows(Dataset::UsageEvents, "2026-03-02").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_were_missed_are_caught_up_and_one_without_rows_is_there_too() {
    let world = World::new().await;
    world.store(NUMBER, &["2026-03-01T08:00:00Z"]).await;
    world.stored_at("2026-03-01 12:00:00").await;
    world.store(NUMBER, &["2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z"]).await;
    world.stored_at("2026-03-03 12:00:00").await;
    let expected = [("2026-03-01", 1, 1), ("2026-03-02", 0, 0), ("2026-03-03", 2, 1)];
    let expected = expected.map(|(day, rows, parts)| format!("usage-events {day} {rows} rows in {parts}"));
    assert_eq!(days(&world.run("2026-03-03").await), expected);
    assert_eq!(world.manifest(Dataset::UsageEvents, "2026-03-02").await.parts, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_stored_around_midnight_each_stand_in_their_own_day() {
    let world = World::new().await;
    world.store(NUMBER, &["2026-03-01T08:00:00Z"; 5]).await;
    for (seq, time) in [(1, "01 23:59:59"), (2, "02 00:00:00"), (3, "01 23:59:59.999"), (4, "02 09:00:00")] {
        let sql = format!("UPDATE usage_events SET stored_at = '2026-03-{time}' WHERE seq = {seq}");
        world.database.run(&sql).await;
    }
    assert_eq!(days(&world.run("2026-03-01").await), ["usage-events 2026-03-01 2 rows in 1"]);
    assert_eq!(days(&world.run("2026-03-02").await), ["usage-events 2026-03-02 2 rows in 1"]);
    let seqs = |rows: Vec<String>| -> Vec<String> {
        rows.iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(seqs(world.rows(Dataset::UsageEvents, "2026-03-01").await), ["seq=1", "seq=3"]);
    assert_eq!(seqs(world.rows(Dataset::UsageEvents, "2026-03-02").await), ["seq=2", "seq=4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_bears_the_date_of_an_archived_day_goes_with_the_next_one() {
    let world = World::new().await;
    world.store(NUMBER, &["2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z"]).await;
    world.stored_at("2026-03-01 12:00:00").await;
    world.run("2026-03-01").await;
    // The database's clock was set back.
    world.store(NUMBER, &["2026-03-01T10:00:00Z"]).await;
    world.stored_at("2026-02-27 12:00:00").await;
    world.store(NUMBER, &["2026-03-01T11:00:00Z"]).await;
    world.stored_at("2026-03-02 12:00:00").await;
    assert_eq!(days(&world.run("2026-03-02").await), ["usage-events 2026-03-02 2 rows in 1"]);
    assert_eq!(days(&world.run("2026-03-03").await), ["usage-events 2026-03-03 0 rows in 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_any_moment_is_gone_on_with() {
    let world = World::new().await;
    let times = vec!["2026-03-01T08:00:00Z"; 90];
    world.store(NUMBER, &times).await;
    world.observe("c-1", Some(false)).await;
    world.stored_at("2026-03-01 12:00:00").await;
    let mut patience = Duration::from_millis(20);
    let mut killed = 0;
    while !world.run_for(patience).await {
        killed += 1;
        let busy = world.try_run("2026-03-01", 3, Instant::now() + Duration::from_secs(60)).await;
        if let Err(busy) = busy {
            assert!(busy.to_string().starts_with("another run of archive is at work"), "{busy}");
        }
        world.database.run("UPDATE leases SET expires_at = '2026-01-01'").await;
        patience += Duration::from_millis(20);
    }
    assert!(killed > 0, "the first run had 20 ms");
    let manifest = world.manifest(Dataset::UsageEvents, "2026-03-01").await;
    assert_eq!((manifest.rows, manifest.parts.len()), (90, 30));
    let mut rows = world.rows(Dataset::UsageEvents, "2026-03-01").await;
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), 90);
    assert_eq!(world.manifest(Dataset::Customers, "2026-03-01").await.rows, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_noted_before_the_manifest_is_not_written_again() {
    let world = World::new().await;
    world.store(NUMBER, &["2026-03-01T08:00:00Z"; 7]).await;
    world.stored_at("2026-03-01 12:00:00").await;
    let unfinished = world.try_run("2026-03-01", 3, Instant::now()).await.unwrap();
    assert_eq!((days(&unfinished).len(), unfinished.finished), (0, false), "its time was over before the first file");
    world.run("2026-03-01").await;
    let whole = world.manifest(Dataset::UsageEvents, "2026-03-01").await;
    // As a run leaves it that ends before the third file is noted.
    world
        .database
        .run("DELETE FROM archived_days; DELETE FROM archived_parts WHERE part_no = 2; DELETE FROM archived_months WHERE part_no = 2")
        .await;
    assert_eq!(days(&world.run("2026-03-01").await), ["usage-events 2026-03-01 7 rows in 3"]);
    assert_eq!(world.manifest(Dataset::UsageEvents, "2026-03-01").await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_re_rating_changes_is_archived_beside_the_charge_as_it_was() {
    let world = World::new().await;
    world.store(NUMBER, &["2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z"]).await;
    world.stored_at("2026-03-01 12:00:00").await;
    world.run("2026-03-01").await;
    world.reprice("0.25", "0.75").await;
    let period = Period {
        from: "2026-03-01T00:00:00Z".parse().unwrap(),
        to: "2026-03-01T08:30:00Z".parse().unwrap(),
        subscriber: None,
    };
    let reference = ReferenceCache::new(tariff::parse_stored);
    rerate::run(&world.pool, &reference, &period, Pace::default(), &mut |_| {}).await.unwrap();
    world.stored_at("2026-03-02 12:00:00").await;
    world.store(NUMBER, &["2026-03-02T08:00:00Z"]).await;
    world.stored_at("2026-03-02 13:00:00").await;

    let expected = ["usage-events 2026-03-02 1 rows in 1", "adjustments 2026-03-02 1 rows in 1"];
    assert_eq!(days(&world.run("2026-03-02").await), expected);
    let seen = |parts: &[archive::ManifestPart]| parts[0].adjustments_seq;
    assert_eq!(seen(&world.manifest(Dataset::UsageEvents, "2026-03-01").await.parts), 0);
    assert_eq!(seen(&world.manifest(Dataset::UsageEvents, "2026-03-02").await.parts), 1);
    assert!(world.rows(Dataset::UsageEvents, "2026-03-01").await[0].contains("amount=0.2500"));
    let adjustment = &world.rows(Dataset::Adjustments, "2026-03-02").await[0];
    assert!(
        adjustment.contains("old_amount=0.2500 new_account_id=\"A-1\" new_bill_cycle=\"2026-03\" new_amount=0.7500")
    );
    assert!(adjustment.ends_with("difference=0.5000"), "{adjustment}");
}
