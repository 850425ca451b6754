//! A usual event costs no memory from the heap, from its line to its charge's line.
#![allow(unsafe_code, clippy::unwrap_used, reason = "an allocator that counts can only be written so")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use millrace_domain::rating::price;
use millrace_rating_filter::Filter;
use millrace_wire::{tariff, usage};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as asked of this one.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as asked of this one.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    work();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

const TARIFF: &[u8] = br#"{"currency":"MAD","timezone":"Africa/Casablanca",
    "timings":{"any":{},"peak":{"weekdays":["mon","tue","wed","thu","fri"],"from":"08:00","to":"19:00"}},
    "rates":[{"service":"voice","prefix":"212","timing":"any","weight":10,"connect_fee":"0.10",
    "steps":[{"from":0,"price":"0.60","per":60,"increment":60},{"from":60,"price":"0.60","per":60,"increment":1}],"rounding":"up","decimals":4},
    {"service":"voice","prefix":"212","timing":"peak","weight":20,"connect_fee":"0.10",
    "steps":[{"from":0,"price":"1.20","per":60,"increment":60}],"max_cost":"50","after_max":"free","rounding":"up","decimals":4},
    {"service":"data","prefix":"","timing":"any","weight":10,"connect_fee":"0",
    "steps":[{"from":0,"price":"0.20","per":1048576,"increment":10240}],"rounding":"half_up","decimals":4}],
    "allowances":[{"service":"voice","amount":3600}]}"#;

// One test: the count is the whole process's.
#[test]
fn a_usual_event_is_decoded_priced_and_answered_without_the_heap() {
    let tariff = tariff::parse(TARIFF).unwrap();
    let event = |service: &str, hour: u32, usage: u32| {
        format!(
            r#"{{"event_id":"3f2c1e0a-1111-4222-8333-444455556601","service":"{service}","subscriber":"212600000001","destination":"+212700000002","started_at":"2026-11-18T{hour:02}:30:15.123+01:00","usage":{usage},"cell":"CASA-012","roaming":false}}"#
        )
    };
    // Within a timing, over its edge and over two, beyond the allowance and the limit; data; no rate.
    let lines = [
        event("voice", 10, 61),
        event("voice", 18, 1800),
        event("voice", 7, 40_000),
        event("voice", 12, 9_000),
        event("data", 12, 123_456_789),
        event("sms", 12, 1),
    ];
    for line in &lines {
        let event = usage::decode_untimed(line.as_bytes()).unwrap();
        assert_eq!(allocations(|| drop(black_box(usage::decode_untimed(line.as_bytes())))), 0, "decode {line}");
        assert_eq!(allocations(|| drop(black_box(price(&tariff, &event, 60)))), 0, "price {line}");
    }
    let mut filter = Filter::new(&tariff);
    let mut answers = Vec::with_capacity(1 << 20);
    // The first time, the number's allowance gets its place.
    lines.iter().for_each(|line| filter.answer(line.as_bytes(), &mut answers));
    answers.clear();
    let counted = allocations(|| {
        (0..100).for_each(|_| lines[..5].iter().for_each(|line| filter.answer(line.as_bytes(), &mut answers)))
    });
    assert_eq!(counted, 0);
}
