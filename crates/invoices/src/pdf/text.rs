//! Text as glyphs in the order in which they are drawn, in either direction of writing.

use std::collections::BTreeSet;
use std::ops::Range;

use krilla::text::{GlyphId, KrillaGlyph};
use rustybuzz::{Direction, UnicodeBuffer};
use unicode_bidi::{BidiInfo, Level};

use super::fonts::{Fonts, Typeface, Weight};

/// A line of text, ready to be drawn from left to right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shaped {
    pub(crate) runs: Vec<Run>,
    /// Of all runs, at size 1.
    pub(crate) width: f32,
}

/// A part of a line in one font and direction.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) typeface: Typeface,
    /// What the glyphs say, so that it can be searched and copied.
    pub(crate) text: String,
    pub(crate) glyphs: Vec<KrillaGlyph>,
    /// At size 1.
    pub(crate) width: f32,
}

/// Turns text into lines of glyphs and remembers what it could not.
pub(crate) struct Shaper<'a> {
    fonts: &'a Fonts,
    /// Characters that no font has.
    pub(crate) missing: BTreeSet<char>,
}

impl<'a> Shaper<'a> {
    pub(crate) fn new(fonts: &'a Fonts) -> Self {
        Self { fonts, missing: BTreeSet::new() }
    }

    /// One line, however long.
    pub(crate) fn line(&mut self, text: &str, weight: Weight) -> Shaped {
        let text = self.printable(text, weight);
        let text = text.trim();
        let mut line = Shaped::default();
        let bidi = BidiInfo::new(text, None);
        for paragraph in &bidi.paragraphs {
            let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
            for range in runs {
                let rtl = levels.get(range.start).is_some_and(Level::is_rtl);
                let mut parts = self.by_typeface(text, range, weight);
                if rtl {
                    parts.reverse();
                }
                for (typeface, range) in parts {
                    let run = self.run(&text[range], typeface, rtl);
                    line.width += run.width;
                    line.runs.push(run);
                }
            }
        }
        line
    }

    /// As many lines as it takes within `width` at `size`; a word that is longer is divided.
    pub(crate) fn wrapped(&mut self, text: &str, weight: Weight, size: f32, width: f32) -> Vec<Shaped> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.fits(&longer, weight, size, width) {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(self.line(&line, weight));
                line.clear();
            }
            for character in word.chars() {
                line.push(character);
                if !self.fits(&line, weight, size, width) && line.chars().count() > 1 {
                    line.pop();
                    lines.push(self.line(&line, weight));
                    line = character.to_string();
                }
            }
        }
        if !line.is_empty() {
            lines.push(self.line(&line, weight));
        }
        lines
    }

    fn fits(&mut self, text: &str, weight: Weight, size: f32, width: f32) -> bool {
        self.line(text, weight).width * size <= width
    }

    /// The text with what no font has replaced, and nothing in it that would break the line.
    fn printable(&mut self, text: &str, weight: Weight) -> String {
        let mut printable = String::with_capacity(text.len());
        for character in text.chars() {
            if character.is_control() || character.is_whitespace() {
                printable.push(' ');
            } else if self.fonts.typeface(character, weight).is_some() {
                printable.push(character);
            } else if !is_invisible(character) {
                self.missing.insert(character);
                printable.push(char::REPLACEMENT_CHARACTER);
            }
        }
        printable
    }

    /// Parts of `range` that one font has, in the order of the text.
    fn by_typeface(&self, text: &str, range: Range<usize>, weight: Weight) -> Vec<(Typeface, Range<usize>)> {
        let mut parts: Vec<(Typeface, Range<usize>)> = Vec::new();
        for (at, character) in text[range.clone()].char_indices() {
            let (start, end) = (range.start + at, range.start + at + character.len_utf8());
            match parts.last_mut() {
                // A font is kept while it has what follows, so that spaces and marks do not divide words.
                Some((typeface, part)) if self.fonts.has(*typeface, character) => part.end = end,
                _ => parts.extend(self.fonts.typeface(character, weight).map(|typeface| (typeface, start..end))),
            }
        }
        parts
    }

    fn run(&self, text: &str, typeface: Typeface, rtl: bool) -> Run {
        let face = self.fonts.face(typeface);
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(if rtl { Direction::RightToLeft } else { Direction::LeftToRight });
        let shaped = rustybuzz::shape(face, &[], buffer);

        let mut starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        starts.sort_unstable();
        starts.dedup();
        let em = face.units_per_em() as f32;
        let glyphs: Vec<_> = std::iter::zip(shaped.glyph_infos(), shaped.glyph_positions())
            .map(|(info, position)| {
                let start = info.cluster as usize;
                let end = starts.iter().copied().find(|next| *next > start).unwrap_or(text.len());
                let scaled = |units: i32| units as f32 / em;
                KrillaGlyph {
                    glyph_id: GlyphId::new(info.glyph_id),
                    text_range: start..end,
                    x_advance: scaled(position.x_advance),
                    x_offset: scaled(position.x_offset),
                    y_offset: scaled(position.y_offset),
                    y_advance: scaled(position.y_advance),
                    location: None,
                }
            })
            .collect();
        let width = glyphs.iter().map(|glyph| glyph.x_advance).sum();
        Run { typeface, text: text.to_owned(), glyphs, width }
    }
}

/// Characters that only say how others are shaped or ordered: joiners, marks of direction, variation selectors.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}
