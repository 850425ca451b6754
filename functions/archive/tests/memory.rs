//! What a run holds in memory does not grow with the rows of a day.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unsafe_code, reason = "an allocator that counts can only be written so")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use archive::Limits;
use millrace_store_mysql::archive::Dataset;
use support::{NUMBER, World};

#[allow(dead_code, reason = "the set-up of the other suite, of which this one needs a part")]
#[path = "archive/support.rs"]
mod support;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST_HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST_HELD.fetch_max(held, Ordering::Relaxed);
        // SAFETY: as asked of this one.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as asked of this one.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const KILO: u64 = 1 << 10;

impl World {
    /// Stores as many events again as there are, 16 Ki at most.
    async fn double(&self) {
        let columns = "started_at, day, service, subscriber, destination, usage_amount, cell, roaming, account_no, tariff_no, \
                       zone, amount, currency, rating_error, bill_cycle, allowance_used";
        let most = 16 * KILO;
        let sql = format!(
            "INSERT INTO usage_events (event_id, {columns}) \
             SELECT UNHEX(MD5(CONCAT(RAND(), HEX(event_id)))), {columns} FROM usage_events LIMIT {most}"
        );
        self.database.run(&sql).await;
    }

    /// Archives a day; the most that was held meanwhile beyond what was held before, and the size of its only file, in bytes.
    async fn measured(&self, stored: &str) -> (u64, u64) {
        let before = HELD.load(Ordering::Relaxed);
        MOST_HELD.store(before, Ordering::Relaxed);
        let limits = Limits { group_rows: 1_000, ..Limits::default() };
        let deadline = Instant::now() + Duration::from_secs(120);
        assert!(self.try_run_within(stored, limits, deadline).await.unwrap().finished);
        let most = MOST_HELD.load(Ordering::Relaxed) - before;
        let manifest = self.manifest(Dataset::UsageEvents, stored).await;
        assert_eq!(manifest.parts.len(), 1);
        (most as u64, manifest.parts[0].bytes)
    }
}

// One test: the count is the whole process's.
#[tokio::test(flavor = "multi_thread")]
async fn four_times_the_rows_take_no_more_memory_than_their_file() {
    let world = World::new().await;
    // What is made once is made before it counts.
    world.store(NUMBER, &["2026-02-28T08:00:00Z"]).await;
    world.stored_at("2026-02-28 12:00:00").await;
    world.measured("2026-02-28").await;

    for _ in 0..14 {
        world.double().await;
    }
    world.stored_at("2026-03-01 12:00:00").await;
    let (few, small) = world.measured("2026-03-01").await;
    assert_eq!(world.manifest(Dataset::UsageEvents, "2026-03-01").await.rows, 16 * KILO - 1);
    for _ in 0..4 {
        world.double().await;
    }
    world.stored_at("2026-03-02 12:00:00").await;
    let (many, large) = world.measured("2026-03-02").await;
    assert_eq!(world.manifest(Dataset::UsageEvents, "2026-03-02").await.rows, 64 * KILO);

    println!(
        "{} KiB for a file of {} KiB, then {} KiB for {} KiB",
        few / KILO,
        small / KILO,
        many / KILO,
        large / KILO
    );
    // The file's buffer doubles as it grows, and both are there while it does.
    let allowed = 3 * large + 4 * KILO * KILO;
    assert!(many < few + allowed, "{few} bytes, then {many} for a file of {large}");
    // An event takes 400 bytes and more.
    assert!(allowed < 48 * KILO * 400, "so large a file would hide that all rows are held: {large} bytes");
}
