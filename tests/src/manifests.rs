//! Functions' manifests that differ from the project's.

use std::path::Path;

use millrace_test_support::stack::project_root;
use serde_json::Value;

/// Copies every function's manifest to another root, changed by `change`, which is given the function's name.
pub fn copy_to(root: &Path, change: impl Fn(&str, &mut Value)) {
    let functions = std::fs::read_dir(project_root().join("functions")).expect("the project has functions");
    for entry in functions.flatten() {
        let name = entry.file_name().into_string().expect("a function's name is text");
        let Ok(text) = std::fs::read(entry.path().join("function.json")) else { continue };
        let mut manifest: Value = serde_json::from_slice(&text).expect("a manifest is JSON");
        change(&name, &mut manifest);
        let folder = root.join("functions").join(&name);
        std::fs::create_dir_all(&folder).expect("a folder for the manifest");
        std::fs::write(folder.join("function.json"), manifest.to_string()).expect("the manifest is written");
    }
}
