//! `MILLRACE_HOME`: the folder with everything that one stack keeps.

use std::{
    env, fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};

use crate::{CommandError, project, stack::Stack};

/// A stack's folder. Folders in it are 0700 and the files with secrets 0600.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// `MILLRACE_HOME`, or `.millrace` in the project's root. The folder need not exist yet.
    ///
    /// # Errors
    /// When the variable is not set and the project's root can't be found.
    pub fn find() -> anyhow::Result<Self> {
        let path = match env::var_os("MILLRACE_HOME").filter(|value| !value.is_empty()) {
            Some(named) => PathBuf::from(named),
            None => project::root().context("MILLRACE_HOME is not set")?.join(".millrace"),
        };
        Self::at(&path)
    }

    /// The home at a path, made absolute.
    ///
    /// # Errors
    /// When the working folder can't be read.
    pub fn at(path: &Path) -> anyhow::Result<Self> {
        let path = std::path::absolute(path)
            .with_context(|| format!("MILLRACE_HOME={} can't be made absolute", path.display()))?;
        // One home has one name, whatever links lead to it.
        Ok(Self { path: path.canonicalize().unwrap_or(path) })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file or folder in the home.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The log file of a service or function.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.path.join("logs").join(format!("{name}.log"))
    }

    /// Creates the home and its folders, readable by their owner only.
    ///
    /// # Errors
    /// When a folder can't be created, naming it.
    pub fn create(&self) -> anyhow::Result<()> {
        for folder in [self.path.clone(), self.join("run"), self.join("logs")] {
            create_private_folder(&folder)?;
        }
        Ok(())
    }

    /// The stack's settings, or nothing when `up` never ran here.
    ///
    /// # Errors
    /// When the file is there and can't be read or understood.
    pub fn stack_if_any(&self) -> anyhow::Result<Option<Stack>> {
        let path = self.join("stack.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("can't read {}", path.display())),
        };
        let stack = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not what this version of millrace wrote", path.display()))?;
        Ok(Some(stack))
    }

    /// The settings of the stack that lives here.
    ///
    /// # Errors
    /// When there is none, saying how to start one.
    pub fn stack(&self) -> Result<Stack, CommandError> {
        self.stack_if_any()?.ok_or_else(|| {
            CommandError::Work(anyhow!(
                "there is no stack in {}; scripts/up starts one (MILLRACE_HOME names another)",
                self.path.display()
            ))
        })
    }

    /// Writes the stack's settings, whole or not at all.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write_stack(&self, stack: &Stack) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(stack).context("the stack's settings can't be written as JSON")?;
        text.push(b'\n');
        write_private(&self.join("stack.json"), &text)
    }
}

/// Creates a folder (and those above it) with mode 0700; one that exists is narrowed to it.
///
/// # Errors
/// When it can't be created, naming it.
pub fn create_private_folder(folder: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
        .with_context(|| format!("can't create the folder {}", folder.display()))
}

/// Writes a file of mode 0600 by a temporary one and a rename, so that a reader sees the old or the new text, never half.
///
/// # Errors
/// When it can't be written, naming it.
pub fn write_private(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    let write = || -> io::Result<()> {
        // A leftover of another mode would keep that mode.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("can't write {}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::{ports::Ports, stack::Engine};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_home_and_its_settings_are_private_and_read_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(&folder.path().join("deep/home")).unwrap();
        home.create().unwrap();
        assert_eq!(mode(home.path()), 0o700);
        assert_eq!(mode(&home.join("run")), 0o700);
        assert!(home.stack_if_any().unwrap().is_none());
        let stack = Stack::generate(Ports::from_base(18_000).unwrap(), Engine::Native).unwrap();
        home.write_stack(&stack).unwrap();
        home.write_stack(&stack).unwrap();
        assert_eq!(mode(&home.join("stack.json")), 0o600);
        assert_eq!(
            serde_json::to_value(home.stack_if_any().unwrap().unwrap()).unwrap(),
            serde_json::to_value(&stack).unwrap()
        );
    }

    #[test]
    fn a_home_without_a_stack_says_how_to_start_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = Home::at(folder.path()).unwrap().stack().unwrap_err();
        assert_eq!(error.exit_status(), 1);
        assert!(error.to_string().contains("scripts/up"), "{error}");
    }

    #[test]
    fn settings_that_are_not_understood_name_their_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("stack.json"), "{}").unwrap();
        let error = Home::at(folder.path()).unwrap().stack_if_any().unwrap_err().to_string();
        assert!(error.contains("stack.json"), "{error}");
    }
}
