//! A small operator in Paris on a database of its own, with events that are stored as they are in life.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bill::{Answer, Bill, Request};
use chrono::{DateTime, Utc};
use millrace_domain::billing::Invoice;
use millrace_domain::cycles::Cycle;
use millrace_domain::identity::{Destination, Msisdn};
use millrace_domain::reference::{Account, Operator, Plan, Subscription};
use millrace_domain::usage::{Service, UsageEvent};
use millrace_store_mysql::batch::{Incoming, Original, Originals, Record, Source};
use millrace_store_mysql::billing::{self, BillingError};
use millrace_store_mysql::cache::{self, Feed};
use millrace_store_mysql::reference::ReferenceCache;
use millrace_store_mysql::rerate::{self, Pace, Period};
use millrace_store_mysql::{MySqlPool, import, pool, schema, usage};
use millrace_test_support::mysql::TestDatabase;
use millrace_test_support::pages::billing_check;
use millrace_wire::{reference, tariff};
use uuid::Uuid;

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) pool: MySqlPool,
    next: AtomicU64,
}

/// The clock of most runs.
pub(crate) fn may() -> DateTime<Utc> {
    "2026-05-05T10:00:00.123456Z".parse().unwrap()
}

pub(crate) fn cycle(text: &str) -> Cycle {
    Cycle::parse(text).unwrap()
}

impl Fixture {
    /// Numbers cost 31.00 a cycle; each started minute 0.3333 and a message 0.0049.
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let pool = pool::with(database.options());
        schema::migrate(&pool, may()).await.unwrap();
        let fixture = Self { database, pool, next: AtomicU64::new(0) };
        import::operator(&fixture.pool, &operator()).await.unwrap();
        fixture.tariff("0.3333", false).await;
        fixture.plan("basic", "31.00").await;
        fixture.plan("free", "0").await;
        fixture
    }

    /// The tariff, with a price for data or without.
    pub(crate) async fn tariff(&self, minute: &str, data: bool) {
        let rate = |service: &str, zone: &str, price: &str, per: u32| {
            serde_json::json!({"service": service, "prefix": "", "timing": "any", "weight": 1, "connect_fee": "0",
                "steps": [{"from": 0, "price": price, "per": per, "increment": per}],
                "zone": zone, "rounding": "half_up", "decimals": 4})
        };
        let mut rates = vec![rate("voice", "national", minute, 60), rate("sms", "all", "0.0049", 1)];
        if data {
            rates.push(rate("data", "internet", "0.5000", 1000));
        }
        let file = serde_json::json!([{"name": "standard", "valid_from": "2025-01-01", "valid_to": null, "tariff": {
            "currency": "EUR", "timezone": "Europe/Paris", "timings": {"any": {}}, "rates": rates, "allowances": []}}]);
        let versions = reference::parse_tariffs(file.to_string().as_bytes(), operator().timezone).unwrap();
        import::tariffs(&self.pool, &versions, tariff::write).await.unwrap();
    }

    pub(crate) async fn plan(&self, plan: &str, fee: &str) {
        let (fee, plan) = (fee.parse().unwrap(), plan.to_owned());
        let plan = Plan { description: format!("Plan {plan}"), plan, fee, tariff: "standard".into() };
        import::plans(&self.pool, &[plan]).await.unwrap();
    }

    /// An account with one number since 2025.
    pub(crate) async fn account(&self, account_id: &str, cycle_day: u8, msisdn: &str, plan: &str) {
        import::accounts(&self.pool, &[account(account_id, cycle_day)]).await.unwrap();
        self.subscribe(account_id, msisdn, plan, "2025-01-01", None).await;
    }

    pub(crate) async fn subscribe(&self, account_id: &str, msisdn: &str, plan: &str, from: &str, to: Option<&str>) {
        let subscription = Subscription {
            msisdn: Msisdn::parse(msisdn).unwrap(),
            active_from: from.parse().unwrap(),
            active_to: to.map(|to| to.parse().unwrap()),
            account_id: account_id.into(),
            plan: plan.into(),
        };
        import::subscriptions(&self.pool, &[subscription]).await.unwrap();
    }

    /// Stores events as a batch: subscriber, service, start, usage.
    pub(crate) async fn store(&self, events: &[(&str, Service, &str, u64)]) {
        let from = self.next.fetch_add(events.len() as u64, Ordering::SeqCst);
        store(&self.pool, 0, from, events).await;
    }

    pub(crate) fn bill(&self, clock: fn() -> DateTime<Utc>) -> Bill {
        Bill { pool: self.pool.clone(), holder: format!("test {}", Uuid::new_v4()), clock }
    }

    /// Bills a cycle on 5 May.
    pub(crate) async fn run(&self, name: &str) -> Answer {
        self.try_run(name).await.unwrap()
    }

    pub(crate) async fn try_run(&self, name: &str) -> Result<Answer, BillingError> {
        let request = Request::Cycle { cycle: cycle(name), as_of: None };
        self.bill(may).run(&request, Instant::now() + Duration::from_secs(60)).await
    }

    /// Prices all that is stored again.
    pub(crate) async fn rerate(&self) {
        let reference = ReferenceCache::new(tariff::parse_stored);
        let period = Period {
            from: "2026-01-01T00:00:00Z".parse().unwrap(),
            to: "2026-12-01T00:00:00Z".parse().unwrap(),
            subscriber: None,
        };
        rerate::run(&self.pool, &reference, &period, Pace::default(), &mut |_| {}).await.unwrap();
    }

    /// Cancels an invoice.
    pub(crate) async fn credit(&self, number: &str) -> Invoice {
        self.try_credit(number).await.unwrap()
    }

    pub(crate) async fn try_credit(&self, number: &str) -> Result<Invoice, BillingError> {
        let operator = operator();
        let work = billing::cancel(&self.pool, "test", &operator, number, "wrong plan", may);
        billing::in_turn(&self.pool, "test", Instant::now() + Duration::from_secs(5), work).await
    }

    /// Has the cache sum up what is open, as it does each minute.
    pub(crate) async fn fold(&self) {
        let reach = cache::reach(&self.pool, Feed::UsageEvents).await.unwrap();
        assert!(cache::fold(&self.pool, reach.seq).await.unwrap().complete);
    }

    /// Runs the SQL check of `docs/billing.md` as it stands there: both of its sums are `charged`.
    pub(crate) async fn assert_adds_up(&self, charged: &str) {
        self.fold().await;
        assert_eq!(self.database.texts(&billing_check()).await, [format!("{charged} {charged}")]);
    }

    /// `number account cycle net tax total rounding status` of each invoice. The days to pay may have passed by the database's clock.
    pub(crate) async fn invoices(&self) -> Vec<String> {
        self.database
            .texts(
                "SELECT CONCAT_WS(' ', invoice_number, account_id, cycle, CAST(net AS DECIMAL(18,2)), CAST(tax AS DECIMAL(18,2)), \
                 CAST(total AS DECIMAL(18,2)), rounding, REPLACE(status, 'overdue', 'issued')) FROM bi_invoices ORDER BY invoice_number",
            )
            .await
    }

    /// `number/line kind msisdn service zone own_cycle quantity unit net` of each line.
    pub(crate) async fn lines(&self) -> Vec<String> {
        self.database
            .texts(
                "SELECT CONCAT_WS(' ', CONCAT(RIGHT(invoice_number, 1), '/', line_no), kind, msisdn, IF(service = '', '-', service), \
                 IF(zone = '', '-', zone), IF(own_cycle = '', '-', own_cycle), quantity, unit, CAST(net AS DECIMAL(18,2))) \
                 FROM bi_invoice_lines ORDER BY invoice_number, line_no",
            )
            .await
    }

    /// Everything that billing writes.
    pub(crate) async fn tables(&self) -> Vec<Vec<String>> {
        let mut tables = vec![self.invoices().await, self.lines().await];
        for sql in [
            "SELECT CONCAT_WS(' ', account_no, cycle, starts_at, ends_at, closed_at, invoiced) FROM closed_cycles ORDER BY 1",
            "SELECT CONCAT_WS(' ', year, last) FROM invoice_numbers ORDER BY 1",
            "SELECT CONCAT_WS(' ', cycle_day, latest_closed) FROM cycle_gates ORDER BY cycle_day",
            "SELECT CONCAT_WS(' ', invoice_id, invoice_number, issued_at) FROM invoices ORDER BY invoice_id",
        ] {
            tables.push(self.database.texts(sql).await);
        }
        tables
    }
}

/// Stores events of one partition.
pub(crate) async fn store(pool: &MySqlPool, partition: u32, from: u64, events: &[(&str, Service, &str, u64)]) {
    let records = events.iter().zip(from..).map(|((subscriber, service, started_at, usage), offset)| Record {
        offset,
        recorded_at: may(),
        content: Ok(UsageEvent {
            event_id: Uuid::new_v4(),
            service: *service,
            subscriber: Msisdn::parse(subscriber).unwrap(),
            destination: (*service != Service::Data).then(|| Destination::parse("33700000000").unwrap()),
            started_at: started_at.parse().unwrap(),
            usage: *usage,
            cell: None,
            roaming: false,
        }),
    });
    let source = Source { topic: "usage-events", partition, records: events.len() };
    let reference = ReferenceCache::new(tariff::parse_stored);
    let stored = usage::store(pool, &reference, source, Incoming::ready(records.collect()), &NoRejects).await.unwrap();
    assert_eq!(stored.stored.counts.stored, events.len() as u64);
}

/// No record is refused here.
struct NoRejects;

impl Originals for NoRejects {
    fn original(&self, _: u64) -> Original {
        Original::default()
    }
}

pub(crate) fn operator() -> Operator {
    Operator {
        name: "Seine Mobile".into(),
        address: vec!["1, rue de Rivoli".into(), "Bat. B".into()],
        currency: "EUR".into(),
        timezone: chrono_tz::Europe::Paris,
        tax_rate: "0.20".parse().unwrap(),
        invoice_prefix: "MR".into(),
        payment_days: 30,
        close_after_hours: 48,
        tax_id: "FR1".into(),
        postcode: "75001".into(),
        city: "Paris".into(),
        country: "FR".into(),
    }
}

pub(crate) fn account(account_id: &str, cycle_day: u8) -> Account {
    Account {
        account_id: account_id.into(),
        name: format!("Customer {account_id}"),
        segment: "consumer".into(),
        city: "Lyon".into(),
        cycle_day,
        tax_exempt: false,
        customer_id: String::new(),
        address: "2, quai\nEscalier A".into(),
        postcode: "69001".into(),
        country: "FR".into(),
        tax_id: "FR2".into(),
    }
}
