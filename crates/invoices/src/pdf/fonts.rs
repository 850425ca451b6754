//! The fonts that every PDF may use, and what they can say.

use krilla::text::Font;
use rustybuzz::Face;

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// One font's number among [`Fonts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Typeface(usize);

/// Noto Sans with Latin, Greek and Cyrillic letters in two weights, then Arabic and Hebrew.
pub(crate) struct Fonts {
    faces: Vec<(Face<'static>, Font)>,
}

static FILES: [&[u8]; 4] = [
    include_bytes!("../../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../../fonts/NotoSansArabic-Regular.ttf"),
    include_bytes!("../../fonts/NotoSansHebrew-Regular.ttf"),
];

impl Fonts {
    /// Reads them. `None` when one can't be read.
    pub(crate) fn load() -> Option<Self> {
        let read = |file: &&'static [u8]| Some((Face::from_slice(file, 0)?, Font::new((*file).into(), 0)?));
        Some(Self { faces: FILES.iter().map(read).collect::<Option<_>>()? })
    }

    /// The font that has this character, the one of this weight first.
    pub(crate) fn typeface(&self, character: char, weight: Weight) -> Option<Typeface> {
        let first = match weight {
            Weight::Regular => 0,
            Weight::Bold => 1,
        };
        [first, 2, 3].into_iter().map(Typeface).find(|typeface| self.has(*typeface, character))
    }

    /// Whether a font has this character. Glyph 0 is the one for those that it has not.
    pub(crate) fn has(&self, typeface: Typeface, character: char) -> bool {
        self.face(typeface).glyph_index(character).is_some_and(|glyph| glyph.0 != 0)
    }

    /// For shaping.
    pub(crate) fn face(&self, typeface: Typeface) -> &Face<'static> {
        &self.faces[typeface.0].0
    }

    /// For drawing.
    pub(crate) fn font(&self, typeface: Typeface) -> Font {
        self.faces[typeface.0].1.clone()
    }
}
