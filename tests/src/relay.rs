//! A relay to a service that can go away: the service goes on, and nobody reaches it.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Passes connections on to a service, for as long as the test runs.
pub struct Relay {
    address: SocketAddr,
    line: Arc<Mutex<Line>>,
}

#[derive(Default)]
struct Line {
    away: bool,
    /// Both ends of every connection that was passed on.
    connections: Vec<TcpStream>,
}

impl Relay {
    /// Listens on a port of its own for what goes to `service`.
    pub fn to(service: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound port has a number");
        let relay = Self { address, line: Arc::default() };
        let line = relay.line.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut line = lock(&line);
                // A client that cannot be passed on finds its connection closed.
                if !line.away
                    && let Ok(connections) = pass(client, service)
                {
                    line.connections.extend(connections);
                }
            }
        });
        relay
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection and passes no further one on.
    pub fn go_away(&self) {
        let mut line = lock(&self.line);
        line.away = true;
        for connection in line.connections.drain(..) {
            // It may have ended by itself.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Passes connections on again.
    pub fn come_back(&self) {
        lock(&self.line).away = false;
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects a client with the service; both ends.
fn pass(client: TcpStream, service: SocketAddr) -> io::Result<[TcpStream; 2]> {
    let server = TcpStream::connect(service)?;
    let ends = [client.try_clone()?, server.try_clone()?];
    for (mut from, mut to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        thread::spawn(move || {
            // Either end may break off.
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    Ok(ends)
}
