//! The columns of the archive's files. Those of events and customers are named as in their topics, so that a row is a record again.

use millrace_domain::cycles::Cycle;
use millrace_domain::usage::Service;
use millrace_store_mysql::archive::{ArchivedAdjustment, ArchivedEvent, StoredSnapshot};
use uuid::Uuid;

use crate::columns::{Cells, Field, Kind, Row, field, optional};

impl Row for ArchivedEvent {
    const FIELDS: &'static [Field] = &[
        field("seq", Kind::Integer),
        field("stored_at", Kind::Time),
        field("event_id", Kind::Text),
        field("service", Kind::Text),
        field("subscriber", Kind::Text),
        optional("destination", Kind::Text),
        field("started_at", Kind::Time),
        field("usage", Kind::Integer),
        optional("cell", Kind::Text),
        field("roaming", Kind::Flag),
        optional("account_id", Kind::Text),
        optional("customer_id", Kind::Text),
        optional("cycle_day", Kind::Integer),
        optional("tariff_no", Kind::Integer),
        optional("zone", Kind::Text),
        optional("amount", Kind::Money),
        optional("currency", Kind::Text),
        optional("rating_error", Kind::Text),
        optional("bill_cycle", Kind::Text),
        field("allowance_used", Kind::Integer),
    ];

    fn fill(&self, cells: &mut Cells) {
        cells
            .integer(self.seq)
            .time(self.stored_at)
            .text(id(self.event_id).as_str())
            .text(self.service.as_str())
            .text(self.subscriber.as_str())
            .text(present(&self.destination))
            .time(self.started_at)
            .integer(self.usage)
            .text(present(&self.cell))
            .flag(self.roaming)
            .text(self.account_id.as_deref())
            .text(self.customer_id.as_deref())
            .integer(self.cycle_day.map(u64::from))
            .integer(self.tariff_no.map(u64::from))
            .text(present(&self.zone))
            .money(self.amount)
            .text(self.currency.as_deref())
            .text(present(&self.rating_error))
            .text(cycle(self.bill_cycle).as_deref())
            .integer(self.allowance_used);
    }
}

impl Row for ArchivedAdjustment {
    const FIELDS: &'static [Field] = &[
        field("seq", Kind::Integer),
        field("run_id", Kind::Integer),
        field("adjusted_at", Kind::Time),
        field("event_id", Kind::Text),
        field("started_at", Kind::Time),
        field("service", Kind::Text),
        field("subscriber", Kind::Text),
        optional("old_account_id", Kind::Text),
        optional("old_bill_cycle", Kind::Text),
        optional("old_amount", Kind::Money),
        optional("new_account_id", Kind::Text),
        optional("new_bill_cycle", Kind::Text),
        optional("new_amount", Kind::Money),
        optional("credit_account_id", Kind::Text),
        optional("credit_cycle", Kind::Text),
        optional("own_cycle", Kind::Text),
        field("difference", Kind::Money),
    ];

    fn fill(&self, cells: &mut Cells) {
        cells
            .integer(self.seq)
            .integer(u64::from(self.run_id))
            .time(self.adjusted_at)
            .text(id(self.event_id).as_str())
            .time(self.started_at)
            .text(Service::as_str(self.service))
            .text(self.subscriber.as_str());
        for ((account, bill_cycle), amount) in self.accounts.iter().zip(self.bill_cycles).zip(self.amounts) {
            cells.text(account.as_deref()).text(cycle(bill_cycle).as_deref()).money(amount);
        }
        cells
            .text(self.credit_account_id.as_deref())
            .text(cycle(self.credit_cycle).as_deref())
            .text(cycle(self.own_cycle).as_deref())
            .money(Some(self.difference));
    }
}

impl Row for StoredSnapshot {
    const FIELDS: &'static [Field] = &[
        field("seq", Kind::Integer),
        field("stored_at", Kind::Time),
        field("customer_id", Kind::Text),
        field("observed_at", Kind::Time),
        field("state", Kind::Text),
        field("account_length", Kind::Integer),
        field("area_code", Kind::Integer),
        field("international_plan", Kind::Flag),
        field("voice_mail_plan", Kind::Flag),
        field("number_vmail_messages", Kind::Integer),
        field("total_day_minutes", Kind::Number),
        field("total_day_calls", Kind::Integer),
        field("total_day_charge", Kind::Number),
        field("total_eve_minutes", Kind::Number),
        field("total_eve_calls", Kind::Integer),
        field("total_eve_charge", Kind::Number),
        field("total_night_minutes", Kind::Number),
        field("total_night_calls", Kind::Integer),
        field("total_night_charge", Kind::Number),
        field("total_intl_minutes", Kind::Number),
        field("total_intl_calls", Kind::Integer),
        field("total_intl_charge", Kind::Number),
        field("customer_service_calls", Kind::Integer),
        optional("churn", Kind::Flag),
    ];

    fn fill(&self, cells: &mut Cells) {
        let of = &self.snapshot;
        cells
            .integer(self.seq)
            .time(self.stored_at)
            .text(of.customer_id.as_str())
            .time(of.observed_at)
            .text(of.state.as_str())
            .integer(u64::from(of.account_length))
            .integer(u64::from(of.area_code))
            .flag(of.international_plan)
            .flag(of.voice_mail_plan)
            .integer(u64::from(of.number_vmail_messages));
        for usage in [&of.day, &of.eve, &of.night, &of.intl] {
            cells.number(usage.minutes).integer(u64::from(usage.calls)).number(usage.charge);
        }
        cells.integer(u64::from(of.customer_service_calls)).flag(of.churn);
    }
}

/// An absent text is stored as an empty one.
fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn id(id: Uuid) -> String {
    id.hyphenated().to_string()
}

fn cycle(code: Option<u32>) -> Option<String> {
    code.and_then(Cycle::from_code).map(|cycle| cycle.to_string())
}
