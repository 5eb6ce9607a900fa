//! The Arrow PyCapsule interface, both ways, without copies.
//!
//! A capsule owns a C struct until somebody moves it out; what is moved out releases itself.
use crate::error::{through, to_py};
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray, make_array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use driftline_engine::Error;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use std::ffi::CStr;
use std::sync::Arc;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// Batches of one schema.
pub struct Batches {
    pub schema: SchemaRef,
    pub batches: Box<dyn Iterator<Item = Result<RecordBatch, Error>> + Send>,
}

/// Opens whatever an object offers of the Arrow PyCapsule interface as batches.
pub fn import_batches(data: &Bound<'_, PyAny>) -> PyResult<Batches> {
    if data.hasattr("__arrow_c_stream__")? {
        let capsule = data.call_method0("__arrow_c_stream__")?;
        let reader = import_stream(capsule.cast::<PyCapsule>()?)?;
        let schema = reader.schema();
        let batches = reader.map(|batch| batch.map_err(producer_error));
        return Ok(Batches { schema, batches: Box::new(batches) });
    }
    let (field, array) = import_array(data)?;
    let batch = as_batch(&field, array).map_err(|e| to_py(data.py(), e))?;
    Ok(Batches { schema: batch.schema(), batches: Box::new(std::iter::once(Ok(batch))) })
}

/// Imports single arrays: of a stream each chunk, of an array itself; a batch must have one column, which counts.
pub fn import_arrays(data: &Bound<'_, PyAny>) -> PyResult<Vec<ArrayRef>> {
    let arrays = import_any_arrays(data)?;
    arrays.into_iter().map(|array| only_column(array).map_err(|e| to_py(data.py(), e))).collect()
}

fn only_column(array: ArrayRef) -> Result<ArrayRef, Error> {
    match array.as_any().downcast_ref::<StructArray>() {
        None => Ok(array),
        Some(rows) if rows.num_columns() == 1 && rows.null_count() == 0 => Ok(rows.column(0).clone()),
        Some(rows) => Err(Error::Argument(format!(
            "values have {} columns: a sketch takes one at a time",
            rows.num_columns()
        ))),
    }
}

fn import_any_arrays(data: &Bound<'_, PyAny>) -> PyResult<Vec<ArrayRef>> {
    if data.hasattr("__arrow_c_array__")? {
        return Ok(vec![import_array(data)?.1]);
    }
    if !data.hasattr("__arrow_c_stream__")? {
        return Err(not_arrow(data)?);
    }
    let capsule = data.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: a capsule of this name holds this struct; `from_raw` moves it out and leaves an empty one.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
    let mut reader = arrow_array::ffi_stream::ArrayStreamReader::try_new(stream)
        .map_err(|e| to_py(data.py(), producer_error(e)))?;
    reader.by_ref().map(|array| array.map_err(|e| to_py(data.py(), producer_error(e)))).collect()
}

fn not_arrow(data: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    let name = data.get_type().fully_qualified_name()?;
    Ok(PyTypeError::new_err(format!(
        "{name} is not Arrow data: it has neither __arrow_c_stream__ nor __arrow_c_array__"
    )))
}

fn import_stream(capsule: &Bound<'_, PyCapsule>) -> PyResult<RecordBatchStreamReader> {
    let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: a capsule of this name holds this struct; `from_raw` moves it out and leaves an empty one.
    let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) };
    reader.map_err(|e| to_py(capsule.py(), producer_error(e)))
}

fn import_array(data: &Bound<'_, PyAny>) -> PyResult<(Field, ArrayRef)> {
    if !data.hasattr("__arrow_c_array__")? {
        return Err(not_arrow(data)?);
    }
    let capsules = data.call_method0("__arrow_c_array__")?;
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = capsules.cast::<PyTuple>()?.extract()?;
    let schema = schema.cast::<PyCapsule>()?.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.cast::<PyCapsule>()?.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: capsules of these names hold these structs; the schema is only read, the array is moved out.
    let imported = unsafe {
        let schema = schema.as_ref();
        Field::try_from(schema)
            .and_then(|field| Ok((field, from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema)?)))
    };
    let (field, array) = imported.map_err(|e| to_py(data.py(), producer_error(e)))?;
    Ok((field, make_array(array)))
}

/// A struct is a batch; any other array is a batch of one column.
fn as_batch(field: &Field, array: ArrayRef) -> Result<RecordBatch, Error> {
    match array.data_type() {
        DataType::Struct(_) => {
            let rows = array.as_any().downcast_ref::<StructArray>().filter(|rows| rows.null_count() == 0);
            let rows = rows.ok_or_else(|| Error::Input("a batch has null rows".into()))?;
            Ok(RecordBatch::from(rows))
        }
        _ => {
            let name = if field.name().is_empty() { "value" } else { field.name() };
            let schema = Arc::new(Schema::new(vec![Field::new(name, array.data_type().clone(), true)]));
            RecordBatch::try_new(schema, vec![array]).map_err(producer_error)
        }
    }
}

/// What a producer of Arrow data complained about.
pub fn producer_error(error: ArrowError) -> Error {
    Error::Input(format!("the source of the data failed: {error}"))
}

/// One batch as the pair of capsules of `__arrow_c_array__`.
pub fn export_array<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyTuple>> {
    let rows = StructArray::from(batch.clone());
    let (array, schema) = to_ffi(&rows.to_data()).map_err(|e| to_py(py, producer_error(e)))?;
    let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
    let array = PyCapsule::new_with_value(py, array, ARRAY)?;
    PyTuple::new(py, [schema, array])
}

/// Batches of one schema as the capsule of `__arrow_c_stream__`.
pub fn export_stream<'py>(
    py: Python<'py>,
    schema: SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch, Error>> + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    let batches = batches.map(|batch| batch.map_err(|e| ArrowError::ExternalError(Box::new(e))));
    let reader: Box<dyn RecordBatchReader + Send> = Box::new(RecordBatchIterator::new(batches, schema));
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

/// The next of a Python iterator, its error carried through.
pub fn next_of<'py>(
    iterator: &mut Bound<'py, pyo3::types::PyIterator>,
) -> Option<Result<Bound<'py, PyAny>, Error>> {
    iterator.next().map(|item| item.map_err(through))
}
