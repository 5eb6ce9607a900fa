//! Which segments a row belongs to: the values, or combinations of values, of some columns.
use super::picked::Picked;
use crate::profile::type_name;
use crate::{Error, Result};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_cast::{can_cast_types, cast};
use arrow_schema::{DataType, Schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The segment of all rows.
pub(super) const WHOLE: usize = 0;
/// What is shown of values without a segment of their own.
const OTHER: &str = "__other__";
/// What is shown of rows without a value.
const MISSING: &str = "(missing)";
/// Values are shown and told apart up to so many characters: a segment is a word, not a text.
const MOST_CHARACTERS: usize = 200;

/// The segments that are watched apart, numbered from 1 on; 0 is the whole.
///
/// First come those of `__other__`, one for each list of columns, then values in the order in which they are
/// met, up to a limit over all lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Segments {
    by: Vec<Vec<String>>,
    limit: usize,
    /// In the order of their numbers.
    met: Vec<Values>,
    #[serde(skip)]
    names: Vec<String>,
    #[serde(skip)]
    known: HashMap<Values, usize>,
}

/// The number of a list of columns, and a value of each of them.
type Values = (usize, Vec<Option<String>>);

impl Segments {
    /// Segments by lists of columns, of which none is met yet.
    pub fn new(by: Vec<Vec<String>>, limit: usize) -> Self {
        Self { by, limit, met: vec![], names: vec![], known: HashMap::new() }.restored()
    }

    /// The same after it was read back.
    pub fn restored(mut self) -> Self {
        let others = self.by.iter().map(|columns| named(columns, columns.iter().map(|_| OTHER.into())));
        let met = self.met.iter().map(|(list, values)| named(&self.by[*list], values.iter().map(shown)));
        self.names = std::iter::once(String::new()).chain(others).chain(met).collect();
        let first = 1 + self.by.len();
        self.known = self.met.iter().enumerate().map(|(i, values)| (values.clone(), first + i)).collect();
        self
    }

    /// How many there can ever be, the whole and `__other__` among them.
    pub fn most(&self) -> usize {
        1 + if self.by.is_empty() { 0 } else { self.by.len() + self.limit }
    }

    /// How many there are so far.
    pub fn met(&self) -> usize {
        self.names.len()
    }

    /// The name of a segment, empty for the whole: `country=FR`, `country=FR, device=__other__`.
    pub fn name(&self, segment: usize) -> &str {
        &self.names[segment]
    }

    /// Whether rows of these columns can be told apart.
    ///
    /// # Errors
    /// A column is missing, or has no values that can be told apart.
    pub fn check(&self, schema: &Schema) -> Result<()> {
        for column in self.by.iter().flatten() {
            let field = schema.field_with_name(column).map_err(|_| no_column(column))?;
            if !can_cast_types(field.data_type(), &DataType::Utf8) {
                let found = type_name(field.data_type());
                return Err(Error::Input(format!(
                    "column {column:?}, which tells the segments, is {found}: it takes text, numbers, flags or times"
                )));
            }
        }
        Ok(())
    }

    /// Rows of each segment but the whole, as numbers among these.
    ///
    /// # Errors
    /// A column is missing, or has no values that can be told apart.
    pub fn rows(&mut self, of: &Picked) -> Result<Vec<(usize, Vec<u32>)>> {
        let mut rows: HashMap<usize, Vec<u32>> = HashMap::new();
        for list in 0..self.by.len() {
            let ids = self.ids(list, of)?;
            for (row, id) in ids.into_iter().enumerate() {
                rows.entry(id).or_default().push(row as u32);
            }
        }
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_unstable_by_key(|(id, _)| *id);
        Ok(rows)
    }

    /// The segment of each row, by one list of columns.
    fn ids(&mut self, list: usize, rows: &Picked) -> Result<Vec<usize>> {
        let mut codes = vec![0usize; rows.len()];
        let mut values: Vec<Vec<Option<String>>> = vec![vec![]];
        for column in &self.by[list] {
            // Values of a column get codes; a combination is a code for each pair of codes met.
            let array = rows.column(column)?.ok_or_else(|| no_column(column))?;
            let text = cast(&array, &DataType::Utf8)
                .map_err(|e| Error::Input(format!("column {column:?}, which tells the segments: {e}")))?;
            let text = text.as_string::<i32>();
            let mut met: HashMap<(usize, Option<&str>), usize> = HashMap::new();
            let mut joined: Vec<Vec<Option<String>>> = vec![];
            for (row, code) in codes.iter_mut().enumerate() {
                let value = text.is_valid(row).then(|| text.value(row));
                *code = match met.entry((*code, value)) {
                    Entry::Occupied(met) => *met.get(),
                    Entry::Vacant(new) => {
                        let mut combination = values[new.key().0].clone();
                        combination.push(value.map(|value| cut(value).to_owned()));
                        joined.push(combination);
                        *new.insert(joined.len() - 1)
                    }
                };
            }
            values = joined;
        }
        let ids: Vec<usize> = values.iter().map(|combination| self.id(list, combination)).collect();
        Ok(codes.into_iter().map(|code| ids[code]).collect())
    }

    fn id(&mut self, list: usize, values: &[Option<String>]) -> usize {
        let full = self.names.len() >= self.most();
        match self.known.entry((list, values.to_vec())) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(_) if full => 1 + list,
            Entry::Vacant(new) => {
                self.names.push(named(&self.by[list], values.iter().map(shown)));
                self.met.push(new.key().clone());
                *new.insert(self.names.len() - 1)
            }
        }
    }
}

fn no_column(column: &str) -> Error {
    Error::Input(format!("no column {column:?}, which tells the segments"))
}

fn named<'a>(columns: &[String], values: impl Iterator<Item = Cow<'a, str>>) -> String {
    let pairs = columns.iter().zip(values).map(|(column, value)| format!("{}={value}", quoted(column)));
    pairs.collect::<Vec<_>>().join(", ")
}

/// A value as it is shown: no two are shown alike.
fn shown(value: &Option<String>) -> Cow<'_, str> {
    match value.as_deref() {
        None => MISSING.into(),
        Some(value) if value == OTHER || value == MISSING => format!("{value:?}").into(),
        Some(value) => quoted(value),
    }
}

/// A text in quotes, where it would be read as more than one without.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '=', '"']) { format!("{text:?}").into() } else { text.into() }
}

fn cut(value: &str) -> &str {
    let end = value.char_indices().nth(MOST_CHARACTERS).map_or(value.len(), |(i, _)| i);
    &value[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use std::collections::HashSet;
    use std::sync::Arc;

    fn batch() -> Picked {
        let country = StringArray::from(vec![Some("FR"), Some("DE"), None, Some("FR"), Some("NO")]);
        let device = Int64Array::from(vec![1, 1, 2, 2, 1]);
        let columns: [(&str, ArrayRef); 2] = [("country", Arc::new(country)), ("device", Arc::new(device))];
        Picked::all(RecordBatch::try_from_iter(columns).unwrap())
    }

    fn told(segments: &mut Segments) -> Vec<(String, Vec<u32>)> {
        let rows = segments.rows(&batch()).unwrap();
        rows.into_iter().map(|(id, rows)| (segments.name(id).to_owned(), rows)).collect()
    }

    #[test]
    fn values_and_combinations_are_segments_up_to_the_limit() {
        let by = vec![vec!["country".into()], vec!["country".into(), "device".into()]];
        let mut segments = Segments::new(by, 5);
        assert_eq!((segments.most(), segments.name(WHOLE)), (8, ""));
        let expected = [
            ("country=__other__, device=__other__", vec![2, 3, 4]),
            ("country=FR", vec![0, 3]),
            ("country=DE", vec![1]),
            ("country=(missing)", vec![2]),
            ("country=NO", vec![4]),
            ("country=FR, device=1", vec![0]),
        ];
        let expected: Vec<_> = expected.map(|(name, rows)| (name.to_owned(), rows)).into();
        // DE and device 1 comes second, where the last place is taken.
        let mut first = told(&mut segments);
        assert_eq!(first.remove(0), (expected[0].0.clone(), vec![1, 2, 3, 4]));
        assert_eq!(first, expected[1..]);
        assert_eq!(segments.clone().restored(), segments);
        assert_eq!(told(&mut segments).len(), 6);
    }

    #[test]
    fn values_that_look_like_names_are_segments_of_their_own() {
        let values = ["__other__", "(missing)", "A, d=1", "A", "\"A\"", ""];
        let k = StringArray::from_iter(values.iter().map(Some).chain([None]));
        let d = StringArray::from(vec!["1"; 7]);
        let columns: [(&str, ArrayRef); 2] = [("k", Arc::new(k)), ("d", Arc::new(d))];
        let batch = Picked::all(RecordBatch::try_from_iter(columns).unwrap());
        let mut segments = Segments::new(vec![vec!["k".into()], vec!["k".into(), "d".into()]], 99);
        let named = |segments: &mut Segments| {
            let rows = segments.rows(&batch).unwrap();
            rows.into_iter().map(|(id, rows)| (segments.name(id).to_owned(), rows)).collect::<Vec<_>>()
        };
        let told = named(&mut segments);
        assert!(told.iter().all(|(_, rows)| rows.len() == 1));
        let names: HashSet<_> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), 14);
        for name in
            ["k=\"__other__\"", "k=(missing)", "k=\"A, d=1\"", "k=A, d=1", "k=", "k=\"__other__\", d=1"]
        {
            assert!(names.contains(name), "{name}");
        }
        let bytes = postcard::to_allocvec(&segments).unwrap();
        let mut again = postcard::from_bytes::<Segments>(&bytes).unwrap().restored();
        assert_eq!(again, segments);
        assert_eq!(named(&mut again), told);
    }

    #[test]
    fn a_column_that_is_not_there_is_named() {
        let mut segments = Segments::new(vec![vec!["city".into()]], 5);
        let error = segments.rows(&batch()).unwrap_err().to_string();
        assert_eq!(error, "no column \"city\", which tells the segments");
        assert_eq!(Segments::new(vec![], 50).most(), 1);
    }
}
