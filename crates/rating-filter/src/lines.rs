//! Lines of a stream, in memory that a long line cannot grow.

use std::io::{self, ErrorKind, Read};

use memchr::memchr;

/// The longest line that is looked at, in bytes without its end: as much as a broker takes in a record by default.
pub const MAX_LINE: usize = 1024 * 1024;

/// How much is asked for at once.
const CHUNK: usize = 256 * 1024;

/// What a stream holds between two ends of line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// The line, without its end.
    Whole(&'a [u8]),
    /// More than [`MAX_LINE`] bytes.
    TooLong,
}

pub(crate) struct Lines<R> {
    input: R,
    /// `from..to` is read and not yet given out.
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// Up to where `from..to` is known to hold no end of line.
    searched: usize,
    /// The beginning of the line that is being read was thrown away.
    too_long: bool,
    ended: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, buffer: vec![0; MAX_LINE + CHUNK], from: 0, to: 0, searched: 0, too_long: false, ended: false }
    }

    /// Reads once. Answers whether there may be more.
    pub(crate) fn read(&mut self) -> io::Result<bool> {
        if self.to - self.from > MAX_LINE {
            self.too_long = true;
            self.from = self.to;
        }
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        self.searched = self.to;
        let room = self.to..(self.to + CHUNK).min(self.buffer.len());
        let read = loop {
            match self.input.read(&mut self.buffer[room.clone()]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.to += read;
        self.ended = read == 0;
        Ok(!self.ended)
    }

    /// The next line of what was read; the last one needs no end.
    pub(crate) fn next(&mut self) -> Option<Line<'_>> {
        let (from, to) = match memchr(b'\n', &self.buffer[self.searched..self.to]) {
            Some(at) => (self.from, self.searched + at),
            None if self.ended && (self.from < self.to || self.too_long) => (self.from, self.to),
            None => {
                self.searched = self.to;
                return None;
            }
        };
        self.from = (to + 1).min(self.to);
        self.searched = self.from;
        let too_long = std::mem::take(&mut self.too_long) || to - from > MAX_LINE;
        Some(if too_long { Line::TooLong } else { Line::Whole(&self.buffer[from..to]) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Gives out its bytes in pieces of a size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(self.0.len()).min(room.len());
            let (now, later) = self.0.split_at(len);
            room[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    /// The lengths of the lines; `None` for one that is too long.
    fn lengths(bytes: &[u8], piece: usize) -> Vec<Option<usize>> {
        let mut lines = Lines::new(Pieces(bytes, piece));
        let mut found = Vec::new();
        loop {
            let more = lines.read().unwrap();
            while let Some(line) = lines.next() {
                found.push(match line {
                    Line::Whole(line) => Some(line.len()),
                    Line::TooLong => None,
                });
            }
            if !more {
                return found;
            }
        }
    }

    #[test]
    fn lines_are_cut_at_their_ends_however_they_come() {
        for piece in [1, 2, 3, 1000] {
            assert_eq!(lengths(b"", piece), []);
            assert_eq!(lengths(b"\n", piece), [Some(0)]);
            assert_eq!(lengths(b"ab\n\nc", piece), [Some(2), Some(0), Some(1)]);
            assert_eq!(lengths(b"ab\nc\n", piece), [Some(2), Some(1)]);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_is_read() {
        let line = |len: usize| vec![b'x'; len];
        for piece in [65_536, CHUNK, 10 * MAX_LINE] {
            for last_end in ["", "\n"] {
                let text = [
                    &line(MAX_LINE)[..],
                    b"\n",
                    &line(MAX_LINE + 1),
                    b"\n",
                    &line(5 * MAX_LINE),
                    b"\nab\n",
                    &line(2 * MAX_LINE),
                ];
                let text = [&text.concat(), last_end.as_bytes()].concat();
                assert_eq!(lengths(&text, piece), [Some(MAX_LINE), None, None, Some(2), None]);
            }
        }
    }
}
