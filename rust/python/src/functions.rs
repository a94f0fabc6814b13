//! Functions on raw modules and on columns of cells.

use nb101_core::cell::{Entry, Module};
use nb101_core::hash::Digest;
use nb101_core::isa;
use nb101_core::parallel::{self, Monitor};
use nb101_core::shape::{self, Op, Skeleton, StructureCost};
use nb101_core::walk::{self, Random};
use nb101_core::{Cell, Error, RawCell, canon, hash, memory, modules, prune};
use numpy::{
    PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::arrays::{
    Columns, WithEntries, cells_from, check_order, columns, raw_cells_from, room_for, with_entries,
};
use crate::errors::to_python;
use crate::watch::{Watch, watched};

/// Reads modules of any element types and goes on with them.
struct Read<'a, 'py, T, F> {
    matrices: &'a [T],
    shape: &'a [usize],
    py: Python<'py>,
    keep_disconnected: bool,
    progress: Option<Py<PyAny>>,
    then: F,
}

impl<T, F, R> WithEntries for Read<'_, '_, T, F>
where
    T: Entry + Sync,
    F: FnOnce(modules::Modules, &Watch) -> Result<R, Error> + Send,
    R: Send,
{
    type Output = PyResult<R>;

    fn call<L: Entry + Sync>(self, ops: &[L], shape: &[usize]) -> PyResult<R> {
        let (n, v) = match (self.shape, shape) {
            (&[n, rows, columns], &[m, labels]) => {
                if rows != columns {
                    return Err(to_python(self.py, &Error::NotSquare { rows, columns }));
                }
                if labels != rows {
                    let error = Error::OpsLength { ops: labels, vertices: rows };
                    return Err(to_python(self.py, &error));
                }
                if n != m {
                    let text = format!(
                        "{n} matrices but {m} rows of ops: one row for each matrix is needed"
                    );
                    return Err(PyValueError::new_err(text));
                }
                (n, rows)
            }
            _ => return Err(PyTypeError::new_err("expected arrays of shape (n, v, v) and (n, v)")),
        };
        if v == 0 && n > 0 {
            return Err(to_python(self.py, &Error::TooFewVertices { vertices: 0 }));
        }
        let (matrices, keep) = (self.matrices, self.keep_disconnected);
        watched(self.py, self.progress, |watch| {
            let modules = modules::parse(matrices, ops, v, keep, watch)?;
            (self.then)(modules, watch)
        })
    }
}

struct ReadMatrices<'a, 'py, F> {
    ops: &'a Bound<'py, PyAny>,
    py: Python<'py>,
    keep_disconnected: bool,
    progress: Option<Py<PyAny>>,
    then: F,
}

impl<F, R> WithEntries for ReadMatrices<'_, '_, F>
where
    F: FnOnce(modules::Modules, &Watch) -> Result<R, Error> + Send,
    R: Send,
{
    type Output = PyResult<R>;

    fn call<T: Entry + Sync>(self, matrices: &[T], shape: &[usize]) -> PyResult<R> {
        let Self { ops, py, keep_disconnected, progress, then } = self;
        with_entries(ops, Read { matrices, shape, py, keep_disconnected, progress, then })?
    }
}

/// Fingerprints of raw modules as rows of 32 ASCII digits; zeros for disconnected ones.
#[pyfunction]
#[pyo3(signature = (matrices, ops, keep_disconnected, progress=None))]
pub fn hash_modules<'py>(
    py: Python<'py>,
    matrices: &Bound<'py, PyAny>,
    ops: &Bound<'py, PyAny>,
    keep_disconnected: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let then = |modules: modules::Modules, watch: &Watch| {
        let mut text = memory::filled(0, modules.cells.len().saturating_mul(32))?;
        for (digest, text) in modules::hash(&modules, watch)?.iter().zip(text.chunks_exact_mut(32))
        {
            if let Some(digest) = digest {
                text.copy_from_slice(&hash::hex_bytes(digest));
            }
        }
        Ok(text)
    };
    let text =
        with_entries(matrices, ReadMatrices { ops, py, keep_disconnected, progress, then })??;
    rows(py, text, 32)
}

/// The reference form of raw modules as columns.
#[pyfunction]
pub fn canonical_modules<'py>(
    py: Python<'py>,
    matrices: &Bound<'py, PyAny>,
    ops: &Bound<'py, PyAny>,
) -> PyResult<Columns<'py>> {
    let then = |modules: modules::Modules, watch: &Watch| {
        let mut cells = modules.packed()?;
        canon::representatives(&mut cells, watch)?;
        Ok(cells)
    };
    let read = ReadMatrices { ops, py, keep_disconnected: false, progress: None, then };
    let cells = with_entries(matrices, read)??;
    columns(py, &cells)
}

/// The reference form of one module given as lists of ints: the quick way for what people type.
#[pyfunction]
pub fn canonical_module(
    py: Python<'_>,
    matrix: Vec<Vec<i64>>,
    ops: Vec<i64>,
) -> PyResult<(u64, u64)> {
    let run = || {
        let rows = matrix.len();
        if let Some(row) = matrix.iter().find(|row| row.len() != rows) {
            return Err(Error::NotSquare { rows, columns: row.len() });
        }
        if ops.len() != rows {
            return Err(Error::OpsLength { ops: ops.len(), vertices: rows });
        }
        match nb101_core::cell::parse(&matrix.concat(), &ops)? {
            Module::Packed(cell) => Ok(canon::representative(cell)),
            Module::Large(module) => Err(module.why_not_packed()),
        }
    };
    let cell = run().map_err(|error| to_python(py, &error))?;
    Ok((cell.edges(), cell.labels()))
}

/// The reference form of one module whose matrix is the bytes of a C-ordered array of integers or
/// bools: the quick way for arrays.
#[pyfunction]
pub fn canonical_bytes(py: Python<'_>, matrix: &[u8], ops: Vec<i64>) -> PyResult<(u64, u64)> {
    let run = || match nb101_core::cell::parse(&entries(matrix, ops.len())?, &ops)? {
        Module::Packed(cell) => Ok(canon::representative(cell)),
        Module::Large(module) => Err(module.why_not_packed()),
    };
    let cell = run().map_err(|error| to_python(py, &error))?;
    Ok((cell.edges(), cell.labels()))
}

/// The vertices on a path from the first of `n` to the last, for any matrix of that kind; `None` if
/// it is not upper triangular.
#[pyfunction]
pub fn vertices_on_paths(py: Python<'_>, matrix: &[u8], n: usize) -> PyResult<Option<Vec<usize>>> {
    let entries = entries(matrix, n).map_err(|error| to_python(py, &error))?;
    let edge = |x: usize, y: usize| entries[x * n + y] != 0;
    if (0..n).any(|x| (0..=x).any(|y| edge(x, y))) {
        return Ok(None);
    }
    Ok(Some(if n < 2 { Vec::new() } else { prune::on_a_path(n, edge).unwrap_or_default() }))
}

/// Entries of a square matrix of any integer type: those that are neither 0 nor 1 read as 2.
fn entries(matrix: &[u8], n: usize) -> Result<Vec<u8>, Error> {
    let fits = n.checked_mul(n).is_some_and(|entries| match entries {
        0 => matrix.is_empty(),
        _ => !matrix.is_empty() && matrix.len().is_multiple_of(entries),
    });
    let size = matrix.len().checked_div(n.saturating_mul(n)).unwrap_or(1);
    if !fits {
        return Err(Error::OpsLength { ops: n, vertices: matrix.len().isqrt() });
    }
    let entry = |bytes: &[u8]| match bytes {
        [low @ 0..=1, rest @ ..] if rest.iter().all(|&byte| byte == 0) => *low,
        _ => 2,
    };
    // Little-endian: the first byte of a number is its lowest.
    Ok(matrix.chunks_exact(size.max(1)).map(entry).collect())
}

/// Raw modules, pruned but in the order of vertices given, as columns.
#[pyfunction]
pub fn pruned_modules<'py>(
    py: Python<'py>,
    matrices: &Bound<'py, PyAny>,
    ops: &Bound<'py, PyAny>,
) -> PyResult<Columns<'py>> {
    let then = |modules: modules::Modules, _: &Watch| modules.packed();
    let read = ReadMatrices { ops, py, keep_disconnected: false, progress: None, then };
    let cells = with_entries(matrices, read)??;
    columns(py, &cells)
}

/// One raw module of shape `(1, v, v)` as it stands, dangling vertices and all: its two words.
#[pyfunction]
pub fn packed_module(
    py: Python<'_>,
    matrices: &Bound<'_, PyAny>,
    ops: &Bound<'_, PyAny>,
) -> PyResult<(u64, u64)> {
    struct Matrix<'a, 'py>(&'a Bound<'py, PyAny>);
    struct Ops<'a, T>(&'a [T]);
    impl WithEntries for Matrix<'_, '_> {
        type Output = PyResult<Result<Option<RawCell>, Error>>;
        fn call<T: Entry + Sync>(self, matrix: &[T], _: &[usize]) -> Self::Output {
            with_entries(self.0, Ops(matrix))
        }
    }
    impl<T: Entry + Sync> WithEntries for Ops<'_, T> {
        type Output = Result<Option<RawCell>, Error>;
        fn call<L: Entry + Sync>(self, ops: &[L], _: &[usize]) -> Self::Output {
            nb101_core::cell::pack(self.0, ops)
        }
    }
    match with_entries(matrices, Matrix(ops))?? {
        Ok(Some(cell)) => Ok((cell.edges(), cell.labels())),
        Ok(None) => {
            Err(PyValueError::new_err("the module has too many vertices or too large codes"))
        }
        Err(error) => Err(to_python(py, &error)),
    }
}

/// Raises where a cell has an op that is not one of `num_ops`.
#[pyfunction]
pub fn check_ops<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    num_ops: usize,
) -> PyResult<()> {
    check_op_count(py, &cells_from(py, &edges, &labels)?, num_ops)
}

/// The reference form of modules, pruned first.
#[pyfunction]
pub fn canonical_cells<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
) -> PyResult<Columns<'py>> {
    let modules = raw_cells_from(py, &edges, &labels)?;
    let cells = watched(py, None, |watch| {
        let mut cells = memory::with_capacity(modules.len())?;
        for (index, &module) in modules.iter().enumerate() {
            let wrong = |source| Error::InModule { index, source: Box::new(source) };
            cells.push(prune::prune(module).map_err(wrong)?);
        }
        canon::representatives(&mut cells, watch)?;
        Ok(cells)
    })?;
    columns(py, &cells)
}

/// The fingerprint of a graph as it stands: not pruned, any integer labels, any number of vertices.
/// `inputs[v]` are the in-neighbours of `v`.
#[pyfunction]
pub fn hash_graph(py: Python<'_>, inputs: Vec<Vec<usize>>, labels: Vec<i64>) -> PyResult<String> {
    let n = labels.len();
    if inputs.len() != n || inputs.iter().flatten().any(|&x| x >= n) {
        return Err(PyValueError::new_err("inputs must name vertices, one list for each label"));
    }
    watched(py, None, |watch| hash::hash_graph_watched(&inputs, &labels, watch)).map(hash::hex)
}

/// Fingerprints of cells, 16 bytes each.
#[pyfunction]
#[pyo3(signature = (edges, labels, progress=None))]
pub fn hash_cells<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let cells = cells_from(py, &edges, &labels)?;
    let digests = watched(py, progress, |watch| {
        let mut digests: Vec<Digest> = memory::filled([0; 16], cells.len())?;
        hash::hash_cells(&cells, &mut digests, watch)?;
        Ok(digests.into_flattened())
    })?;
    rows(py, digests, 16)
}

/// Digests as rows of 32 ASCII digits.
#[pyfunction]
pub fn to_hex<'py>(
    py: Python<'py>,
    digests: PyReadonlyArray2<'py, u8>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    check_order(&*digests)?;
    let bytes = digests.as_slice()?;
    if digests.shape()[1] != 16 {
        return Err(PyTypeError::new_err("digests have 16 bytes each"));
    }
    let text = watched(py, None, |_| {
        let mut text = memory::with_capacity(bytes.len().saturating_mul(2))?;
        bytes.as_chunks::<16>().0.iter().for_each(|digest| text.extend(hash::hex_bytes(digest)));
        Ok(text)
    })?;
    rows(py, text, 32)
}

fn rows<T: numpy::Element>(
    py: Python<'_>,
    flat: Vec<T>,
    width: usize,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let n = flat.len() / width;
    PyArray1::from_vec(py, flat).reshape([n, width])
}

/// Adjacency matrices, zero-padded to `size` vertices.
#[pyfunction]
pub fn adjacency<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    size: usize,
) -> PyResult<Bound<'py, PyArray3<i8>>> {
    let cells = fitting(py, &edges, &labels, size)?;
    let flat = watched(py, None, |_| {
        let entries = cells.len().saturating_mul(size).saturating_mul(size);
        let mut flat = memory::filled(0i8, entries)?;
        for (cell, matrix) in cells.iter().zip(flat.chunks_exact_mut((size * size).max(1))) {
            for y in 1..cell.vertices() {
                for x in 0..y {
                    matrix[x * size + y] = (cell.edges() >> (x + y * (y - 1) / 2) & 1) as i8;
                }
            }
        }
        Ok(flat)
    })?;
    PyArray1::from_vec(py, flat).reshape([cells.len(), size, size])
}

/// Op codes, -1 input, -2 output, padded with -3 to `size` vertices.
#[pyfunction]
pub fn operations<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    size: usize,
) -> PyResult<Bound<'py, PyArray2<i8>>> {
    let cells = fitting(py, &edges, &labels, size)?;
    let flat = watched(py, None, |_| {
        let mut flat = memory::filled(-3i8, cells.len().saturating_mul(size))?;
        for (cell, codes) in cells.iter().zip(flat.chunks_exact_mut(size.max(1))) {
            codes.iter_mut().zip(0..cell.vertices()).for_each(|(code, v)| *code = cell.code(v));
        }
        Ok(flat)
    })?;
    rows(py, flat, size)
}

fn fitting(
    py: Python<'_>,
    edges: &PyReadonlyArray1<'_, u64>,
    labels: &PyReadonlyArray1<'_, u64>,
    size: usize,
) -> PyResult<Vec<RawCell>> {
    let cells = raw_cells_from(py, edges, labels)?;
    check_size(size, cells.iter().map(|cell| cell.vertices()).max())?;
    Ok(cells)
}

fn check_size(size: usize, most: Option<usize>) -> PyResult<()> {
    match most {
        Some(most) if most > size => Err(PyValueError::new_err(format!(
            "size {size} is too small: a cell has {most} vertices"
        ))),
        _ if size < 2 => {
            Err(PyValueError::new_err(format!("size {size} is too small: at least 2")))
        }
        _ => Ok(()),
    }
}

/// The official text columns: adjacency as 0 and 1 row by row, ops joined by commas. Each is an
/// Arrow string column: offsets, bytes.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn text_columns<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    ops: Vec<String>,
) -> PyResult<[(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u8>>); 2]> {
    let cells = cells_from(py, &edges, &labels)?;
    check_op_count(py, &cells, ops.len())?;
    let longest = ops.iter().map(String::len).max().unwrap_or(0) + 1;
    let (adjacency, operations) = watched(py, None, |_| {
        let column = || Ok((memory::with_capacity(cells.len() + 1)?, Vec::new()));
        let (mut adjacency, mut operations): (Text, Text) = (column()?, column()?);
        adjacency.0.push(0);
        operations.0.push(0);
        for cell in &cells {
            let v = cell.vertices();
            memory::reserve(&mut adjacency.1, v * v)?;
            memory::reserve(&mut operations.1, "input,output".len() + (v - 2) * longest)?;
            for x in 0..v {
                adjacency.1.extend((0..v).map(|y| {
                    b'0' + u8::from(x < y && cell.edges() >> (x + y * (y.max(1) - 1) / 2) & 1 == 1)
                }));
            }
            operations.1.extend(b"input,");
            for x in 1..v - 1 {
                operations.1.extend(ops[usize::from(cell.op(x))].as_bytes());
                operations.1.push(b',');
            }
            operations.1.extend(b"output");
            adjacency.0.push(adjacency.1.len() as i64);
            operations.0.push(operations.1.len() as i64);
        }
        Ok((adjacency, operations))
    })?;
    let column =
        |(offsets, bytes)| (PyArray1::from_vec(py, offsets), PyArray1::from_vec(py, bytes));
    Ok([column(adjacency), column(operations)])
}

/// Offsets and bytes of an Arrow string column.
type Text = (Vec<i64>, Vec<u8>);

fn check_op_count(py: Python<'_>, cells: &[Cell], num_ops: usize) -> PyResult<()> {
    for (index, &cell) in cells.iter().enumerate() {
        if let Err(source) = nb101_core::cell::check_ops(cell.raw(), num_ops) {
            return Err(to_python(py, &Error::InModule { index, source: Box::new(source) }));
        }
    }
    Ok(())
}

/// Channels of the stem, stacks, cells in each, classes, channels and side of the image.
type Sizes = (u32, u8, u32, u32, u32, u32);

fn skeleton((stem, stacks, cells_per_stack, classes, channels, side): Sizes) -> Skeleton {
    Skeleton {
        stem_channels: stem.into(),
        stacks: stacks.into(),
        cells_per_stack,
        num_classes: classes.into(),
        image_channels: channels.into(),
        image_size: side.into(),
    }
}

/// Trainable parameters and multiply-accumulates of each cell's network, that of NAS-Bench-101 if no
/// sizes are given.
#[pyfunction]
#[pyo3(signature = (edges, labels, ops, sizes=None))]
#[allow(clippy::type_complexity)]
pub fn costs<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    ops: Vec<String>,
    sizes: Option<Sizes>,
) -> PyResult<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>)> {
    let cells = cells_from(py, &edges, &labels)?;
    check_op_count(py, &cells, ops.len())?;
    // A rule is needed only for ops that occur.
    let mut used = [false; 16];
    cells.iter().for_each(|cell| {
        (1..cell.vertices() - 1).for_each(|v| used[usize::from(cell.op(v))] = true)
    });
    let rules: Result<Vec<Op>, Error> = (ops.iter().zip(used))
        .map(|(name, used)| if used { Op::from_name(name) } else { Ok(Op::Free) })
        .collect();
    let rules = rules.map_err(|error| to_python(py, &error))?;
    let skeleton = sizes.map_or_else(Skeleton::default, skeleton);
    let (parameters, flops) = watched(py, None, |watch| {
        let mut costs = memory::filled((0, 0), cells.len())?;
        let work = |_: usize, cells: &[Cell], costs: &mut [(i64, i64)]| {
            let mut known = (cells[0], StructureCost::new(cells[0], &rules, &skeleton));
            for (&cell, to) in cells.iter().zip(costs) {
                if cell.structure() != known.0.structure() {
                    known = (cell, StructureCost::new(cell, &rules, &skeleton));
                }
                let cost = known.1.of(cell);
                let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
                *to = (whole(cost.parameters), whole(cost.flops));
            }
        };
        parallel::map_chunks(&cells, &mut costs, 1 << 12, work, watch)?;
        let parameters = memory::collect(costs.iter().map(|cost| cost.0))?;
        Ok((parameters, memory::collect(costs.iter().map(|cost| cost.1))?))
    })?;
    Ok((PyArray1::from_vec(py, parameters), PyArray1::from_vec(py, flops)))
}

/// Channels of each vertex of each cell, padded with 0 to `size` vertices.
#[pyfunction]
pub fn vertex_channels<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    input: u64,
    output: u64,
    size: usize,
) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let cells = cells_from(py, &edges, &labels)?;
    check_size(size, cells.iter().map(|cell| cell.vertices()).max())?;
    let flat = watched(py, None, |_| {
        let mut flat = memory::filled(0, cells.len().saturating_mul(size))?;
        for (&cell, row) in cells.iter().zip(flat.chunks_exact_mut(size)) {
            let channels = shape::vertex_channels(cell, input, output);
            row.iter_mut()
                .zip(&channels[..cell.vertices()])
                .for_each(|(to, &from)| *to = from as i64);
        }
        Ok(flat)
    })?;
    rows(py, flat, size)
}

/// Longest path and largest directed cut of each cell.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn depth_width<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
) -> PyResult<(Bound<'py, PyArray1<i8>>, Bound<'py, PyArray1<i8>>)> {
    let cells = cells_from(py, &edges, &labels)?;
    let (depths, widths) = watched(py, None, |watch| {
        let mut known = ((0, 0), (0, 0));
        let mut each = |cell: Cell| {
            if known.0 != cell.structure() {
                known = (cell.structure(), (shape::depth(cell) as i8, shape::width(cell) as i8));
            }
            known.1
        };
        let (mut depths, mut widths) =
            (memory::with_capacity(cells.len())?, memory::with_capacity(cells.len())?);
        let mut pace = parallel::Pace::default();
        for (i, &cell) in cells.iter().enumerate() {
            if i % 64 == 0 {
                pace.ask(|| watch.tick(i, cells.len()))?;
            }
            let (depth, width) = each(cell);
            depths.push(depth);
            widths.push(width);
        }
        Ok((depths, widths))
    })?;
    Ok((PyArray1::from_vec(py, depths), PyArray1::from_vec(py, widths)))
}

/// Alignment distance of each cell to one.
#[pyfunction]
pub fn alignment_distances<'py>(
    py: Python<'py>,
    edges: PyReadonlyArray1<'py, u64>,
    labels: PyReadonlyArray1<'py, u64>,
    target_edges: u64,
    target_labels: u64,
) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let cells = cells_from(py, &edges, &labels)?;
    let target =
        Cell::from_words(target_edges, target_labels).map_err(|error| to_python(py, &error))?;
    let distances = watched(py, None, |watch| {
        let mut distances = memory::filled(0, cells.len())?;
        walk::alignment_distances(&cells, target, &mut distances, watch)?;
        Ok(distances)
    })?;
    Ok(PyArray1::from_vec(py, distances))
}

/// `n` cells of a space, drawn by raw encodings.
#[pyfunction]
pub fn random_cells<'py>(
    py: Python<'py>,
    space: &crate::space::Space,
    n: usize,
    seed: u64,
) -> PyResult<Columns<'py>> {
    room_for::<Cell>(py, &[n, 3])?;
    let cells =
        watched(py, None, |watch| walk::random_cells(&space.0, n, &mut Random::new(seed), watch))?;
    columns(py, &cells.ok_or_else(|| to_python(py, &Error::NoRandomCells))?)
}

/// Whether there is memory for more than a few small things.
#[pyfunction]
pub fn has_room() -> bool {
    memory::check().is_ok()
}

/// More threads than any machine of today has cores.
const MOST_THREADS: usize = 1 << 10;

/// Sets the number of threads; 0 is one for each core.
#[pyfunction]
pub fn set_threads(threads: usize) {
    parallel::set_threads(threads.min(MOST_THREADS));
}

/// The number of threads in use.
#[pyfunction]
pub fn get_threads() -> usize {
    parallel::threads()
}

/// The instruction set in use, and all that this machine has.
#[pyfunction]
pub fn cpu() -> (&'static str, Vec<&'static str>) {
    (isa::current().name(), isa::available().iter().map(|isa| isa.name()).collect())
}

/// Chooses an instruction set by name; `None` is the fastest.
#[pyfunction]
#[pyo3(signature = (name=None))]
pub fn set_cpu(py: Python<'_>, name: Option<&str>) -> PyResult<()> {
    let chosen = match name {
        None => None,
        Some(name) => match isa::available().into_iter().find(|isa| isa.name() == name) {
            Some(isa) => Some(isa),
            None => {
                let known: Vec<_> = isa::available().iter().map(|isa| isa.name()).collect();
                let error = Error::NoCpu { name: name.to_owned(), known: known.join(", ") };
                return Err(to_python(py, &error));
            }
        },
    };
    isa::set(chosen);
    Ok(())
}

/// MD5 blocks a second of the bare kernel on one core.
#[pyfunction]
pub fn kernel_peak(py: Python<'_>) -> f64 {
    py.detach(|| isa::kernel_peak(isa::current()))
}
