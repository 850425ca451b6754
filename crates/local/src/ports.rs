//! The ports of one stack: consecutive ones from a base, so that two stacks need two bases and nothing else.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use anyhow::bail;

/// The base when `MILLRACE_PORT_BASE` is not set.
pub const DEFAULT_BASE: u16 = 8000;

/// How many consecutive ports a stack takes.
pub const COUNT: u16 = 7;

/// The ports of a stack, all on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    base: u16,
}

impl Ports {
    /// The ports from `base` on.
    ///
    /// # Errors
    /// When the base is under 1024 or the last port would be over 65535.
    pub fn from_base(base: u16) -> anyhow::Result<Self> {
        if !(1024..=u16::MAX - (COUNT - 1)).contains(&base) {
            bail!("MILLRACE_PORT_BASE={base} is not between 1024 and {}", u16::MAX - (COUNT - 1));
        }
        Ok(Self { base })
    }

    /// The base as a setting's text has it.
    ///
    /// # Errors
    /// When it is no number or out of range, naming the variable.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        match text.trim().parse() {
            Ok(base) => Self::from_base(base),
            Err(_) => {
                bail!("MILLRACE_PORT_BASE={text:?} is not a port number between 1024 and {}", u16::MAX - (COUNT - 1))
            }
        }
    }

    /// The first port.
    #[must_use]
    pub fn base(self) -> u16 {
        self.base
    }

    /// The dashboard's port, the base itself.
    #[must_use]
    pub fn dashboard(self) -> u16 {
        self.base
    }

    /// The broker's port.
    #[must_use]
    pub fn kafka(self) -> u16 {
        self.base + 1
    }

    /// The port of Kafka's controller.
    #[must_use]
    pub fn kafka_controller(self) -> u16 {
        self.base + 2
    }

    /// The MySQL server's port.
    #[must_use]
    pub fn mysql(self) -> u16 {
        self.base + 3
    }

    /// The document server's port.
    #[must_use]
    pub fn documents(self) -> u16 {
        self.base + 4
    }

    /// The object server's port.
    #[must_use]
    pub fn objects(self) -> u16 {
        self.base + 5
    }

    /// The port of the supervisor's own API and of Lambda's Invoke API.
    #[must_use]
    pub fn control(self) -> u16 {
        self.base + 6
    }

    /// Looks whether the ports can be bound now: all, or only those that are not the `services`' (the dashboard's and the
    /// control API's), where containers hold the others already.
    ///
    /// # Errors
    /// Names the ports that are taken, by what they are for, and the variable that moves them.
    pub fn check_free(self, services: bool) -> anyhow::Result<()> {
        let uses = ["dashboard", "Kafka", "Kafka's controller", "MySQL", "documents", "objects", "control"];
        let mut taken = Vec::new();
        let own = |port: &u16| services || *port == self.dashboard() || *port == self.control();
        for (port, purpose) in (self.base..).zip(uses).filter(|(port, _)| own(port)) {
            match bind(port) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken.push(format!("{port} ({purpose})")),
                Err(error) => bail!("can't listen on 127.0.0.1:{port} ({purpose}): {error}"),
            }
        }
        if !taken.is_empty() {
            bail!(
                "another program listens on port {}; set MILLRACE_PORT_BASE to the first of {COUNT} free ports",
                taken.join(", ")
            );
        }
        Ok(())
    }
}

/// Binds as the services do: a port whose last connections are still closing is free.
fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// Ports that are free, for one test: below the range that the system gives to outgoing connections, and no other test's of this
/// process.
#[cfg(test)]
#[allow(clippy::expect_used)]
pub(crate) fn free() -> Ports {
    use std::sync::atomic::{AtomicU16, Ordering};
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 300) as u16;
    std::iter::repeat_with(|| TAKEN.fetch_add(1, Ordering::Relaxed))
        .take(300)
        .map(|step| Ports { base: 30_000 + (start + step) % 300 * COUNT })
        .find(|ports| ports.check_free(true).is_ok())
        .expect("seven free ports in a row")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn every_port_follows_from_the_base() {
        let ports = Ports::parse(" 18100 ").unwrap();
        let all = [
            ports.dashboard(),
            ports.kafka(),
            ports.kafka_controller(),
            ports.mysql(),
            ports.documents(),
            ports.objects(),
            ports.control(),
        ];
        assert_eq!(all, [18100, 18101, 18102, 18103, 18104, 18105, 18106]);
    }

    #[test]
    fn a_base_that_is_no_port_is_refused_by_the_variable_s_name() {
        for text in ["", "http", "80", "65530", "70000", "-1"] {
            let error = Ports::parse(text).unwrap_err().to_string();
            assert!(error.contains("MILLRACE_PORT_BASE"), "{text}: {error}");
        }
        assert_eq!(Ports::parse("65529").unwrap().control(), 65535);
    }

    #[test]
    fn a_taken_port_is_named_with_its_purpose_and_the_variable() {
        let ports = free();
        let _holder = bind(ports.mysql()).unwrap();
        let error = ports.check_free(true).unwrap_err().to_string();
        assert!(error.contains(&format!("{} (MySQL)", ports.mysql())), "{error}");
        assert!(error.contains("MILLRACE_PORT_BASE"), "{error}");
        // A container's port may well be taken: by the container.
        assert!(ports.check_free(false).is_ok());
    }
}
