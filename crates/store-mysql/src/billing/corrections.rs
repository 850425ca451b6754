//! Corrections by re-rating, when an invoice is cancelled that they correct or that carries them.
//!
//! A correction stands as long as the invoice that it corrects, whichever invoice carries it. So an account has been charged for an
//! event what the event costs now or, once its invoice is cancelled, nothing. Adjustments are only ever added to: those that are added
//! here have the run 0 and no amounts, as the charge of no event changes.

use millrace_domain::cycles::Cycle;
use sqlx::{AssertSqlSafe, MySqlConnection};

use super::rows;
use crate::fault::StoreError;
use crate::gate::Gate;

/// The cycles of the events whose corrections concern an invoice. A credit is always that of the account that was charged; each half
/// has an index of its own.
const OWN_CYCLES: &str = "SELECT own_cycle FROM adjustments \
        WHERE old_account_no = ? AND old_bill_cycle = ? AND credit_account_no = old_account_no AND own_cycle IS NOT NULL \
    UNION SELECT own_cycle FROM adjustments WHERE credit_account_no = ? AND credit_cycle = ? AND own_cycle IS NOT NULL";

const INSERT: &str = "INSERT INTO adjustments (run_id, started_at, event_id, service, subscriber, cell, usage_amount, old_account_no, \
    old_bill_cycle, new_account_no, new_bill_cycle, credit_account_no, own_cycle, credit_cycle, difference) \
    SELECT 0, a.started_at, a.event_id, a.service, a.subscriber, a.cell, a.usage_amount, a.old_account_no, a.old_bill_cycle, \
    a.old_account_no, a.old_bill_cycle, a.credit_account_no, a.own_cycle";

/// The opposite of what re-rating changed of the invoice: beside it where it waits for an invoice, on the next one where an invoice
/// carries it. That one may be cancelled as well: what it carried has been billed again then, by [`BILL_AGAIN`].
const TAKE_BACK: &str = "CASE WHEN c.invoiced THEN ? ELSE a.credit_cycle END, -a.difference \
    FROM adjustments a LEFT JOIN closed_cycles c ON c.account_no = a.credit_account_no AND c.cycle = a.credit_cycle \
    WHERE a.old_account_no = ? AND a.old_bill_cycle = ? AND a.credit_account_no = a.old_account_no AND a.own_cycle = ? \
      AND a.run_id <> 0 AND a.difference <> 0";

/// Once more what the invoice carried, which its credit note takes back: on the next one.
const BILL_AGAIN: &str = "?, a.difference FROM adjustments a \
    WHERE a.credit_account_no = ? AND a.credit_cycle = ? AND a.own_cycle = ? AND a.difference <> 0";

/// Settles the corrections of an account's invoice of `cycle`, which is being cancelled: those of its own charges come to nothing, and
/// those of other invoices that it carried go on the account's next invoice. In the transaction that has the billing lease.
pub(super) async fn settle(connection: &mut MySqlConnection, account_no: u32, cycle: Cycle) -> Result<(), StoreError> {
    let mut gate = Gate::lock(connection).await?;
    gate.read_closed(connection, vec![account_no]).await?;
    let own_cycles: Vec<u32> = sqlx::query_scalar(OWN_CYCLES)
        .bind(account_no)
        .bind(cycle.code())
        .bind(account_no)
        .bind(cycle.code())
        .fetch_all(&mut *connection)
        .await?;
    for own_cycle in own_cycles {
        let next = gate.bill_cycle(account_no, rows::cycle(own_cycle)?);
        for difference in [TAKE_BACK, BILL_AGAIN] {
            sqlx::query(AssertSqlSafe(format!("{INSERT}, {difference}")))
                .bind(next.code())
                .bind(account_no)
                .bind(cycle.code())
                .bind(own_cycle)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}
