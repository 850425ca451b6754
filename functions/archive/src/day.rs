//! A day becomes files.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use millrace_store_mysql::archive::{self, MonthCounts, Part, PartReader, PendingDay, Stored};

use crate::columns::{Row, Table};
use crate::manifest::{Manifest, key, part_key, sha256};
use crate::{Archive, ArchiveError, ArchivedDay};

impl Archive {
    /// Writes the files of a day that are missing, then its manifest. `None` when the deadline came before.
    pub(crate) async fn write_day<R: Stored + Row>(
        &self,
        day: &PendingDay,
        reach_seq: u64,
        deadline: Instant,
    ) -> Result<Option<ArchivedDay>, ArchiveError> {
        let dataset = R::DATASET;
        let mut parts = archive::parts_of(&self.pool, dataset, day.day).await?;
        loop {
            let after = parts.last().map_or(0, |part| part.last_seq);
            if after >= day.last_seq {
                break;
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            self.take_turn().await?;
            let part_no = parts.last().map_or(0, |part| part.part_no + 1);
            let Some(part) = self.write_part::<R>(day, part_no, after).await? else { break };
            archive::note_part(&self.pool, dataset, day.day, &part).await?;
            parts.push(part);
        }
        let months = archive::sum(parts.iter().map(|part| &part.months));
        if months != day.months {
            let files = months.values().sum();
            return Err(ArchiveError::Counts { dataset: dataset.name(), day: day.day, table: day.rows(), files });
        }
        let manifest = Manifest::new(dataset, day.day, &parts, &months).to_bytes()?;
        let checksum = sha256(&manifest);
        let key = key(dataset, day.day);
        self.objects.put(&key, Bytes::from(manifest), "application/json", &BTreeMap::new()).await?;
        let part_count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        archive::close(&self.pool, dataset, day, reach_seq, part_count, &checksum).await?;
        Ok(Some(ArchivedDay { dataset: dataset.name(), stored: day.day, rows: day.rows(), parts: parts.len() }))
    }

    /// Writes the next file of a day; `None` when the day has no further row.
    async fn write_part<R: Stored + Row>(
        &self,
        day: &PendingDay,
        part_no: u32,
        after: u64,
    ) -> Result<Option<Part>, ArchiveError> {
        let mut reader = PartReader::begin::<R>(&self.pool, day, after).await?;
        let mut table = Table::new::<R>(self.limits.group_rows)?;
        let mut months = MonthCounts::new();
        let (mut rows, mut first_seq, mut last_seq) = (0, None, after);
        'part: loop {
            let page: Vec<R> = reader.page().await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                table.add(row)?;
                *months.entry(row.month()).or_default() += 1;
                rows += 1;
                first_seq = first_seq.or(Some(row.seq()));
                last_seq = row.seq();
                if rows >= self.limits.part_rows || table.bytes() >= self.limits.part_bytes {
                    break 'part;
                }
            }
        }
        let adjustments_seq = reader.adjustments_seq;
        reader.end().await?;
        let Some(first_seq) = first_seq else { return Ok(None) };
        let file = table.finish()?;
        let part = Part {
            part_no,
            first_seq,
            last_seq,
            bytes: file.len() as u64,
            sha256: sha256(&file),
            adjustments_seq,
            months,
        };
        let key = part_key(R::DATASET, day.day, part_no);
        let metadata = BTreeMap::from([("sha256".to_owned(), part.sha256.clone())]);
        self.objects.put(&key, file, "application/vnd.apache.parquet", &metadata).await?;
        Ok(Some(part))
    }
}
