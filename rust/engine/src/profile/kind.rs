//! What a column is to us: the Arrow type decides how its values are summarised.
use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How the values of a column are summarised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Integers, floats and decimals.
    Number,
    /// Dates, times, timestamps and durations: numbers in their unit.
    Time,
    /// Booleans, strings and bytes.
    Category,
    /// Lists: their length; their elements are a column of their own, `name[]`.
    List,
    /// Fixed-size lists of floats: their length; their Euclidean norm is a column of its own, `name.norm`.
    Embedding,
    /// A column without a type, all null.
    Null,
}

impl Kind {
    /// The name in tables and messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Number => "number",
            Kind::Time => "time",
            Kind::Category => "category",
            Kind::List => "list",
            Kind::Embedding => "embedding",
            Kind::Null => "null",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Kind::Number, Kind::Time, Kind::Category, Kind::List, Kind::Embedding, Kind::Null]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// Values are numbers: they have quantiles and moments.
    pub fn is_numeric(self) -> bool {
        matches!(self, Kind::Number | Kind::Time)
    }

    /// The kind of a type; `None` for types that are not profiled. Structs have no kind: they are flattened.
    pub fn of(data_type: &DataType) -> Option<Self> {
        use DataType::*;
        Some(match data_type {
            Null => Kind::Null,
            Boolean | Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView
            | FixedSizeBinary(_) => Kind::Category,
            Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 | Float16 | Float32 | Float64 => {
                Kind::Number
            }
            Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => Kind::Number,
            Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..) | Duration(_) => Kind::Time,
            Dictionary(_, values) => match Self::of(values)? {
                kind @ (Kind::Category | Kind::Number | Kind::Time | Kind::Null) => kind,
                Kind::List | Kind::Embedding => return None,
            },
            RunEndEncoded(_, values) => match Self::of(values.data_type())? {
                kind @ (Kind::Category | Kind::Number | Kind::Time | Kind::Null) => kind,
                Kind::List | Kind::Embedding => return None,
            },
            FixedSizeList(field, _) if matches!(field.data_type(), Float16 | Float32 | Float64) => {
                Kind::Embedding
            }
            List(_) | LargeList(_) | FixedSizeList(..) => Kind::List,
            Struct(_) | ListView(_) | LargeListView(_) | Interval(_) | Union(..) | Map(..) => return None,
        })
    }
}

/// The logical type's name: how it is stored (offsets, views, dictionaries, run ends) does not matter to a profile.
pub fn type_name(data_type: &DataType) -> String {
    use DataType::*;
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    };
    match data_type {
        Null => "null".into(),
        Boolean => "bool".into(),
        Utf8 | LargeUtf8 | Utf8View => "string".into(),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => "binary".into(),
        Decimal32(p, s) | Decimal64(p, s) | Decimal128(p, s) | Decimal256(p, s) => {
            format!("decimal({p}, {s})")
        }
        Date32 => "date[d]".into(),
        Date64 => "date[ms]".into(),
        Time32(u) | Time64(u) => format!("time[{}]", unit(u)),
        Timestamp(u, None) => format!("timestamp[{}]", unit(u)),
        Timestamp(u, Some(zone)) => format!("timestamp[{}, {zone}]", unit(u)),
        Duration(u) => format!("duration[{}]", unit(u)),
        Dictionary(_, values) => type_name(values),
        RunEndEncoded(_, values) => type_name(values.data_type()),
        List(field) | LargeList(field) => format!("list[{}]", type_name(field.data_type())),
        FixedSizeList(field, n) => format!("list[{}, {n}]", type_name(field.data_type())),
        Map(..) => "map".into(),
        Union(..) => "union".into(),
        Interval(_) => "interval".into(),
        Struct(_) => "struct".into(),
        ListView(field) | LargeListView(field) => format!("list view[{}]", type_name(field.data_type())),
        other => other.to_string().to_lowercase(),
    }
}

/// Whether numbers of two types mean the same: of times, the unit and what is measured must agree.
pub fn same_measure(kind: Kind, a: &str, b: &str) -> bool {
    let unit = |name: &str| {
        name.split_once('[').and_then(|(_, rest)| rest.split([',', ']']).next().map(str::to_owned))
    };
    kind != Kind::Time || (family(a), unit(a)) == (family(b), unit(b))
}

/// What is measured, whatever its unit.
fn family(name: &str) -> &str {
    name.split('[').next().unwrap_or_default()
}

/// Whether times of two types, joined by `|`, say the same, in whatever unit or zone: days are instants too.
pub fn same_times(a: &str, b: &str) -> bool {
    fn families(names: &str) -> BTreeSet<&str> {
        names.split('|').map(family).map(|name| if name == "date" { "timestamp" } else { name }).collect()
    }
    families(a) == families(b)
}

/// Whether all values of the types, joined by `|`, are whole numbers.
pub fn is_integral(type_name: &str) -> bool {
    type_name.split('|').all(|name| name.starts_with("int") || name.starts_with("uint"))
}
