//! What the pages under `docs` have readers run, for tests that run it as it stands there.

// A page that cannot be read fails the test that asks for it.
#![allow(clippy::expect_used)]

use crate::stack::project_root;

/// The SQL of `docs/billing.md` by which analysts see that every charge is billed once: one row with one text, which is both of its
/// sums with a space between them.
///
/// # Panics
/// When the page has no such SQL any more.
pub fn billing_check() -> String {
    let page = std::fs::read_to_string(project_root().join("docs/billing.md")).expect("docs/billing.md can be read");
    let (_, rest) = page.split_once("```sql\n").expect("the page has SQL");
    let (check, _) = rest.split_once(";\n```").expect("it is one statement");
    format!(
        "SELECT CONCAT_WS(' ', CAST(billed_and_open AS DECIMAL(30, 4)), CAST(charged AS DECIMAL(30, 4))) FROM ({check}) sums"
    )
}
