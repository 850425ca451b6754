//! Finding the programs that the services run.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Folders that hold servers and are not on every user's PATH.
const SERVER_FOLDERS: [&str; 5] =
    ["/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/bin", "/opt/homebrew/bin"];

/// Finds a program on the PATH, or where distributions put servers.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SERVER_FOLDERS.iter().map(PathBuf::from));
    find_in(folders, name)
}

fn find_in(folders: impl Iterator<Item = PathBuf>, name: &str) -> Option<PathBuf> {
    folders.map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_program_is_a_file_that_may_be_run_in_the_first_folder_that_has_it() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(one.path().join("mariadbd"), "not executable").unwrap();
        std::os::unix::fs::symlink("/bin/sh", other.path().join("mariadbd")).unwrap();
        let folders = || [one.path(), other.path()].map(PathBuf::from).into_iter();
        assert_eq!(find_in(folders(), "mariadbd"), Some(other.path().join("mariadbd")));
        assert_eq!(find_in(folders(), "mysqld"), None);
    }
}
