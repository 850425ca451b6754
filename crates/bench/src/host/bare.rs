//! The least that can drive a Lambda function: a runtime API of one thread that hands out the next event at once. What the
//! local host is held against.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long a start may take (Lambda: 10 s).
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// A function's process that is driven by hand.
pub(crate) struct Bare {
    process: Child,
    connection: BufReader<TcpStream>,
    /// From the start of the process to its first request.
    pub(crate) start: Duration,
}

struct Request {
    line: String,
    body_bytes: usize,
}

impl Bare {
    /// Starts a function's binary with these variables besides Lambda's own, and waits until it asks for its first event.
    pub(crate) fn start(binary: &Path, environment: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        // A function that ends before it asks is waited for no longer than that: the listener is told by a connection of our own.
        let (accepted, waiting) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if waiting.recv_timeout(INIT_LIMIT) == Err(RecvTimeoutError::Timeout) {
                let _ = TcpStream::connect(address);
            }
        });
        let begun = Instant::now();
        let process = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "probe")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("can't start {}", binary.display()))?;
        let (stream, _) = listener.accept()?;
        drop(accepted);
        stream.set_nodelay(true)?;
        let mut bare = Self { process, connection: BufReader::new(stream), start: Duration::ZERO };
        let request = bare.read().with_context(|| {
            format!("{} did not ask for an event within {} s", binary.display(), INIT_LIMIT.as_secs())
        })?;
        if !request.line.contains("/runtime/invocation/next") {
            bail!("the function began with {}", request.line);
        }
        bare.start = begun.elapsed();
        Ok(bare)
    }

    /// Hands out one event; the time from its first byte to the last byte of the answer.
    pub(crate) fn invoke(&mut self, event: &[u8]) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 1\r\n\
             Lambda-Runtime-Deadline-Ms: 9999999999999\r\nLambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:local:0:function:probe\r\n\
             Lambda-Runtime-Trace-Id: Root=1-0-0\r\nContent-Length: {}\r\n\r\n",
            event.len(),
        );
        self.write(&[head.as_bytes(), event].concat())?;
        let answer = self.read()?;
        let taken = begun.elapsed();
        if !answer.line.contains("/invocation/1/response") {
            bail!("the function answered with {} ({} bytes)", answer.line, answer.body_bytes);
        }
        self.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
        self.read()?;
        Ok(taken)
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.connection.get_mut().write_all(bytes)
    }

    fn read(&mut self) -> anyhow::Result<Request> {
        let mut line = String::new();
        self.connection.read_line(&mut line)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            if self.connection.read_line(&mut header)? == 0 {
                bail!("the function closed its connection");
            }
            if header == "\r\n" {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        Ok(Request { line: line.trim().to_owned(), body_bytes: length })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
