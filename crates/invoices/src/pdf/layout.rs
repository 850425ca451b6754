//! Where everything stands on the pages.

use std::collections::BTreeSet;

use super::fonts::{Fonts, Weight};
use super::text::{Shaped, Shaper};
use crate::sheet::{Row, Section, Sheet};

/// A4 in points.
pub(crate) const WIDTH: f32 = 595.28;
pub(crate) const HEIGHT: f32 = 841.89;

const LEFT: f32 = 46.0;
const RIGHT: f32 = WIDTH - 46.0;
const TOP: f32 = 50.0;
const BOTTOM: f32 = HEIGHT - 62.0;

/// Left edge of the description and the number, right edge of the quantity and the amount.
const DESCRIPTION: f32 = LEFT;
const NUMBER: f32 = LEFT + 243.0;
const QUANTITY: f32 = LEFT + 420.0;
const NET: f32 = RIGHT;
const GAP: f32 = 10.0;

const SIZE: f32 = 9.0;
const SMALL: f32 = 7.5;
const LEADING: f32 = 12.5;
/// Above and below the text of a row.
const PADDING: f32 = 3.2;

type Color = (u8, u8, u8);
const INK: Color = (0x14, 0x18, 0x1f);
const QUIET: Color = (0x5b, 0x64, 0x70);
const RULE: Color = (0xcf, 0xd5, 0xdd);
const FAINT: Color = (0xf3, 0xf5, 0xf8);
const ACCENT: Color = (0x1d, 0x4f, 0x91);
const ALERT: Color = (0xa0, 0x23, 0x23);

/// Something on a page. Sizes and places are in points from the upper left corner.
pub(crate) enum Mark {
    /// A line of text; `y` is its baseline.
    Text { x: f32, y: f32, size: f32, color: Color, text: Shaped },
    /// A filled box.
    Box { left: f32, top: f32, width: f32, height: f32, color: Color },
}

/// The pages and what could not be said on them.
pub(crate) struct LaidOut {
    pub(crate) pages: Vec<Vec<Mark>>,
    pub(crate) missing: BTreeSet<char>,
}

/// Lays a sheet out on as many pages as it takes.
pub(crate) fn lay_out(fonts: &Fonts, sheet: &Sheet, currency: &str) -> LaidOut {
    let mut layout = Layout { shaper: Shaper::new(fonts), pages: vec![Vec::new()], y: TOP };
    layout.head(sheet);
    layout.parties(sheet);
    layout.table(sheet, currency);
    layout.totals(sheet);
    layout.notes(sheet);
    layout.feet(sheet);
    LaidOut { pages: layout.pages, missing: layout.shaper.missing }
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

/// How text looks.
#[derive(Clone, Copy)]
struct Style {
    weight: Weight,
    size: f32,
    color: Color,
}

const PLAIN: Style = Style { weight: Weight::Regular, size: SIZE, color: INK };
const BOLD: Style = Style { weight: Weight::Bold, ..PLAIN };
const DIM: Style = Style { color: QUIET, ..PLAIN };
const HEAD: Style = Style { weight: Weight::Bold, size: SMALL, color: QUIET };

struct Layout<'a> {
    shaper: Shaper<'a>,
    pages: Vec<Vec<Mark>>,
    /// The lower edge of what stands on the last page.
    y: f32,
}

impl Layout<'_> {
    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn shaped(&mut self, text: Shaped, x: f32, y: f32, align: Align, style: Style) {
        let x = match align {
            Align::Left => x,
            Align::Right => x - text.width * style.size,
        };
        self.mark(Mark::Text { x, y, size: style.size, color: style.color, text });
    }

    fn text(&mut self, text: &str, x: f32, y: f32, align: Align, style: Style) {
        let text = self.shaper.line(text, style.weight);
        self.shaped(text, x, y, align, style);
    }

    /// Lines below each other, the first one's baseline at `y`; gives the last one's.
    fn lines(&mut self, lines: &[String], x: f32, mut y: f32, width: f32, align: Align, style: Style) -> f32 {
        let mut first = true;
        for line in lines {
            // The first one is a name.
            let style =
                if std::mem::take(&mut first) { Style { color: INK, weight: Weight::Bold, ..style } } else { style };
            for part in self.shaper.wrapped(line, style.weight, style.size, width) {
                self.shaped(part, x, y, align, style);
                y += LEADING;
            }
        }
        y - LEADING
    }

    fn rule(&mut self, left: f32, right: f32, y: f32, thickness: f32, color: Color) {
        self.mark(Mark::Box { left, top: y, width: right - left, height: thickness, color });
    }

    /// Goes on on the next page.
    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    fn head(&mut self, sheet: &Sheet) {
        let half = (RIGHT - LEFT) * 0.5;
        let seller = self.lines(&sheet.seller, RIGHT, TOP + SIZE, half - GAP, Align::Right, DIM);
        let title = Style { weight: Weight::Bold, size: 20.0, color: ACCENT };
        self.text(sheet.title, LEFT, TOP + 16.0, Align::Left, title);
        let mut y = TOP + 34.0;
        self.text(&sheet.number, LEFT, y, Align::Left, Style { size: 11.0, ..BOLD });
        if let Some(mark) = &sheet.mark {
            let alert = mark.starts_with("Cancelled") || mark.starts_with("Overdue");
            let color = if alert { ALERT } else { QUIET };
            y += 19.0;
            self.framed(mark, y, color);
        }
        let y = y.max(seller) + 12.0;
        self.rule(LEFT, RIGHT, y, 1.5, ACCENT);
        self.y = y + 2.0;
    }

    /// Text in a frame.
    fn framed(&mut self, text: &str, y: f32, color: Color) {
        let style = Style { color, ..BOLD };
        let text = self.shaper.line(text, style.weight);
        let (width, height) = (text.width * style.size + 12.0, 16.0);
        let top = y - 11.5;
        for (top, height) in [(top, 1.2), (top + height, 1.2)] {
            self.mark(Mark::Box { left: LEFT, top, width: width + 1.2, height, color });
        }
        for left in [LEFT, LEFT + width] {
            self.mark(Mark::Box { left, top, width: 1.2, height, color });
        }
        self.shaped(text, LEFT + 6.6, y, Align::Left, style);
    }

    fn parties(&mut self, sheet: &Sheet) {
        let top = self.y + 22.0;
        self.text("Billed to", LEFT, top, Align::Left, Style { size: SMALL, ..DIM });
        let half = (RIGHT - LEFT) * 0.5;
        let left = self.lines(&sheet.customer, LEFT, top + LEADING, half - GAP, Align::Left, PLAIN);
        let label = LEFT + half + GAP;
        let mut y = top;
        for (name, value) in &sheet.facts {
            self.text(name, label, y, Align::Left, DIM);
            for part in self.shaper.wrapped(value, Weight::Regular, SIZE, half - 90.0) {
                self.shaped(part, RIGHT, y, Align::Right, PLAIN);
                y += LEADING;
            }
        }
        self.y = left.max(y) + 24.0;
    }

    fn table(&mut self, sheet: &Sheet, currency: &str) {
        let columns = Sheet::columns(currency);
        self.table_head(&columns);
        for Section { title, rows, subtotal } in &sheet.sections {
            for (at, row) in rows.iter().enumerate() {
                let cells = self.cells(row);
                let height = cells.height();
                let heading = if at == 0 { 26.0 } else { 0.0 };
                // A heading stands with its first row, and the last row with the sum.
                let sum = if at + 1 == rows.len() { LEADING + 2.0 * PADDING } else { 0.0 };
                if self.y + heading + height + sum > BOTTOM {
                    self.turn();
                    self.table_head(&columns);
                }
                if at == 0 {
                    self.y += heading;
                    self.text(title, LEFT, self.y - 7.0, Align::Left, Style { size: 10.0, color: ACCENT, ..BOLD });
                    self.rule(LEFT, RIGHT, self.y, 0.5, RULE);
                }
                self.row(cells);
            }
            let y = self.y + PADDING + SIZE;
            self.text(title, DESCRIPTION, y, Align::Left, BOLD);
            self.text(subtotal, NET, y, Align::Right, BOLD);
            self.y += LEADING + 2.0 * PADDING;
        }
    }

    fn table_head(&mut self, [description, number, quantity, net]: &[String; 4]) {
        let y = self.y + SMALL;
        self.text(description, DESCRIPTION, y, Align::Left, HEAD);
        self.text(number, NUMBER, y, Align::Left, HEAD);
        self.text(quantity, QUANTITY, y, Align::Right, HEAD);
        self.text(net, NET, y, Align::Right, HEAD);
        self.y += SMALL + 6.0;
        self.rule(LEFT, RIGHT, self.y, 0.8, INK);
    }

    fn cells(&mut self, row: &Row) -> Cells {
        Cells {
            description: self.shaper.wrapped(&row.description, Weight::Regular, SIZE, NUMBER - DESCRIPTION - GAP),
            msisdn: self.shaper.line(&row.msisdn, Weight::Regular),
            quantity: self.shaper.line(&row.quantity, Weight::Regular),
            net: self.shaper.line(&row.net, Weight::Regular),
        }
    }

    fn row(&mut self, cells: Cells) {
        let height = cells.height();
        let first = self.y + PADDING + SIZE;
        let mut y = first;
        for line in cells.description {
            self.shaped(line, DESCRIPTION, y, Align::Left, PLAIN);
            y += LEADING;
        }
        self.shaped(cells.msisdn, NUMBER, first, Align::Left, PLAIN);
        self.shaped(cells.quantity, QUANTITY, first, Align::Right, PLAIN);
        self.shaped(cells.net, NET, first, Align::Right, PLAIN);
        self.y += height;
        self.rule(LEFT, RIGHT, self.y, 0.5, RULE);
    }

    fn totals(&mut self, sheet: &Sheet) {
        let height = |strong| if strong { 22.0 } else { 16.0 };
        let all: f32 = sheet.totals.iter().map(|total| height(total.strong)).sum();
        self.y += 16.0;
        if self.y + all > BOTTOM {
            self.turn();
        }
        let left = RIGHT - 232.0;
        for total in &sheet.totals {
            let height = height(total.strong);
            let style = if total.strong { Style { size: 11.0, ..BOLD } } else { PLAIN };
            if total.strong {
                self.mark(Mark::Box { left, top: self.y, width: RIGHT - left, height, color: FAINT });
                self.rule(left, RIGHT, self.y, 0.8, INK);
            }
            let y = self.y + height * 0.5 + style.size * 0.37;
            self.text(&total.label, left + 6.0, y, Align::Left, style);
            self.text(&total.amount, RIGHT - 6.0, y, Align::Right, style);
            self.y += height;
        }
    }

    fn notes(&mut self, sheet: &Sheet) {
        self.y += 26.0;
        for note in &sheet.notes {
            for line in self.shaper.wrapped(note, Weight::Regular, SIZE, RIGHT - LEFT) {
                if self.y > BOTTOM {
                    self.turn();
                    self.y += SIZE;
                }
                self.shaped(line, LEFT, self.y, Align::Left, DIM);
                self.y += LEADING;
            }
        }
    }

    /// The number of pages is known at last.
    fn feet(&mut self, sheet: &Sheet) {
        let style = Style { size: SMALL, ..DIM };
        let all = self.pages.len();
        let seller = sheet.seller.first().map_or("", String::as_str);
        let name = format!("{} {} · {seller}", sheet.title, sheet.number);
        let name = self.shaper.wrapped(&name, style.weight, style.size, (RIGHT - LEFT) * 0.75).into_iter().next();
        let name = name.unwrap_or_default();
        for (at, page) in self.pages.iter_mut().enumerate() {
            let of = self.shaper.line(&format!("Page {} of {all}", at + 1), style.weight);
            let (y, right) = (HEIGHT - 36.0, RIGHT - of.width * style.size);
            page.push(Mark::Box { left: LEFT, top: y - 14.0, width: RIGHT - LEFT, height: 0.5, color: RULE });
            page.push(Mark::Text { x: LEFT, y, size: style.size, color: style.color, text: name.clone() });
            page.push(Mark::Text { x: right, y, size: style.size, color: style.color, text: of });
        }
    }
}

/// A row of the table, shaped.
struct Cells {
    description: Vec<Shaped>,
    msisdn: Shaped,
    quantity: Shaped,
    net: Shaped,
}

impl Cells {
    fn height(&self) -> f32 {
        self.description.len().max(1) as f32 * LEADING + 2.0 * PADDING
    }
}
