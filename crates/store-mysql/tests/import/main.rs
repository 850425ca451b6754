//! Imports of reference data on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod closed;
mod payments;

use chrono::{DateTime, NaiveDate, Utc};
use millrace_domain::identity::{CellId, Msisdn, SensorId};
use millrace_domain::reference::{
    Account, Cell, Operator, PartialThresholds, Plan, Sensor, Subscription, TariffVersion,
};
use millrace_domain::tariffs::{Tariff, TariffSpec};
use millrace_store_mysql::import::{self, ImportError, Imported};
use millrace_store_mysql::{MySqlPool, pool, schema, world};
use millrace_test_support::mysql::TestDatabase;

async fn fixture() -> (TestDatabase, MySqlPool) {
    let database = TestDatabase::create().await;
    let pool = pool::with(database.options());
    schema::migrate(&pool, "2026-11-20T12:00:00Z".parse().unwrap()).await.unwrap();
    (database, pool)
}

fn operator(currency: &str) -> Operator {
    Operator {
        name: "Atlas".into(),
        address: vec!["1 Rue".into(), "Casablanca".into()],
        currency: currency.into(),
        timezone: chrono_tz::Africa::Casablanca,
        tax_rate: "0.20".parse().unwrap(),
        invoice_prefix: "MR".into(),
        payment_days: 30,
        close_after_hours: 48,
        tax_id: "T".into(),
        postcode: "20000".into(),
        city: "Casablanca".into(),
        country: "MA".into(),
    }
}

fn version(name: &str, from: &str, to: Option<&str>, currency: &str) -> TariffVersion {
    let at = |text: &str| format!("{text}T00:00:00Z").parse::<DateTime<Utc>>().unwrap();
    let spec = TariffSpec {
        currency: currency.into(),
        timezone: chrono_tz::Africa::Casablanca,
        timings: Vec::new(),
        rates: Vec::new(),
        allowances: Vec::new(),
    };
    TariffVersion { name: name.into(), valid_from: at(from), valid_to: to.map(at), tariff: Tariff::new(spec).unwrap() }
}

fn write(tariff: &Tariff) -> String {
    format!(r#"{{"currency":"{}"}}"#, tariff.currency())
}

fn plan(plan: &str, fee: &str) -> Plan {
    Plan { plan: plan.into(), description: "d".into(), fee: fee.parse().unwrap(), tariff: "standard".into() }
}

fn account(account_id: &str, city: &str) -> Account {
    Account {
        account_id: account_id.into(),
        name: "Amina".into(),
        segment: "consumer".into(),
        city: city.into(),
        cycle_day: 5,
        tax_exempt: false,
        customer_id: format!("C-{account_id}"),
        address: "2 Rue".into(),
        postcode: "1".into(),
        country: "MA".into(),
        tax_id: String::new(),
    }
}

fn subscription(number: &str, from: &str, to: Option<&str>, account_id: &str) -> Subscription {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    Subscription {
        msisdn: Msisdn::parse(number).unwrap(),
        active_from: day(from),
        active_to: to.map(day),
        account_id: account_id.into(),
        plan: "basic".into(),
    }
}

fn imported(added: u64, changed: u64, unchanged: u64) -> Imported {
    Imported { added, changed, unchanged }
}

/// `row field` of each refusal.
fn refusals(outcome: Result<Imported, ImportError>) -> Vec<String> {
    match outcome {
        Err(ImportError::Refused(errors)) => {
            errors.iter().map(|error| format!("{} {}", error.row, error.field)).collect()
        }
        other => panic!("expected refusals: {other:?}"),
    }
}

async fn basics(pool: &MySqlPool) {
    import::operator(pool, &operator("MAD")).await.unwrap();
    import::tariffs(pool, &[version("standard", "2026-01-01", None, "MAD")], write).await.unwrap();
    import::plans(pool, &[plan("basic", "9.99")]).await.unwrap();
    import::accounts(pool, &[account("A-1", "Rabat"), account("A-2", "Fes")]).await.unwrap();
}

#[tokio::test]
async fn importing_again_changes_nothing_and_a_changed_row_is_updated() {
    let (_database, pool) = fixture().await;
    assert_eq!(import::operator(&pool, &operator("MAD")).await.unwrap(), imported(1, 0, 0));
    assert_eq!(import::operator(&pool, &operator("MAD")).await.unwrap(), imported(0, 0, 1));
    let versions =
        [version("standard", "2026-01-01", Some("2026-07-01"), "MAD"), version("standard", "2026-07-01", None, "MAD")];
    assert_eq!(import::tariffs(&pool, &versions, write).await.unwrap(), imported(2, 0, 0));
    assert_eq!(import::tariffs(&pool, &versions, write).await.unwrap(), imported(0, 0, 2));
    let plans = [plan("basic", "9.99"), plan("big", "49.5")];
    assert_eq!(import::plans(&pool, &plans).await.unwrap(), imported(2, 0, 0));
    assert_eq!(import::plans(&pool, &[plan("basic", "9.9900"), plan("big", "50")]).await.unwrap(), imported(0, 1, 1));
    let accounts = [account("A-1", "Rabat"), account("A-2", "Fes")];
    assert_eq!(import::accounts(&pool, &accounts).await.unwrap(), imported(2, 0, 0));
    assert_eq!(
        import::accounts(&pool, &[account("A-2", "Agadir"), account("A-3", "Fes")]).await.unwrap(),
        imported(1, 1, 0)
    );
    let rows = [
        subscription("212600000001", "2026-01-01", None, "A-1"),
        subscription("212600000002", "2026-01-01", None, "A-2"),
    ];
    assert_eq!(import::subscriptions(&pool, &rows).await.unwrap(), imported(2, 0, 0));
    assert_eq!(import::subscriptions(&pool, &rows).await.unwrap(), imported(0, 0, 2));
    let change = [
        subscription("212600000001", "2026-01-01", Some("2026-06-01"), "A-1"),
        subscription("212600000001", "2026-06-01", None, "A-3"),
    ];
    assert_eq!(import::subscriptions(&pool, &change).await.unwrap(), imported(1, 1, 0));
    assert_eq!(import::stored_operator(&pool).await.unwrap(), Some(operator("MAD")));
}

#[tokio::test]
async fn a_wrong_row_is_named_and_the_import_changes_nothing() {
    let (database, pool) = fixture().await;
    let early = import::tariffs(&pool, &[version("standard", "2026-01-01", None, "MAD")], write).await;
    assert_eq!(refusals(early), ["0 tariff"], "the operator comes first");
    basics(&pool).await;
    let before = world::version(&pool).await.unwrap();
    let foreign = [version("other", "2026-01-01", None, "MAD"), version("third", "2026-01-01", None, "EUR")];
    assert_eq!(refusals(import::tariffs(&pool, &foreign, write).await), ["1 tariff.currency"]);
    let missing = Plan { tariff: "nowhere".into(), ..plan("odd", "1") };
    assert_eq!(refusals(import::plans(&pool, &[plan("fine", "1"), missing]).await), ["1 tariff"]);
    let rows = [
        subscription("212600000001", "2026-01-01", None, "A-1"),
        subscription("212600000002", "2026-01-01", None, "A-9"),
        Subscription { plan: "none".into(), ..subscription("212600000003", "2026-01-01", None, "A-1") },
    ];
    assert_eq!(refusals(import::subscriptions(&pool, &rows).await), ["1 account_id", "2 plan"]);
    assert_eq!(refusals(import::operator(&pool, &operator("EUR")).await), ["0 currency"]);
    assert_eq!(world::version(&pool).await.unwrap(), before);
    assert_eq!(database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM subscriptions").await, ["0"]);
    assert_eq!(database.texts("SELECT GROUP_CONCAT(name) FROM tariffs").await, ["standard"]);
}

#[tokio::test]
async fn rows_that_overlap_with_stored_ones_are_refused() {
    let (_database, pool) = fixture().await;
    basics(&pool).await;
    let later = [version("standard", "2026-06-01", None, "MAD")];
    assert_eq!(refusals(import::tariffs(&pool, &later, write).await), ["0 valid_from"], "the stored version is open");
    let earlier = [version("standard", "2025-06-01", Some("2026-02-01"), "MAD")];
    assert_eq!(refusals(import::tariffs(&pool, &earlier, write).await), ["0 valid_from"]);
    let fitting = [
        version("standard", "2025-06-01", Some("2026-01-01"), "MAD"),
        version("standard", "2026-01-01", Some("2026-06-01"), "MAD"),
    ];
    assert_eq!(import::tariffs(&pool, &fitting, write).await.unwrap(), imported(1, 1, 0));
    import::subscriptions(&pool, &[subscription("212600000001", "2026-03-01", None, "A-1")]).await.unwrap();
    let rows = [
        subscription("212600000002", "2026-01-01", None, "A-1"),
        subscription("212600000001", "2026-01-01", Some("2026-03-02"), "A-2"),
    ];
    assert_eq!(refusals(import::subscriptions(&pool, &rows).await), ["1 active_from"]);
    let fitting = [subscription("212600000001", "2026-01-01", Some("2026-03-01"), "A-2")];
    assert_eq!(import::subscriptions(&pool, &fitting).await.unwrap(), imported(1, 0, 0));
}

#[tokio::test]
async fn the_world_is_what_was_imported() {
    let (_database, pool) = fixture().await;
    basics(&pool).await;
    let cell =
        |cell: &str| Cell { cell: CellId::parse(cell).unwrap(), site: "S".into(), latitude: 33.57, longitude: -7.589 };
    let sensor = |id: &str, critical_c| Sensor {
        sensor_id: SensorId::parse(id).unwrap(),
        site: "S".into(),
        latitude: 33.57,
        longitude: -7.589,
        limits: PartialThresholds { warning_c: None, critical_c, hysteresis_c: None },
    };
    assert_eq!(import::cells(&pool, &[cell("b"), cell("B"), cell("a")]).await.unwrap(), imported(3, 0, 0));
    assert_eq!(import::cells(&pool, &[cell("a")]).await.unwrap(), imported(0, 0, 1));
    let sensors = [sensor("S-1", Some(75.5)), sensor("S-2", None)];
    assert_eq!(import::sensors(&pool, &sensors).await.unwrap(), imported(2, 0, 0));
    assert_eq!(import::sensors(&pool, &sensors).await.unwrap(), imported(0, 0, 2));
    assert_eq!(refusals(import::sensors(&pool, &[sensor("S-3", Some(60.0))]).await), ["0 critical_c"]);
    let rows = [
        subscription("212600000001", "2026-01-01", None, "A-1"),
        subscription("212600000002", "2026-01-01", Some("2026-02-01"), "A-2"),
    ];
    import::subscriptions(&pool, &rows).await.unwrap();
    let world = world::read(&pool, "2026-03-01".parse().unwrap()).await.unwrap();
    assert_eq!(world.cells, [cell("B"), cell("a"), cell("b")], "ids are compared byte for byte");
    assert_eq!(world.sensors, sensors);
    assert_eq!(world.numbers, [(Msisdn::parse("212600000001").unwrap(), "A-1".to_owned())]);
    assert_eq!(world.customers.len(), 2);
    assert_eq!(world.timezone, Some(chrono_tz::Africa::Casablanca));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_imports_at_once_follow_one_another() {
    let (_database, pool) = fixture().await;
    basics(&pool).await;
    let (one, two) = (
        [subscription("212600000001", "2026-01-01", None, "A-1")],
        [subscription("212600000001", "2026-02-01", None, "A-2")],
    );
    let (one, two) = tokio::join!(import::subscriptions(&pool, &one), import::subscriptions(&pool, &two));
    assert!(one.is_ok() != two.is_ok(), "they overlap, so the second is refused: {one:?} {two:?}");
}
