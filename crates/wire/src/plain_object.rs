//! The usual form of a record, read in one pass: an object of plain strings, numbers, booleans and nulls.
//!
//! Whatever is not of that form (an escape, a nested value, a doubled field, a fault) is left to the complete reader, which
//! also finds the words for what is wrong. So this one may only ever say the same as that one, or nothing.

/// Finds the JSON text of the values of `names`; `None` when the complete reader has to look.
pub(crate) fn scan<'a, const N: usize>(text: &'a str, names: &[&'static str; N]) -> Option<[Option<&'a str>; N]> {
    let mut values = [None; N];
    let mut cursor = Cursor { text, bytes: text.as_bytes(), at: 0 };
    cursor.expect(b'{')?;
    // Producers write fields in one order: the name after the last one is tried first.
    let mut guess = 0;
    loop {
        cursor.skip_space();
        let name = cursor.string()?;
        let name = name.get(1..name.len() - 1)?;
        cursor.expect(b':')?;
        let value = cursor.value()?;
        let known = names.get(guess).is_some_and(|next| *next == name);
        let index = if known { Some(guess) } else { names.iter().position(|known| *known == name) };
        if let Some(index) = index {
            if values[index].replace(value).is_some() {
                return None;
            }
            guess = index + 1;
        }
        cursor.skip_space();
        match cursor.take()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    cursor.skip_space();
    (cursor.at == cursor.bytes.len()).then_some(values)
}

struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        (self.take()? == byte).then_some(())
    }

    /// A string without escapes, with its quotes.
    fn string(&mut self) -> Option<&'a str> {
        let from = self.at;
        if self.take()? != b'"' {
            return None;
        }
        let rest = self.bytes.get(self.at..)?;
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))?;
        self.at += end;
        if self.take()? != b'"' {
            return None;
        }
        self.text.get(from..self.at)
    }

    fn value(&mut self) -> Option<&'a str> {
        self.skip_space();
        let from = self.at;
        match self.peek()? {
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => return None,
        }
        self.text.get(from..self.at)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.take()? {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        self.skip_digits();
        (self.at > from).then_some(())
    }

    fn skip_digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }
}
