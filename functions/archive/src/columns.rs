//! Rows become Parquet, a group of rows in memory at a time.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use rust_decimal::Decimal;

/// Decimals of money.
const SCALE: u32 = 4;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Flag,
    /// Milliseconds, UTC.
    Time,
    /// Four decimals, 18 digits.
    Money,
}

/// A column; `optional` may be empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
}

/// A column that each row fills.
pub(crate) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, optional: false }
}

/// A column that may be empty.
pub(crate) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, optional: true }
}

/// A row of a file.
pub(crate) trait Row {
    /// The file's columns.
    const FIELDS: &'static [Field];

    /// Fills one cell of each column, in their order.
    fn fill(&self, cells: &mut Cells);
}

/// A file whose rows are written as they come: the rows of one group are held until it is full.
pub(crate) struct Table {
    file: SerializedFileWriter<Vec<u8>>,
    cells: Cells,
    rows: usize,
    group_rows: usize,
}

impl Table {
    /// An empty file with the columns of `R`, whose groups have `group_rows` rows.
    pub(crate) fn new<R: Row>(group_rows: usize) -> Result<Self, ParquetError> {
        let schema = Arc::new(parse_message_type(&schema(R::FIELDS))?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_created_by("millrace archive".into())
            .build();
        let file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        Ok(Self { file, cells: Cells::new(R::FIELDS), rows: 0, group_rows })
    }

    /// Adds a row.
    pub(crate) fn add<R: Row>(&mut self, row: &R) -> Result<(), ParquetError> {
        self.cells.next = 0;
        row.fill(&mut self.cells);
        self.rows += 1;
        if self.rows == self.group_rows { self.write_group() } else { Ok(()) }
    }

    /// How large the groups are that are written.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.bytes_written() as u64
    }

    /// The whole file.
    pub(crate) fn finish(mut self) -> Result<Bytes, ParquetError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        Ok(Bytes::from(self.file.into_inner()?))
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        self.rows = 0;
        let mut group = self.file.next_row_group()?;
        for column in &mut self.cells.columns {
            let Some(mut writer) = group.next_column()? else { break };
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }
}

fn schema(fields: &[Field]) -> String {
    let columns = fields.iter().map(|Field { name, kind, optional }| {
        let repetition = if *optional { "OPTIONAL" } else { "REQUIRED" };
        match kind {
            Kind::Text => format!("{repetition} BYTE_ARRAY {name} (STRING);"),
            Kind::Integer => format!("{repetition} INT64 {name};"),
            Kind::Number => format!("{repetition} DOUBLE {name};"),
            Kind::Flag => format!("{repetition} BOOLEAN {name};"),
            Kind::Time => format!("{repetition} INT64 {name} (TIMESTAMP(MILLIS,true));"),
            Kind::Money => format!("{repetition} INT64 {name} (DECIMAL(18,{SCALE}));"),
        }
    });
    format!("message millrace {{ {} }}", columns.collect::<Vec<_>>().join(" "))
}

/// The cells of a row group. They are filled from the first column to the last, by the kind that each column has.
pub(crate) struct Cells {
    columns: Vec<Column>,
    next: usize,
}

impl Cells {
    fn new(fields: &[Field]) -> Self {
        Self { columns: fields.iter().map(Column::new).collect(), next: 0 }
    }

    fn column(&mut self) -> Option<&mut Column> {
        self.next += 1;
        self.columns.get_mut(self.next - 1)
    }

    pub(crate) fn text<'a>(&mut self, value: impl Into<Option<&'a str>>) -> &mut Self {
        if let Some(Column { values: Values::Texts(values), levels }) = self.column() {
            push(values, levels, value.into().map(ByteArray::from));
        }
        self
    }

    pub(crate) fn integer(&mut self, value: impl Into<Option<u64>>) -> &mut Self {
        // No count of the platform is above 2^63.
        self.signed(value.into().map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
    }

    pub(crate) fn time(&mut self, value: DateTime<Utc>) -> &mut Self {
        self.signed(Some(value.timestamp_millis()))
    }

    /// At most four decimals and 18 digits, as the database's columns have.
    pub(crate) fn money(&mut self, value: Option<Decimal>) -> &mut Self {
        let units = value.map(|mut value| {
            value.rescale(SCALE);
            i64::try_from(value.mantissa()).unwrap_or(i64::MAX)
        });
        self.signed(units)
    }

    pub(crate) fn number(&mut self, value: f64) -> &mut Self {
        if let Some(Column { values: Values::Numbers(values), levels }) = self.column() {
            push(values, levels, Some(value));
        }
        self
    }

    pub(crate) fn flag(&mut self, value: impl Into<Option<bool>>) -> &mut Self {
        if let Some(Column { values: Values::Flags(values), levels }) = self.column() {
            push(values, levels, value.into());
        }
        self
    }

    fn signed(&mut self, value: Option<i64>) -> &mut Self {
        if let Some(Column { values: Values::Integers(values), levels }) = self.column() {
            push(values, levels, value);
        }
        self
    }
}

/// An empty cell of a column that is not optional is left out; writing the group then fails, as the columns differ in length.
fn push<T>(values: &mut Vec<T>, levels: &mut Option<Vec<i16>>, value: Option<T>) {
    if let Some(levels) = levels {
        levels.push(i16::from(value.is_some()));
    }
    values.extend(value);
}

/// A column's cells: the values that are there and, for an optional one, which are.
struct Column {
    values: Values,
    levels: Option<Vec<i16>>,
}

enum Values {
    Texts(Vec<ByteArray>),
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Flags(Vec<bool>),
}

impl Column {
    fn new(field: &Field) -> Self {
        let values = match field.kind {
            Kind::Text => Values::Texts(Vec::new()),
            Kind::Integer | Kind::Time | Kind::Money => Values::Integers(Vec::new()),
            Kind::Number => Values::Numbers(Vec::new()),
            Kind::Flag => Values::Flags(Vec::new()),
        };
        Self { values, levels: field.optional.then(Vec::new) }
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = self.levels.as_deref();
        match &mut self.values {
            Values::Texts(values) => put::<ByteArrayType>(writer, values, levels)?,
            Values::Integers(values) => put::<Int64Type>(writer, values, levels)?,
            Values::Numbers(values) => put::<DoubleType>(writer, values, levels)?,
            Values::Flags(values) => put::<BoolType>(writer, values, levels)?,
        }
        if let Some(levels) = &mut self.levels {
            levels.clear();
        }
        Ok(())
    }
}

fn put<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    writer.typed::<T>().write_batch(values, levels, None)?;
    values.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;

    struct Line(u64, Option<&'static str>, Option<&'static str>);

    impl Row for Line {
        const FIELDS: &'static [Field] =
            &[field("n", Kind::Integer), optional("name", Kind::Text), optional("amount", Kind::Money)];

        fn fill(&self, cells: &mut Cells) {
            cells.integer(self.0).text(self.1).money(self.2.map(|amount| amount.parse().unwrap()));
        }
    }

    #[test]
    fn rows_come_back_as_they_were_whatever_group_they_are_in() {
        let mut table = Table::new::<Line>(4).unwrap();
        let rows = 10;
        for n in 0..rows {
            let line = match n % 3 {
                0 => Line(n, Some("Zoë"), Some("1.5")),
                1 => Line(n, None, Some("-0.0001")),
                _ => Line(n, Some(""), None),
            };
            let before = table.bytes();
            table.add(&line).unwrap();
            assert_eq!(table.bytes() > before, n % 4 == 3, "a group is written when its last row comes");
        }
        let reader = SerializedFileReader::new(table.finish().unwrap()).unwrap();
        let groups = reader.metadata().row_groups().iter().map(|group| group.num_rows());
        assert_eq!(groups.collect::<Vec<_>>(), [4, 4, 2]);
        let read: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read.len() as u64, rows);
        for (n, row) in read.iter().enumerate() {
            assert_eq!(row.get_long(0).unwrap(), n as i64);
            let shown: Vec<String> = row.get_column_iter().map(|(_, cell)| cell.to_string()).collect();
            let expected = [["\"Zoë\"", "1.5000"], ["null", "-0.0001"], ["\"\"", "null"]][n % 3];
            assert_eq!(shown[1..], expected);
        }
    }

    #[test]
    fn a_file_without_rows_is_whole() {
        let reader = SerializedFileReader::new(Table::new::<Line>(4).unwrap().finish().unwrap()).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}
