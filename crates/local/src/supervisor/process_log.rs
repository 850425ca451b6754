//! The log file of a supervised process: what it prints, as it prints it.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::Context;

/// A log is moved aside (`<name>.log.1`) at a start of its process when it is larger than this, in bytes.
const LIMIT: u64 = 32 * 1024 * 1024;

/// Opens a log to append to, and says where this life's part begins. A large one is moved aside first.
///
/// # Errors
/// When it can't be opened, naming it.
pub fn open(path: &Path) -> anyhow::Result<(File, u64)> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > LIMIT) {
        let _ = fs::rename(path, path.with_extension("log.1"));
    }
    let open = || -> std::io::Result<(File, u64)> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    };
    open().with_context(|| format!("can't open {}", path.display()))
}

/// The last `count` lines of a file after the byte `from`, long lines cut and Java's stack frames left out.
#[must_use]
pub fn last_lines(path: &Path, from: u64, count: usize) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(64 * 1024))))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let tells = |line: &&str| !line.trim().is_empty() && !line.starts_with("\tat ");
    let lines: Vec<&str> = text.lines().filter(tells).collect();
    let last = &lines[lines.len().saturating_sub(count)..];
    last.iter().map(|line| format!("  {}", line.chars().take(1_000).collect::<String>())).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_log_s_end_is_of_this_life_only_and_without_stack_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, "old\nold\nnew 1\n\nnew 2\n\tat java.base/java.lang.Thread.run\nnew 3\n").unwrap();
        assert_eq!(last_lines(&path, 8, 2), "  new 2\n  new 3");
        assert_eq!(last_lines(&folder.path().join("none"), 0, 2), "");
    }

    #[test]
    fn a_large_log_is_moved_aside_and_a_small_one_is_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, "some").unwrap();
        assert_eq!(open(&path).unwrap().1, 4);
        File::options().write(true).open(&path).unwrap().set_len(LIMIT + 1).unwrap();
        assert_eq!(open(&path).unwrap().1, 0);
        assert_eq!(fs::metadata(folder.path().join("a.log.1")).unwrap().len(), LIMIT + 1);
    }
}
