//! Reads the archive again before anything is dropped because of it.

use bytes::Bytes;
use millrace_store_mysql::archive::drop::{DayOfMonth, DropError};
use millrace_store_mysql::archive::{Dataset, Month};
use millrace_store_objects::ObjectError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::manifest::{Manifest, folder, key, sha256};
use crate::{Archive, ArchiveError};

impl Archive {
    /// The rows of a month in a day's files, each of which is read and must be what was written. Files without rows of the month
    /// are left alone.
    pub(crate) async fn verify(&self, month: Month, day: &DayOfMonth) -> Result<u64, ArchiveError> {
        let dataset = Dataset::UsageEvents;
        let key = key(dataset, day.day);
        let bytes = self.read(month, &key).await?;
        if sha256(&bytes) != day.manifest_sha256 {
            return Err(refused(month, format!("{key} is not what was written")));
        }
        let manifest: Manifest = serde_json::from_slice(&bytes)?;
        for part in manifest.parts.iter().filter(|part| part.months.contains_key(&month.to_string())) {
            let key = format!("{}/{}", folder(dataset, day.day), part.file);
            let file = self.read(month, &key).await?;
            if file.len() as u64 != part.bytes || sha256(&file) != part.sha256 {
                return Err(refused(month, format!("{key} is not what was written")));
            }
            let rows = SerializedFileReader::new(file)?.metadata().file_metadata().num_rows();
            if u64::try_from(rows) != Ok(part.rows) {
                return Err(refused(month, format!("{key} has {rows} rows and its manifest says {}", part.rows)));
            }
        }
        Ok(manifest.rows_of(month))
    }

    async fn read(&self, month: Month, key: &str) -> Result<Bytes, ArchiveError> {
        match self.objects.get(key).await {
            Ok(object) => Ok(object.body),
            Err(error) if ObjectError::is_missing(&error) => Err(refused(month, format!("{key} is missing"))),
            Err(error) => Err(error.into()),
        }
    }
}

fn refused(month: Month, reason: String) -> ArchiveError {
    DropError::Refused { month, reason }.into()
}
