//! Where the services that tests share are.

/// The value of a `MILLRACE_TEST_*` variable.
///
/// # Panics
/// When it is not set: a test that needs a service must not pass without it.
#[allow(clippy::panic)]
pub fn required(variable: &str) -> String {
    match std::env::var(variable) {
        Ok(value) if !value.is_empty() => value,
        _ => panic!("{variable} is not set: run scripts/test, or scripts/test --shell and cargo test in that shell"),
    }
}

/// The folder with more cases and real data, when `MILLRACE_SHARED` names one.
pub fn shared() -> Option<std::path::PathBuf> {
    std::env::var_os("MILLRACE_SHARED").filter(|value| !value.is_empty()).map(Into::into)
}

/// An address, as `host:port`, at which nothing answers.
///
/// # Panics
/// When this machine has no port to give.
#[allow(clippy::expect_used)]
pub fn nowhere() -> String {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    taken.local_addr().expect("its address").to_string()
}
