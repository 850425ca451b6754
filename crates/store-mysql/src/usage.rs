//! Usage events with their charge.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use millrace_domain::usage::{Service, UsageEvent};
use rust_decimal::Decimal;
use sqlx::mysql::MySqlArguments;
use sqlx::{Arguments as _, MySqlConnection, MySqlPool, Row as _};

use crate::batch::{self, Incoming, Intake, Originals, Source, Stored};
use crate::fault::StoreError;
use crate::insert::{self, Statement, add};
use crate::reference::{Reference, ReferenceCache, Terms};

/// What an event costs and by which terms, or why it has no price.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Charge {
    /// The account that pays, when the number has a subscription on that day.
    pub account_no: Option<u32>,
    /// The tariff version that priced it.
    pub tariff_no: Option<u32>,
    /// The zone under which usage is summed, at most 64 characters; empty while unrated.
    pub zone: String,
    /// The price in `currency`, at most 4 decimals; `None` while unrated.
    pub amount: Option<Decimal>,
    /// ISO 4217 code; `None` while unrated.
    pub currency: Option<Arc<str>>,
    /// Why there is no price, as in `no_rate`; empty when there is one.
    pub rating_error: &'static str,
}

/// Prices events: pure, given the terms of the number on the event's day (`None`: it has no subscription).
pub trait Pricing: Sync {
    /// The charge of one event.
    fn charge(&self, event: &UsageEvent, terms: Option<Terms<'_>>) -> Charge;
}

/// Stores a batch of events with their charges in one transaction.
///
/// # Errors
/// When the transaction failed as often as it was run; nothing is stored then.
pub async fn store<P: Pricing>(
    pool: &MySqlPool,
    reference: &ReferenceCache,
    pricing: &P,
    source: Source<'_>,
    incoming: Incoming<UsageEvent>,
    originals: &dyn Originals,
) -> Result<Stored, StoreError> {
    batch::commit(pool, &UsageIntake { reference, pricing }, source, incoming, originals).await
}

/// The number under which a service is stored.
pub fn service_code(service: Service) -> u8 {
    match service {
        Service::Voice => 1,
        Service::Sms => 2,
        Service::Data => 3,
    }
}

/// The service of a stored number.
pub fn service_of(code: u8) -> Option<Service> {
    Service::ALL.into_iter().find(|service| service_code(*service) == code)
}

struct UsageIntake<'a, P> {
    reference: &'a ReferenceCache,
    pricing: &'a P,
}

struct UsageRow<'a> {
    event: &'a UsageEvent,
    charge: Charge,
}

static INSERT: Statement = Statement::new(
    "INSERT INTO usage_events (started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, \
     account_no, tariff_no, zone, amount, currency, rating_error) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "",
);

// Both engines look up a list of whole primary keys one by one, whatever else the table holds at those times.
static KNOWN: Statement =
    Statement::new("SELECT started_at, event_id FROM usage_events WHERE (started_at, event_id) IN (", "(?,?)", ")");

impl insert::Row for UsageRow<'_> {
    const COLUMNS: usize = 15;
    const BYTES: usize = 160;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        let Self { event, charge } = self;
        add(arguments, event.started_at.naive_utc())?;
        add(arguments, event.event_id.as_bytes().as_slice())?;
        add(arguments, event.started_at.date_naive())?;
        add(arguments, service_code(event.service))?;
        add(arguments, event.subscriber.as_str())?;
        add(arguments, event.destination.as_ref().map_or("", |to| to.as_str()))?;
        add(arguments, event.usage)?;
        add(arguments, event.cell.as_ref().map_or("", |cell| cell.as_str()))?;
        add(arguments, event.roaming)?;
        add(arguments, charge.account_no)?;
        add(arguments, charge.tariff_no)?;
        add(arguments, charge.zone.as_str())?;
        add(arguments, charge.amount)?;
        add(arguments, charge.currency.as_deref())?;
        add(arguments, charge.rating_error)
    }
}

impl<P: Pricing> Intake for UsageIntake<'_, P> {
    type Record = UsageEvent;
    type Identity = (DateTime<Utc>, [u8; 16]);
    type Row<'a> = UsageRow<'a>;
    type Work = Arc<Reference>;

    fn statement() -> &'static Statement {
        &INSERT
    }

    fn identity(event: &UsageEvent) -> Self::Identity {
        (event.started_at, *event.event_id.as_bytes())
    }

    async fn begin(&self, connection: &mut MySqlConnection) -> Result<Arc<Reference>, StoreError> {
        self.reference.current(connection).await
    }

    async fn known(
        connection: &mut MySqlConnection,
        identities: &[Self::Identity],
    ) -> Result<HashSet<Self::Identity>, StoreError> {
        let Some(last) = identities.last() else { return Ok(HashSet::new()) };
        let size = insert::padded(identities.len());
        let mut arguments = MySqlArguments::default();
        arguments.reserve(size * 2, size * 32);
        for n in 0..size {
            let (started_at, event_id) = identities.get(n).unwrap_or(last);
            add(&mut arguments, started_at.naive_utc())?;
            add(&mut arguments, event_id.as_slice())?;
        }
        let rows = KNOWN.query(size, arguments).fetch_all(connection).await?;
        rows.iter()
            .map(|row| {
                let event_id: &[u8] = row.try_get(1)?;
                let event_id =
                    event_id.try_into().map_err(|_| StoreError::Stored("an event_id is not 16 bytes".into()))?;
                Ok((row.try_get(0)?, event_id))
            })
            .collect()
    }

    async fn rows<'a>(
        &self,
        connection: &mut MySqlConnection,
        reference: &mut Arc<Reference>,
        events: &[&'a UsageEvent],
    ) -> Result<Vec<UsageRow<'a>>, StoreError> {
        let numbers = reference.numbers(connection, events.iter().map(|event| &event.subscriber)).await?;
        Ok(events
            .iter()
            .map(|event| {
                let terms = numbers.terms(&event.subscriber, event.started_at);
                UsageRow { event, charge: self.pricing.charge(event, terms) }
            })
            .collect())
    }

    fn stored(&self, _: &mut Arc<Reference>, _: &UsageEvent) {}

    async fn finish(&self, _: &mut MySqlConnection, _: Arc<Reference>) -> Result<(), StoreError> {
        Ok(())
    }
}
