//! Where the project's files and the built binaries are.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// The project's root folder: the one with `functions/` and `Cargo.toml`.
///
/// Looked for in `MILLRACE_ROOT`, then upward from this executable, then upward from the working folder.
///
/// # Errors
/// When none of them is the root, naming what was looked for.
pub fn root() -> anyhow::Result<PathBuf> {
    if let Some(named) = env::var_os("MILLRACE_ROOT") {
        let named = PathBuf::from(named);
        if !named.join("functions").is_dir() {
            bail!("MILLRACE_ROOT={} has no functions/", named.display());
        }
        return named.canonicalize().context("MILLRACE_ROOT can't be resolved");
    }
    let executable = env::current_exe().and_then(|path| path.canonicalize());
    let from = [executable.ok(), env::current_dir().ok()];
    from.iter().flatten().find_map(|start| root_above(start)).context(
        "the project's folder (with functions/ and Cargo.toml) is neither above this program nor above the working folder; name it in MILLRACE_ROOT",
    )
}

/// The folder of this executable, where the functions' binaries lie too.
///
/// # Errors
/// When the system can't tell the executable's path.
pub fn binaries() -> anyhow::Result<PathBuf> {
    let executable =
        env::current_exe().and_then(|path| path.canonicalize()).context("can't find this program's own path")?;
    executable.parent().map(Path::to_path_buf).context("this program's path has no folder")
}

/// The cache of downloaded services (jars), filled by `scripts/up`: `MILLRACE_SERVICES`, or
/// `${XDG_CACHE_HOME:-$HOME/.cache}/millrace/services`.
///
/// # Errors
/// When none of these variables is set.
pub fn services_cache() -> anyhow::Result<PathBuf> {
    if let Some(named) = env::var_os("MILLRACE_SERVICES") {
        return Ok(PathBuf::from(named));
    }
    let cache = match env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(
            env::var_os("HOME")
                .context("HOME is not set, so the cache of services can't be found; set MILLRACE_SERVICES")?,
        )
        .join(".cache"),
    };
    Ok(cache.join("millrace/services"))
}

fn is_root(folder: &Path) -> bool {
    folder.join("functions").is_dir() && folder.join("Cargo.toml").is_file()
}

fn root_above(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| is_root(folder)).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_root_is_the_nearest_folder_above_with_functions_and_a_manifest() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("functions/rate/src")).unwrap();
        std::fs::create_dir_all(folder.path().join("target/release")).unwrap();
        assert_eq!(root_above(&folder.path().join("target/release/millrace")), None);
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        // functions/rate has no functions/ of its own, so it isn't taken for a root.
        std::fs::write(folder.path().join("functions/rate/Cargo.toml"), "").unwrap();
        for inside in ["target/release/millrace", "functions/rate/src", "."] {
            assert_eq!(root_above(&folder.path().join(inside)).unwrap(), folder.path(), "{inside}");
        }
    }
}
