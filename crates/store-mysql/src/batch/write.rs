//! The second half of storing a batch: new records become rows.
//!
//! What the rows are derived from is read and locked for all chunks that have come by then; each chunk is then derived and inserted.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::MySqlConnection;
use sqlx::mysql::MySqlArguments;
use tokio::sync::mpsc;

use super::{Candidate, Findings, Intake, Record, Refusal, Taken, known};
use crate::fault::StoreError;
use crate::insert;
use crate::ledger::Delivery;
use crate::rejects::NewReject;

/// A chunk whose rows can be derived: each candidate is new and has its basis.
struct Prepared<I: Intake> {
    records: Arc<Vec<Record<I::Record>>>,
    candidates: Vec<Candidate<I::Identity>>,
    bases: Vec<I::Basis>,
}

/// One row, as it is bound.
struct Row<'a, I: Intake> {
    record: &'a I::Record,
    derived: &'a I::Derived,
}

impl<I: Intake> insert::Row for Row<'_, I> {
    const COLUMNS: usize = I::COLUMNS;
    const BYTES: usize = I::BYTES;

    fn add_to(&self, arguments: &mut MySqlArguments) -> Result<(), sqlx::Error> {
        I::add_row(arguments, self.record, self.derived)
    }
}

/// Inserts what is new.
pub(super) async fn write<I: Intake>(
    connection: &mut MySqlConnection,
    intake: &I,
    work: &mut I::Work,
    mut chunks: mpsc::Receiver<Taken<I>>,
) -> Result<Findings, StoreError> {
    let mut findings = Findings::default();
    while let Some(chunk) = chunks.recv().await {
        let mut came = vec![chunk];
        came.extend(std::iter::from_fn(|| chunks.try_recv().ok()));
        for chunk in prepare(connection, intake, work, came, &mut findings).await? {
            insert(connection, intake, work, &chunk, &mut findings).await?;
        }
    }
    Ok(findings)
}

/// Leaves out what is stored already, and reads and locks what the rows of the rest are derived from.
async fn prepare<I: Intake>(
    connection: &mut MySqlConnection,
    intake: &I,
    work: &mut I::Work,
    came: Vec<Taken<I>>,
    findings: &mut Findings,
) -> Result<Vec<Prepared<I>>, StoreError> {
    let mut chunks = Vec::with_capacity(came.len());
    for Taken { records, mut candidates, known: looked_up } in came {
        let known = match looked_up {
            Some(known) => known,
            None => known::<I>(connection, &candidates).await?,
        };
        candidates.retain(|candidate| {
            let new = !known.contains(&candidate.identity);
            findings.stored.counts.duplicates += u64::from(!new && candidate.delivery == Delivery::First);
            new
        });
        if I::in_order_of_arrival(work) {
            candidates.sort_unstable_by_key(|candidate| candidate.place);
        }
        chunks.push((records, candidates));
    }
    let contents: Vec<&I::Record> =
        chunks.iter().flat_map(|(records, candidates)| contents::<I>(records, candidates)).collect();
    let mut bases = intake.prepare(connection, work, &contents).await?.into_iter();
    let prepared = chunks.into_iter().map(|(records, candidates)| {
        let bases = bases.by_ref().take(candidates.len()).collect();
        Prepared { records, candidates, bases }
    });
    Ok(prepared.collect())
}

/// The candidates' records, which were decoded, or they would be none.
fn contents<'a, I: Intake>(
    records: &'a [Record<I::Record>],
    candidates: &'a [Candidate<I::Identity>],
) -> impl Iterator<Item = &'a I::Record> {
    candidates.iter().filter_map(|candidate| records[candidate.place].content.as_ref().ok())
}

impl<I: Intake> Prepared<I> {
    fn contents(&self) -> impl Iterator<Item = &I::Record> {
        contents::<I>(&self.records, &self.candidates)
    }

    fn rows<'a>(&'a self, derived: &'a [I::Derived]) -> Vec<Row<'a, I>> {
        self.contents().zip(derived).map(|(record, derived)| Row { record, derived }).collect()
    }
}

/// Derives the rows of a chunk, inserts them, and notes what became of them.
async fn insert<I: Intake>(
    connection: &mut MySqlConnection,
    intake: &I,
    work: &mut I::Work,
    chunk: &Prepared<I>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let derive = |(record, basis)| intake.derive(work, record, basis);
    let derived: Vec<I::Derived> = chunk.contents().zip(&chunk.bases).map(derive).collect();
    let rows = chunk.rows(&derived);
    let mut refused = insert::insert(connection, I::statement(), &rows).await?.into_iter().peekable();
    let rows = chunk.candidates.iter().zip(chunk.contents()).zip(&chunk.bases).zip(&derived);
    for (n, (((candidate, content), basis), derived)) in rows.enumerate() {
        if let Some(refusal) = refused.next_if(|refused| refused.row == n) {
            let refusal = Refusal { field: Cow::Borrowed("store"), reason: refusal.reason };
            let record = &chunk.records[candidate.place];
            findings.refused.push(NewReject::new(record, refusal, candidate.delivery, candidate.epoch));
            intake.take_back(work, basis, derived);
            continue;
        }
        intake.stored(work, content, derived);
        findings.stored.counts.stored += u64::from(candidate.delivery == Delivery::First);
    }
    Ok(())
}
