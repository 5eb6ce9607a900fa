//! From nested columns to flat ones: fields of structs, elements of lists, norms of embeddings.
use crate::options::Options;
use crate::profile::kind::{Kind, type_name};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, Float64Array, OffsetSizeTrait, make_array};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use std::collections::HashSet;
use std::sync::Arc;

/// One flat column: where it comes from and what it is.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Flattened name.
    pub name: String,
    /// Type of its values.
    pub data_type: DataType,
    /// How they are summarised.
    pub kind: Kind,
    /// The top-level column that it lies in.
    pub root: usize,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Field(usize),
    Elements,
    Norm,
}

/// A column that is not profiled, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Flattened name.
    pub name: String,
    /// Its type.
    pub type_name: String,
}

/// The flat columns of a schema that were asked for, and those whose type is not profiled.
///
/// # Errors
/// Two columns have the same flattened name, or a column that was asked for is not there.
pub fn flatten(schema: &Schema, options: &Options) -> Result<(Vec<Leaf>, Vec<Skipped>)> {
    let mut found = Found { leaves: vec![], skipped: vec![], names: HashSet::new() };
    for (root, field) in schema.fields().iter().enumerate() {
        found.walk(field.name().clone(), field, root, vec![])?;
    }
    if !options.may_lack_columns {
        let names = found.names.iter().map(String::as_str).collect();
        let listed: Vec<_> = schema.fields().iter().map(|field| field.name().clone()).collect();
        if let Some(message) = options.unknown_name(&names, &listed) {
            return Err(Error::Argument(message));
        }
    }
    let Found { mut leaves, mut skipped, .. } = found;
    leaves.retain(|leaf| options.wants(&leaf.name));
    skipped.retain(|column| options.wants(&column.name));
    Ok((leaves, skipped))
}

struct Found {
    leaves: Vec<Leaf>,
    skipped: Vec<Skipped>,
    names: HashSet<String>,
}

impl Found {
    fn walk(&mut self, name: String, field: &Field, root: usize, steps: Vec<Step>) -> Result<()> {
        let child = |step: Step| steps.iter().cloned().chain([step]).collect::<Vec<_>>();
        if let DataType::Struct(fields) = field.data_type() {
            for (i, inner) in fields.iter().enumerate() {
                self.walk(format!("{name}.{}", inner.name()), inner, root, child(Step::Field(i)))?;
            }
            return Ok(());
        }
        if !self.names.insert(name.clone()) {
            return Err(Error::Input(format!("two columns are called {name:?}: rename one of them")));
        }
        let Some(kind) = Kind::of(field.data_type()) else {
            self.skipped.push(Skipped { name, type_name: type_name(field.data_type()) });
            return Ok(());
        };
        let data_type = field.data_type().clone();
        self.leaves.push(Leaf { name: name.clone(), data_type, kind, root, steps: steps.clone() });
        match field.data_type() {
            DataType::FixedSizeList(..) if kind == Kind::Embedding => {
                let norm = Field::new("norm", DataType::Float64, true);
                self.walk(format!("{name}.norm"), &norm, root, child(Step::Norm))
            }
            DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _) => {
                self.walk(format!("{name}[]"), inner, root, child(Step::Elements))
            }
            _ => Ok(()),
        }
    }
}

impl Leaf {
    /// The values of this flat column in an array of its top-level column.
    ///
    /// # Errors
    /// The array contradicts itself.
    pub fn values(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let stepped = self.steps.iter().try_fold(array.clone(), |array, step| match step {
            Step::Field(i) => field_of(&array, *i),
            Step::Elements => elements_of(&array),
            Step::Norm => Ok(Arc::new(norms_of(&array)) as ArrayRef),
        });
        stepped.map_err(|e| Error::Input(format!("column {:?}: {e}", self.name)))
    }
}

/// A field of a struct; where the struct is null, so is the field.
fn field_of(array: &ArrayRef, field: usize) -> Result<ArrayRef, ArrowError> {
    let parent = array.as_struct();
    let child = parent.column(field);
    if parent.null_count() == 0 {
        return Ok(child.clone());
    }
    let child_nulls = child.logical_nulls();
    let nulls = NullBuffer::union(parent.nulls(), child_nulls.as_ref());
    match child.data_type() {
        // These keep nulls in their values or have no bitmap; taking rows writes the nulls in.
        DataType::Null | DataType::RunEndEncoded(..) | DataType::Union(..) => {
            let rows: arrow_array::UInt32Array =
                (0..parent.len() as u32).map(|i| parent.is_valid(i as usize).then_some(i)).collect();
            arrow_select::take::take(child, &rows, None)
        }
        _ => child.to_data().into_builder().nulls(nulls).build().map(make_array),
    }
}

/// The elements of all lists that are not null, one after another.
fn elements_of(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    fn ranged<O: OffsetSizeTrait>(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let lists = array.as_list::<O>();
        let offsets = lists.value_offsets();
        let (start, end) = (offsets[0].as_usize(), offsets[lists.len()].as_usize());
        if lists.null_count() == 0 {
            return Ok(lists.values().slice(start, end - start));
        }
        let rows = (0..lists.len()).filter(|&i| lists.is_valid(i));
        let kept = rows.flat_map(|i| offsets[i].as_usize() as u64..offsets[i + 1].as_usize() as u64);
        gather(lists.values(), kept)
    }
    match array.data_type() {
        DataType::List(_) => ranged::<i32>(array),
        DataType::LargeList(_) => ranged::<i64>(array),
        _ => {
            let lists = array.as_fixed_size_list();
            let width = lists.value_length() as u64;
            let first = lists.value_offset_at(0) as u64;
            let rows = (0..lists.len()).filter(|&i| lists.is_valid(i)).map(|i| first + i as u64 * width);
            gather(lists.values(), rows.flat_map(|at| at..at + width))
        }
    }
}

fn gather(values: &ArrayRef, rows: impl Iterator<Item = u64>) -> Result<ArrayRef, ArrowError> {
    let rows: arrow_array::UInt64Array = rows.map(Some).collect();
    arrow_select::take::take(values, &rows, None)
}

/// Euclidean norms of the vectors of an embedding; null where the vector is.
fn norms_of(array: &ArrayRef) -> Float64Array {
    let lists = array.as_fixed_size_list();
    let width = lists.value_length() as usize;
    let first = lists.value_offset_at(0);
    let values = lists.values();
    let squares = |i: usize| -> f64 {
        let range = first + i * width..first + (i + 1) * width;
        match values.data_type() {
            DataType::Float16 => {
                values.as_primitive::<Float16Type>().values()[range].iter().map(|x| x.to_f64().powi(2)).sum()
            }
            DataType::Float32 => values.as_primitive::<Float32Type>().values()[range]
                .iter()
                .map(|x| f64::from(*x).powi(2))
                .sum(),
            _ => values.as_primitive::<Float64Type>().values()[range].iter().map(|x| x * x).sum(),
        }
    };
    // A vector with a null in it has no length.
    let nulls = values.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    let whole = |i: usize| nulls.as_ref().is_none_or(|n| n.slice(first + i * width, width).null_count() == 0);
    (0..lists.len()).map(|i| (lists.is_valid(i) && whole(i)).then(|| squares(i).sqrt())).collect()
}
