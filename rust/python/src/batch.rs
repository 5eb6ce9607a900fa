//! Record batches from Python's buffers and lists: how NumPy data enter, without NumPy.
use crate::arrow::{export_array, import_arrays, producer_error};
use crate::error::to_py;
use arrow_array::builder::{BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::types::*;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Float64Array, NullArray, PrimitiveArray, RecordBatch,
    make_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat;
use driftline_engine::Error;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyString, PyTuple};
use std::ptr::NonNull;
use std::sync::Arc;

/// A record batch made from buffers and lists.
#[pyclass(frozen)]
pub struct Batch(RecordBatch);

/// Keeps a Python buffer, and so its memory, alive for as long as Arrow looks at it.
struct Owner {
    _buffer: PyUntypedBuffer,
}

// SAFETY: the buffer is only held here, never touched; dropping it takes the GIL.
unsafe impl Send for Owner {}
// SAFETY: as above.
unsafe impl Sync for Owner {}
impl std::panic::RefUnwindSafe for Owner {}

#[pymethods]
impl Batch {
    #[staticmethod]
    fn from_columns(columns: Vec<(String, Bound<'_, PyAny>, String)>) -> PyResult<Self> {
        let mut fields = vec![];
        let mut arrays: Vec<ArrayRef> = vec![];
        for (name, values, dtype) in &columns {
            let array = match dtype.as_str() {
                "object" => from_list(values)?,
                "arrow" => from_arrow(values)?,
                _ => from_buffer(values, dtype)?,
            };
            if let Some(first) = arrays.first().filter(|first| first.len() != array.len()) {
                return Err(PyValueError::new_err(format!(
                    "column {name:?} has {} rows, column {:?} has {}",
                    array.len(),
                    columns[0].0,
                    first.len()
                )));
            }
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let options = arrow_array::RecordBatchOptions::new()
            .with_row_count(Some(arrays.first().map_or(0, |a| a.len())));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options);
        batch.map(Self).map_err(|e| PyValueError::new_err(e.to_string()))
    }

    #[getter]
    fn rows(&self) -> usize {
        self.0.num_rows()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface lets a producer give its own types where it cannot cast.
        drop(requested_schema);
        export_array(py, &self.0)
    }
}

/// The chunks of an Arrow column, as one.
fn from_arrow(values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let chunks = import_arrays(values)?;
    let chunks: Vec<&dyn Array> = chunks.iter().map(AsRef::as_ref).collect();
    match chunks[..] {
        [] => Ok(Arc::new(NullArray::new(0))),
        [one] => Ok(make_array(one.to_data())),
        _ => concat(&chunks).map_err(|e| to_py(values.py(), producer_error(e))),
    }
}

fn from_buffer(values: &Bound<'_, PyAny>, dtype: &str) -> PyResult<ArrayRef> {
    let buffer = PyUntypedBuffer::get(values)?;
    if buffer.dimensions() != 1 || !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err("a buffer must be one-dimensional and contiguous"));
    }
    let (items, item_size, bytes) = (buffer.item_count(), buffer.item_size(), buffer.len_bytes());
    let pointer = NonNull::new(buffer.buf_ptr().cast::<u8>());
    let data = match pointer {
        Some(pointer) if bytes > 0 => {
            let owner = Arc::new(Owner { _buffer: buffer });
            // SAFETY: the owner keeps these bytes alive and in place.
            unsafe { Buffer::from_custom_allocation(pointer, bytes, owner) }
        }
        _ => Buffer::from(Vec::<u8>::new()),
    };
    let sized = |size: usize| {
        let told = format!("dtype {dtype} has items of {size} bytes, the buffer of {item_size}");
        if size == item_size { Ok(()) } else { Err(PyValueError::new_err(told)) }
    };
    macro_rules! numbers {
        ($type:ty) => {{
            sized(size_of::<<$type as ArrowPrimitiveType>::Native>())?;
            primitive::<$type>(data, items, None)
        }};
    }
    macro_rules! times {
        ($type:ty) => {{
            sized(8)?;
            let nat = not_a_time(&data, items);
            primitive::<$type>(data, items, nat)
        }};
    }
    let (kind, unit) =
        dtype.split_once('[').map_or((dtype, ""), |(kind, unit)| (kind, unit.trim_end_matches(']')));
    Ok(match (kind.trim_start_matches(['<', '|', '=']), unit) {
        ("f8", _) => numbers!(Float64Type),
        ("f4", _) => numbers!(Float32Type),
        ("f2", _) => numbers!(Float16Type),
        ("i8", _) => numbers!(Int64Type),
        ("i4", _) => numbers!(Int32Type),
        ("i2", _) => numbers!(Int16Type),
        ("i1", _) => numbers!(Int8Type),
        ("u8", _) => numbers!(UInt64Type),
        ("u4", _) => numbers!(UInt32Type),
        ("u2", _) => numbers!(UInt16Type),
        ("u1", _) => numbers!(UInt8Type),
        ("b1", _) => {
            sized(1)?;
            let bits = BooleanBuffer::collect_bool(items, |i| data[i] != 0);
            Arc::new(BooleanArray::new(bits, None))
        }
        ("M8", "s") => times!(TimestampSecondType),
        ("M8", "ms") => times!(TimestampMillisecondType),
        ("M8", "us") => times!(TimestampMicrosecondType),
        ("M8", "ns") => times!(TimestampNanosecondType),
        ("m8", "s") => times!(DurationSecondType),
        ("m8", "ms") => times!(DurationMillisecondType),
        ("m8", "us") => times!(DurationMicrosecondType),
        ("m8", "ns") => times!(DurationNanosecondType),
        _ => return Err(PyTypeError::new_err(format!("dtype {dtype} is not supported"))),
    })
}

/// Python's buffers need not be aligned; Arrow's are.
fn aligned<T: ArrowPrimitiveType>(data: Buffer) -> Buffer {
    if data.as_ptr().align_offset(align_of::<T::Native>()) == 0 {
        data
    } else {
        Buffer::from(data.as_slice())
    }
}

fn primitive<T: ArrowPrimitiveType>(data: Buffer, items: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    let values = ScalarBuffer::<T::Native>::new(aligned::<T>(data), 0, items);
    Arc::new(PrimitiveArray::<T>::new(values, nulls))
}

/// NumPy's "not a time" is the smallest 64-bit integer.
fn not_a_time(data: &Buffer, items: usize) -> Option<NullBuffer> {
    let (words, _) = data.as_slice().as_chunks::<8>();
    let valid = BooleanBuffer::collect_bool(items, |i| i64::from_le_bytes(words[i]) != i64::MIN);
    Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
}

/// A column from Python objects of one kind and None.
fn from_list(values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let values = values.cast::<PyList>()?;
    let present = || values.iter().filter(|v| !v.is_none());
    let Some(first) = present().next() else { return Ok(Arc::new(NullArray::new(values.len()))) };
    if first.is_instance_of::<PyBool>() {
        let mut column = BooleanBuilder::with_capacity(values.len());
        values
            .iter()
            .enumerate()
            .try_for_each(|(i, v)| item(&v, i, "bool").map(|v| column.append_option(v)))?;
        return Ok(Arc::new(column.finish()));
    }
    if first.is_instance_of::<PyString>() {
        let mut column = StringBuilder::with_capacity(values.len(), values.len() * 8);
        values
            .iter()
            .enumerate()
            .try_for_each(|(i, v)| item::<String>(&v, i, "str").map(|v| column.append_option(v)))?;
        return Ok(Arc::new(column.finish()));
    }
    if first.is_instance_of::<PyBytes>() {
        let mut column = BinaryBuilder::with_capacity(values.len(), values.len() * 8);
        values
            .iter()
            .enumerate()
            .try_for_each(|(i, v)| item::<Vec<u8>>(&v, i, "bytes").map(|v| column.append_option(v)))?;
        return Ok(Arc::new(column.finish()));
    }
    let number = |v: &Bound<'_, PyAny>| v.is_instance_of::<PyInt>() && !v.is_instance_of::<PyBool>();
    if present().all(|v| number(&v)) {
        let mut column = Int64Builder::with_capacity(values.len());
        values
            .iter()
            .enumerate()
            .try_for_each(|(i, v)| item(&v, i, "int").map(|v| column.append_option(v)))?;
        return Ok(Arc::new(column.finish()));
    }
    if first.is_instance_of::<PyFloat>() || number(&first) {
        let mut column = Float64Builder::with_capacity(values.len());
        values
            .iter()
            .enumerate()
            .try_for_each(|(i, v)| item(&v, i, "float").map(|v| column.append_option(v)))?;
        let column: Float64Array = column.finish();
        return Ok(Arc::new(column));
    }
    let name = first.get_type().fully_qualified_name()?;
    Err(PyTypeError::new_err(format!(
        "values of type {name} are not supported: convert them to str or to numbers"
    )))
}

fn item<'py, T: for<'a> FromPyObject<'a, 'py>>(
    value: &Bound<'py, PyAny>,
    row: usize,
    expected: &str,
) -> PyResult<Option<T>> {
    if value.is_none() {
        return Ok(None);
    }
    value.extract().map(Some).map_err(|_| {
        let error =
            Error::Argument(format!("row {row} is {}, not {expected}: a column holds one type", value));
        to_py(value.py(), error)
    })
}
