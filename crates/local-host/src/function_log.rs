//! A function's log file: what its instances print, line by line, between Lambda's START, END and REPORT lines.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millrace_alarms::{Sink, emf};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::{mpsc, oneshot};

/// A log file is moved aside (`<name>.log.1`) when it reaches this many bytes.
const ROTATE_AT: u64 = 64 * 1024 * 1024;
/// How much of the log's end an invocation's answer carries, in bytes, as Lambda's `LogType: Tail`.
const TAIL: usize = 4 * 1024;
/// A line that is longer is cut into lines of this many bytes, as CloudWatch does.
const LONGEST_LINE: usize = 256 * 1024;
/// How long an invocation waits for its log's end. A function that goes on printing without end has none.
const PATIENCE: Duration = Duration::from_secs(5);

/// The log file of one function, shared by its instances.
pub(crate) struct FunctionLog {
    path: PathBuf,
    file: Mutex<(File, u64)>,
    metrics: Option<Sink>,
}

impl FunctionLog {
    /// Opens the file; metrics among the lines are handed to `metrics`, too.
    pub(crate) fn open(path: &Path, metrics: Option<Sink>) -> std::io::Result<FunctionLog> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(FunctionLog { path: path.to_owned(), file: Mutex::new((file, size)), metrics })
    }

    /// Hands on what a line measures, as CloudWatch does with a log in its embedded metric format.
    fn measure(&self, line: &[u8]) {
        if let Some(metrics) = self.metrics.as_ref().filter(|_| line.starts_with(b"{"))
            && let Ok(line) = std::str::from_utf8(line)
        {
            emf::read(line, |measurement| metrics(measurement));
        }
    }

    /// Appends lines that end with a line feed. A log that cannot be written is no reason to fail an invocation.
    fn append(&self, lines: &[u8]) {
        let mut guard = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, size) = &mut *guard;
        if *size > ROTATE_AT {
            let mut aside = self.path.clone().into_os_string();
            aside.push(".1");
            let renewed = std::fs::rename(&self.path, aside)
                .and_then(|()| OpenOptions::new().create(true).append(true).open(&self.path));
            if let Ok(renewed) = renewed {
                *file = renewed;
            }
            *size = 0;
        }
        if file.write_all(lines).is_ok() {
            *size += lines.len() as u64;
        }
    }
}

/// The log of one instance: it follows the process's output and frames the invocations in it.
#[derive(Clone)]
pub(crate) struct InstanceLog {
    marks: mpsc::UnboundedSender<Mark>,
}

enum Mark {
    Start(String),
    End { lines: String, tail: oneshot::Sender<String> },
    Drained(oneshot::Sender<()>),
}

impl InstanceLog {
    /// Follows a process's output until both pipes are closed.
    pub(crate) fn follow(log: Arc<FunctionLog>, out: ChildStdout, err: ChildStderr) -> InstanceLog {
        let (marks, receiver) = mpsc::unbounded_channel();
        tokio::spawn(follow(log, out, err, receiver));
        InstanceLog { marks }
    }

    pub(crate) fn start(&self, line: String) {
        // The follower ends only with the instance.
        let _ = self.marks.send(Mark::Start(line));
    }

    /// Writes the closing lines, after everything that was printed before, and answers the log's end since the start.
    pub(crate) async fn end(&self, lines: String) -> String {
        let (tail, answer) = oneshot::channel();
        let _ = self.marks.send(Mark::End { lines, tail });
        tokio::time::timeout(PATIENCE, answer).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// Waits until all that an ended process printed has been read.
    pub(crate) async fn drained(&self) {
        let (done, waiting) = oneshot::channel();
        let _ = self.marks.send(Mark::Drained(done));
        let _ = waiting.await;
    }
}

struct Tail {
    lines: VecDeque<Vec<u8>>,
    size: usize,
}

impl Tail {
    fn clear(&mut self) {
        self.lines.clear();
        self.size = 0;
    }

    fn push(&mut self, line: &[u8]) {
        let line = &line[line.len().saturating_sub(TAIL)..];
        self.size += line.len();
        self.lines.push_back(line.to_vec());
        while self.size > TAIL && self.lines.len() > 1 {
            self.size -= self.lines.pop_front().map_or(0, |line| line.len());
        }
    }

    fn text(&self) -> String {
        self.lines.iter().map(|line| String::from_utf8_lossy(line)).collect()
    }
}

async fn follow(log: Arc<FunctionLog>, out: ChildStdout, err: ChildStderr, mut marks: mpsc::UnboundedReceiver<Mark>) {
    let mut out = Pipe::new(out);
    let mut err = Pipe::new(err);
    let mut tail = Tail { lines: VecDeque::new(), size: 0 };
    let mut waiting: Vec<oneshot::Sender<()>> = Vec::new();
    loop {
        if !out.open && !err.open {
            for done in waiting.drain(..) {
                // Whoever waited may have run out of patience.
                let _ = done.send(());
            }
        }
        // The output comes first: what was printed before a mark stands before it.
        tokio::select! {
            biased;
            () = out.read(), if out.open => out.take_lines(&log, &mut tail),
            () = err.read(), if err.open => err.take_lines(&log, &mut tail),
            mark = marks.recv() => match mark {
                Some(Mark::Start(line)) => {
                    tail.clear();
                    log.append(line.as_bytes());
                    tail.push(line.as_bytes());
                }
                Some(Mark::End { lines, tail: answer }) => {
                    log.append(lines.as_bytes());
                    tail.push(lines.as_bytes());
                    let _ = answer.send(tail.text());
                }
                Some(Mark::Drained(done)) => waiting.push(done),
                None => break,
            },
        }
    }
    // The instance is gone; what it still printed is kept.
    while out.open || err.open {
        tokio::select! {
            () = out.read(), if out.open => out.take_lines(&log, &mut tail),
            () = err.read(), if err.open => err.take_lines(&log, &mut tail),
        }
    }
}

/// One of the process's outputs and the line that is not complete yet.
struct Pipe<R> {
    reader: R,
    buffer: Vec<u8>,
    open: bool,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    fn new(reader: R) -> Pipe<R> {
        Pipe { reader, buffer: Vec::with_capacity(4096), open: true }
    }

    async fn read(&mut self) {
        if self.buffer.capacity() - self.buffer.len() < 1024 {
            self.buffer.reserve(4096);
        }
        match self.reader.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => self.open = false,
            Ok(_) => {}
        }
    }

    fn take_lines(&mut self, log: &FunctionLog, tail: &mut Tail) {
        if !self.buffer.is_empty() && (!self.open || self.buffer.len() > LONGEST_LINE) {
            self.buffer.push(b'\n');
        }
        let Some(last) = self.buffer.iter().rposition(|&byte| byte == b'\n') else { return };
        log.append(&self.buffer[..=last]);
        for line in self.buffer[..=last].split_inclusive(|&byte| byte == b'\n') {
            log.measure(line);
            tail.push(line);
        }
        self.buffer.drain(..=last);
    }
}
