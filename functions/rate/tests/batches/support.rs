//! A database with a small operator, the function on it, and events for it.

use chrono::{DateTime, Duration, NaiveDate, TimeZone, Utc};
use millrace_domain::identity::{CellId, Destination, Msisdn};
use millrace_domain::reference::{Account, Operator, Plan, Subscription};
use millrace_domain::usage::{Service, UsageEvent};
use millrace_store_mysql::{MySqlPool, import, pool, schema};
use millrace_test_support::batches::batch;
use millrace_test_support::mysql::TestDatabase;
use millrace_wire::{PartialBatchResponse, reference, tariff, usage};
use rate::Rate;
use uuid::Uuid;

pub(crate) const TOPIC: &str = "usage-events";

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) pool: MySqlPool,
    pub(crate) rate: Rate,
}

/// The broker's time of records, unless a test says otherwise.
pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap()
}

impl Fixture {
    /// An operator with one number, 212600000001, whose calls cost 1.20 a minute.
    pub(crate) async fn new() -> Self {
        let fixture = Self::without_operator().await;
        import::operator(&fixture.pool, &operator()).await.unwrap();
        fixture.import_tariffs(&[("standard", "2025-01-01", None, "1.20")]).await;
        fixture.import_plan("basic", "standard").await;
        import::accounts(&fixture.pool, &[account("A-1")]).await.unwrap();
        fixture.subscribe("212600000001", "2025-01-01", None).await;
        fixture
    }

    pub(crate) async fn without_operator() -> Self {
        let database = TestDatabase::create().await;
        let pool = pool::with(database.options());
        schema::migrate(&pool, now()).await.unwrap();
        let rate = Rate::new(pool.clone(), Duration::days(400));
        Self { database, pool, rate }
    }

    /// The same operator, whose number has free seconds.
    pub(crate) async fn with_allowance(seconds: u64) -> Self {
        let fixture = Self::new().await;
        fixture.import_tariff("standard", "1.20", seconds).await;
        fixture
    }

    /// A tariff's only version.
    pub(crate) async fn import_tariff(&self, name: &str, price: &str, allowance: u64) {
        self.import(&[version(name, "2025-01-01", None, price, allowance)]).await;
    }

    pub(crate) async fn import_tariffs(&self, versions: &[(&str, &str, Option<&str>, &str)]) {
        let versions: Vec<_> =
            versions.iter().map(|(name, from, to, price)| version(name, from, *to, price, 0)).collect();
        self.import(&versions).await;
    }

    async fn import(&self, versions: &[serde_json::Value]) {
        let file = serde_json::to_vec(versions).unwrap();
        let versions = reference::parse_tariffs(&file, operator().timezone).unwrap();
        import::tariffs(&self.pool, &versions, tariff::write).await.unwrap();
    }

    pub(crate) async fn import_plan(&self, plan: &str, tariff: &str) {
        let plan = Plan {
            plan: plan.into(),
            description: "Basic".into(),
            fee: "9.99".parse().unwrap(),
            tariff: tariff.into(),
        };
        import::plans(&self.pool, &[plan]).await.unwrap();
    }

    pub(crate) async fn subscribe(&self, number: &str, from: &str, to: Option<&str>) {
        self.subscribe_to(number, from, to, "basic").await;
    }

    pub(crate) async fn subscribe_to(&self, number: &str, from: &str, to: Option<&str>, plan: &str) {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let subscription = Subscription {
            msisdn: Msisdn::parse(number).unwrap(),
            active_from: day(from),
            active_to: to.map(day),
            account_id: "A-1".into(),
            plan: plan.into(),
        };
        import::subscriptions(&self.pool, &[subscription]).await.unwrap();
    }

    /// Marks cycles as closed for account 1, as bill does.
    pub(crate) async fn close(&self, cycles: &[u32]) {
        for cycle in cycles {
            self.database
                .run(&format!(
                    "INSERT INTO closed_cycles (account_no, cycle, starts_at, ends_at, closed_at) \
                     VALUES (1, {cycle}, '2026-01-01', '2026-01-02', UTC_TIMESTAMP(3)); \
                     UPDATE cycle_gates SET latest_closed = GREATEST(latest_closed, {cycle}) WHERE cycle_day = 1"
                ))
                .await;
        }
    }

    /// Delivers values, and expects that the partition is done.
    pub(crate) async fn deliver(&self, partition: i32, first_offset: i64, at: DateTime<Utc>, values: &[Vec<u8>]) {
        let answer = self.rate.handle(&batch(TOPIC, partition, first_offset, at, values)).await.unwrap();
        assert_eq!(answer, PartialBatchResponse::default());
    }

    /// The events as they are stored, in the order in which they were.
    pub(crate) async fn events(&self) -> Vec<String> {
        self.database
            .texts(
                "SELECT CONCAT_WS(' ', HEX(event_id), started_at, day, service, subscriber, destination, usage_amount, cell, roaming, \
                 COALESCE(account_no, '-'), COALESCE(tariff_no, '-'), zone, COALESCE(amount, '-'), COALESCE(currency, '-'), rating_error) \
                 FROM usage_events ORDER BY seq",
            )
            .await
    }

    /// `partition: epoch next_offset past_records stored duplicates rejects` of each partition.
    pub(crate) async fn ledger(&self) -> Vec<String> {
        self.database
            .texts(
                "SELECT CONCAT(partition_no, ': ', CONCAT_WS(' ', epoch, next_offset, past_records, stored, duplicates, rejects)) \
                 FROM ledger ORDER BY partition_no",
            )
            .await
    }

    pub(crate) async fn rejects(&self) -> Vec<String> {
        self.database
            .texts("SELECT CONCAT_WS(' ', partition_no, epoch, offset_no, field, reason) FROM rejects ORDER BY partition_no, epoch, offset_no")
            .await
    }

    /// Everything that a batch changes.
    pub(crate) async fn tables(&self) -> Vec<Vec<String>> {
        let gaps = self
            .database
            .texts("SELECT CONCAT_WS(' ', partition_no, epoch, from_offset, to_offset) FROM ledger_gaps")
            .await;
        vec![self.events().await, self.ledger().await, self.rejects().await, gaps]
    }

    pub(crate) async fn empty(&self) {
        for table in ["usage_events", "ledger", "rejects", "ledger_gaps"] {
            self.database.run(&format!("DELETE FROM {table}")).await;
        }
    }
}

fn version(name: &str, from: &str, to: Option<&str>, price: &str, allowance: u64) -> serde_json::Value {
    serde_json::json!({"name": name, "valid_from": from, "valid_to": to, "tariff": {
        "currency": "MAD", "timezone": "Africa/Casablanca", "timings": {"any": {}},
        "rates": [{"service": "voice", "prefix": "212", "timing": "any", "weight": 1, "connect_fee": "0",
                   "steps": [{"from": 0, "price": price, "per": 60, "increment": 1}],
                   "zone": "national", "rounding": "half_up", "decimals": 4}],
        "allowances": [{"service": "voice", "amount": allowance}]}})
}

pub(crate) fn operator() -> Operator {
    Operator {
        name: "Atlas".into(),
        address: vec!["1 Rue".into(), "Casablanca".into()],
        currency: "MAD".into(),
        timezone: chrono_tz::Africa::Casablanca,
        tax_rate: "0.20".parse().unwrap(),
        invoice_prefix: "MR".into(),
        payment_days: 30,
        close_after_hours: 48,
        tax_id: String::new(),
        postcode: String::new(),
        city: String::new(),
        country: String::new(),
    }
}

pub(crate) fn account(account_id: &str) -> Account {
    Account {
        account_id: account_id.into(),
        name: "Amina".into(),
        segment: "consumer".into(),
        city: "Casablanca".into(),
        cycle_day: 1,
        tax_exempt: false,
        customer_id: String::new(),
        address: String::new(),
        postcode: String::new(),
        country: String::new(),
        tax_id: String::new(),
    }
}

/// Event `n`: a call of one minute by the operator's number, `n` seconds before noon.
pub(crate) fn event(n: u32) -> UsageEvent {
    UsageEvent {
        event_id: Uuid::from_u128(0x1000 + u128::from(n)),
        service: Service::Voice,
        subscriber: Msisdn::parse("212600000001").unwrap(),
        destination: Some(Destination::parse("+212611111111").unwrap()),
        started_at: now() - Duration::seconds(i64::from(n)),
        usage: 60,
        cell: Some(CellId::parse("CASA-0001").unwrap()),
        roaming: false,
    }
}

pub(crate) fn values(numbers: impl IntoIterator<Item = u32>) -> Vec<Vec<u8>> {
    numbers.into_iter().map(|n| usage::encode(&event(n))).collect()
}
