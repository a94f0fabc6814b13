//! Every way in which input can be wrong. Each message says what, where and what to do; the
//! Python layer maps the variants to exceptions in one place.

use crate::cell::{MAX_OPS, MAX_VERTICES};

/// What is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The matrix is not square.
    #[error("matrix must be square: it has {rows} rows and {columns} columns")]
    NotSquare {
        /// Rows given.
        rows: usize,
        /// Columns given.
        columns: usize,
    },
    /// The number of labels is not the number of vertices.
    #[error("length of ops must match matrix dimensions: {ops} ops for {vertices} vertices")]
    OpsLength {
        /// Labels given.
        ops: usize,
        /// Vertices of the matrix.
        vertices: usize,
    },
    /// Fewer than two vertices.
    #[error("a cell needs at least 2 vertices, input and output: this one has {vertices}")]
    TooFewVertices {
        /// Vertices given.
        vertices: usize,
    },
    /// More vertices than can be handled or than the space allows.
    #[error("too many vertices: {vertices}{}, at most {limit} are allowed", .pruned.then_some(" after pruning").unwrap_or_default())]
    TooManyVertices {
        /// Vertices given.
        vertices: usize,
        /// The limit.
        limit: usize,
        /// Whether the vertices were counted after pruning.
        pruned: bool,
    },
    /// More edges than the space allows.
    #[error("too many edges: {edges} after pruning, at most {limit} are allowed")]
    TooManyEdges {
        /// Edges after pruning.
        edges: usize,
        /// The limit.
        limit: usize,
    },
    /// An entry is on or below the diagonal.
    #[error(
        "matrix must be upper triangular: entry ({row}, {column}) is {value}, only 0 may stand on or below the diagonal"
    )]
    NotUpperTriangular {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
        /// The entry, printed.
        value: String,
    },
    /// An entry is neither 0 nor 1.
    #[error("matrix entries must be 0 or 1: entry ({row}, {column}) is {value}")]
    NotBinary {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
        /// The entry, printed.
        value: String,
    },
    /// A padding vertex has an edge.
    #[error(
        "vertex {vertex} is padding (op code -3) but entry ({row}, {column}) of the matrix is {value}: padding must be 0"
    )]
    PaddingEdge {
        /// The first padding vertex concerned.
        vertex: usize,
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
        /// The entry, printed.
        value: String,
    },
    /// The first label is not `input`.
    #[error("the first op must be 'input' (code -1): vertex 0 has code {code}")]
    FirstOp {
        /// The code found, printed.
        code: String,
    },
    /// The last label is not `output`.
    #[error("the last op must be 'output' (code -2): vertex {vertex} has code {code}")]
    LastOp {
        /// The last vertex.
        vertex: usize,
        /// The code found, printed.
        code: String,
    },
    /// `input`, `output` or padding stands between the ends.
    #[error("vertex {vertex} cannot be {}: only the first vertex is 'input', only the last is 'output', and padding stands at the end", describe_end(.code))]
    MisplacedOp {
        /// The vertex.
        vertex: usize,
        /// Its code, -1, -2 or -3.
        code: i64,
    },
    /// A label names no op.
    #[error("unknown op code {code} at vertex {vertex}: the codes of this space are 0 to {}", .num_ops - 1)]
    UnknownOp {
        /// The vertex.
        vertex: usize,
        /// The code found, printed.
        code: String,
        /// Number of ops in the space.
        num_ops: usize,
    },
    /// A label that no hash can take: negative or not an integer.
    #[error("op code {code} at vertex {vertex} is not an integer of at least 0")]
    BadOpCode {
        /// The vertex.
        vertex: usize,
        /// The code found, printed.
        code: String,
    },
    /// Input and output are not connected.
    #[error("disconnected: no path leads from input to output")]
    Disconnected,
    /// One module of a batch is wrong.
    #[error("module {index}: {source}")]
    InModule {
        /// Its position in the batch.
        index: usize,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// A packed cell has bits that mean nothing.
    #[error("not a packed cell: edges {edges:#x}, labels {labels:#x}")]
    BadPacked {
        /// The edge word.
        edges: u64,
        /// The label word.
        labels: u64,
    },
    /// A space outside the supported range.
    #[error("max_vertices must be from 2 to {MAX_VERTICES}: it is {given}")]
    SpaceVertices {
        /// The value given.
        given: usize,
    },
    /// A space outside the supported range.
    #[error("max_edges must be at least 1: it is 0")]
    SpaceEdges,
    /// A space outside the supported range.
    #[error("a space needs from 1 to {MAX_OPS} ops: {given} were given")]
    SpaceOps {
        /// The number given.
        given: usize,
    },
    /// An id past the end of the space.
    #[error("cell id {id} is out of range: the space has {size} cells, ids 0 to {}", .size.saturating_sub(1))]
    IdOutOfRange {
        /// The id.
        id: u64,
        /// Cells in the space.
        size: u64,
    },
    /// Ids need all structures of the space in memory.
    #[error(
        "this space has {structures} structures and {cells} cells: ids are kept for at most {limit} structures and 2^63 cells. It can still be counted, streamed (iter_batches) and hashed"
    )]
    TooLargeForIds {
        /// Structures of the space.
        structures: i128,
        /// Cells of the space.
        cells: i128,
        /// Largest number of structures kept.
        limit: i128,
    },
    /// Finding cells by hash needs all hashes of the space in memory.
    #[error("this space has {cells} cells: cells are found by hash in spaces of at most {limit}")]
    TooLargeForHashes {
        /// Cells of the space.
        cells: i128,
        /// Largest number of hashes kept.
        limit: i128,
    },
    /// An op whose cost is not known.
    #[error(
        "no parameter and FLOP rule is known for op {name:?}: known are conv KxK ('conv3x3-bn-relu'), 'maxpoolKxK', 'avgpoolKxK', 'identity', 'bottleneckKxK' and 'maxpool3x3-conv1x1'"
    )]
    NoCost {
        /// The op.
        name: String,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

fn describe_end(code: &i64) -> &'static str {
    match code {
        -1 => "'input' (code -1)",
        -2 => "'output' (code -2)",
        _ => "padding (code -3)",
    }
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
