//! Every way in which input can be wrong. Each message says what, where and what to do; what a
//! program needs of it is in [`Error::kind`], [`Error::index`], [`Error::field`] and
//! [`Error::path`], from which the Python layer makes its exceptions.

mod kind;

pub use kind::ErrorKind;

use crate::limits::{MAX_OPS, MAX_VERTICES};

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
    /// A module whose hash would take too long.
    #[error(
        "too large to hash: {vertices} vertices and {edges} edges (vertices times (vertices + 2 edges) may \
         be 2^28, edges 2^20)"
    )]
    TooLargeToHash {
        /// Its vertices, pruned.
        vertices: usize,
        /// Its edges, pruned.
        edges: usize,
    },
    /// In-neighbours that are no graph.
    #[error("inputs must name vertices, one list for each label")]
    BadInputs,
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
    /// A packed module where a cell is needed.
    #[error(
        "not a pruned cell: edges {edges:#x}, labels {labels:#x} have a vertex that is on no path \
         from input to output"
    )]
    NotPruned {
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
        id: i128,
        /// Cells in the space.
        size: u64,
    },
    /// Ids that do not number rows.
    #[error("ids must be ascending, and fewer than 2^31")]
    BadIds,
    /// A walk from a row that is not there.
    #[error("start {start} is not one of {rows} rows")]
    StartOutOfRange {
        /// The start.
        start: u32,
        /// Rows that there are.
        rows: usize,
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
    /// Edit distances need the neighbours of all cells of the space in memory.
    #[error(
        "this space has {cells} cells: edit distances are for spaces of at most {limit}. Alignment distances have no limit"
    )]
    TooLargeForDistances {
        /// Cells of the space.
        cells: i128,
        /// Largest number of cells.
        limit: i128,
    },
    /// A cell with more neighbours than are listed.
    #[error(
        "too many neighbours: over {limit} edits lead to this cell or from it in this space, most with many vertices at once. Take a smaller space"
    )]
    TooManyNeighbours {
        /// Largest number listed.
        limit: usize,
    },
    /// Two cells in parts of a space that no edit connects.
    #[error(
        "no edits within this space lead from the one cell to the other: it allows too few edges"
    )]
    Unconnected,
    /// No valid raw module is found by drawing.
    #[error("hardly any raw module of this space is valid: sample unique cells")]
    NoRandomCells,
    /// Too many raw encodings to look at each.
    #[error(
        "this space has {encodings} raw encodings, too many to look at each (at most {limit}): take a smaller space"
    )]
    TooManyEncodings {
        /// Matrices of the most vertices with all ops.
        encodings: u128,
        /// Largest number looked at.
        limit: u128,
    },
    /// An op whose cost is not known.
    #[error(
        "no parameter and FLOP rule is known for op {name:?}: known are conv KxK ('conv3x3-bn-relu'), 'maxpoolKxK', 'avgpoolKxK', 'identity', 'bottleneckKxK' and 'maxpool3x3-conv1x1'"
    )]
    NoCost {
        /// The op.
        name: String,
    },
    /// Text that is no hash.
    #[error("not a hash: {text:?}; a hash has 32 hexadecimal digits")]
    BadHash {
        /// The text given.
        text: String,
    },
    /// A rate of mutation that means nothing.
    #[error("a rate from 0 to 1000 is needed, not {rate}")]
    BadRate {
        /// The number given, printed.
        rate: String,
    },
    /// A mutation of which nothing valid comes.
    #[error("no valid mutant in a million attempts at rate {rate}: take a smaller rate")]
    NoMutant {
        /// The rate, printed.
        rate: String,
    },
    /// An instruction set that this machine has not.
    #[error("this machine has no {name:?}: it has {known}")]
    NoCpu {
        /// The name given.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A record of a file of official records is wrong, or its frame.
    #[error("record {record} at byte {offset}: {source}")]
    InRecord {
        /// Records before it in the file.
        record: u64,
        /// Bytes before its frame, unpacked where the file is gzip.
        offset: u64,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// A row of a table cannot be written.
    #[error("row {row}: {source}")]
    InRow {
        /// Rows before it.
        row: usize,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// Columns of a table that are not of one length.
    #[error("the columns differ in length")]
    ColumnLengths,
    /// Rows of records in bytes that are not those of a table.
    #[error("the rows of raw records must be ascending and exist")]
    RawRows,
    /// A file without one record.
    #[error("the file is empty: no record is in it")]
    NoRecord,
    /// The file ends inside a frame.
    #[error("truncated: the frame has {needed} bytes, but the file ends after {found} of them")]
    Truncated {
        /// Bytes of the frame, of its head where the length is missing too.
        needed: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// The length of a frame does not match its checksum: where the next one starts is unknown.
    #[error("the checksum of the length is wrong: what follows in the file cannot be found")]
    LengthChecksum,
    /// A frame longer than any record.
    #[error("a record of {length} bytes: at most {limit} are allowed")]
    TooLong {
        /// Its length.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// The data of a frame does not match its checksum.
    #[error("the checksum of the data is wrong")]
    DataChecksum,
    /// A gzip file that cannot be unpacked further.
    #[error("the gzip file is damaged: {message}")]
    Gzip {
        /// What the decoder says.
        message: String,
    },
    /// A record that is no JSON list of the right kind.
    #[error("not [hash, epochs, adjacency, operations, metrics] as JSON: {message}")]
    NotJson {
        /// What the parser says.
        message: String,
    },
    /// The hash of a record is no hash.
    #[error("the hash {text:?} is not 32 lower-case hexadecimal digits")]
    NotAHash {
        /// The text given, cut short.
        text: String,
    },
    /// A number of epochs that no run has.
    #[error("{epochs} epochs: from 1 to {} are allowed", i16::MAX)]
    BadEpochs {
        /// The number given.
        epochs: i64,
    },
    /// The adjacency of a record is not that of its ops.
    #[error("the adjacency has {length} characters: {ops} operations need {}", .ops * .ops)]
    AdjacencyLength {
        /// Characters given.
        length: usize,
        /// Operations given.
        ops: usize,
    },
    /// A character of the adjacency is neither 0 nor 1.
    #[error("character {position} of the adjacency is {character:?}: it must be 0 or 1")]
    AdjacencyCharacter {
        /// Its position.
        position: usize,
        /// The character.
        character: char,
    },
    /// An operation that the original space has not.
    #[error("unknown operation {name:?} at vertex {vertex}")]
    UnknownOpName {
        /// The vertex.
        vertex: usize,
        /// The name given, cut short.
        name: String,
    },
    /// The metrics of a record are not base64.
    #[error("the metrics are not base64 with newlines")]
    NotBase64,
    /// The metrics of a record are no protobuf message.
    #[error("the metrics are no ModelMetrics message: {message}")]
    NotProtobuf {
        /// What the decoder says.
        message: String,
    },
    /// Not three evaluations.
    #[error("{found} evaluations: there must be three, at the start, halfway and at the end")]
    Evaluations {
        /// The number found.
        found: usize,
    },
    /// A number is missing.
    #[error("{field} is missing")]
    Missing {
        /// The column that it should be in.
        field: &'static str,
    },
    /// A number is not finite.
    #[error("{field} is {value}: it must be finite")]
    NotFinite {
        /// The column that it belongs to.
        field: &'static str,
        /// The number, printed.
        value: String,
    },
    /// A number that no run can have.
    #[error("{field} is {value}: it must be from 0 to {most}")]
    OutOfRange {
        /// The column that it belongs to.
        field: &'static str,
        /// The number, printed.
        value: String,
        /// The largest that is allowed.
        most: u64,
    },
    /// A number of parameters that no network has.
    #[error("trainable_parameters is {value}: it must be positive")]
    BadParameters {
        /// The number.
        value: i32,
    },
    /// The hash of a record is not that of its cell.
    #[error("the hash is {given}, but that of the cell is {computed}")]
    WrongHash {
        /// As in the record.
        given: String,
        /// As computed from adjacency and operations.
        computed: String,
    },
    /// Two records of one cell say different things.
    #[error(
        "contradicts another record of cell {cell}: trainable_parameters is {value}, not {before}"
    )]
    Contradiction {
        /// The id of the cell.
        cell: i32,
        /// The number of parameters in this record.
        value: i32,
        /// The number of parameters in one before.
        before: i32,
    },
    /// More runs of one cell and budget than a table numbers.
    #[error("more than {limit} records of cell {cell} at {epochs} epochs")]
    TooManyRepeats {
        /// The id of the cell.
        cell: i32,
        /// The budget.
        epochs: i16,
        /// The limit.
        limit: usize,
    },
    /// More records than a table numbers.
    #[error("more than {limit} records")]
    TooManyRecords {
        /// The limit.
        limit: u64,
    },
    /// More bytes of records that the columns of a table do not give back than are kept.
    #[error("records in unusual forms take more than {} MiB: these are no official records", .limit >> 20)]
    TooManyOddRecords {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The system refuses to read or write a file.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        message: String,
        /// Its number for that.
        code: Option<i32>,
    },
    /// The system has no more memory for this process.
    #[error(
        "not enough memory: {} cannot be had (raise the limit of the process, if it has one, or take fewer at a time)", amount(*.bytes)
    )]
    Memory {
        /// Bytes that were asked for.
        bytes: usize,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A refusal of the system to read or write the file at `path`.
    pub fn file(path: &str, error: &std::io::Error) -> Self {
        let code = error.raw_os_error();
        let mut message = error.to_string();
        if let Some(code) = code {
            // The number is beside it.
            message.truncate(message.trim_end_matches(&format!(" (os error {code})")).len());
        }
        Self::File { path: path.to_owned(), message, code }
    }

    /// This error in the module at `index` of a batch.
    pub fn in_module(self, index: usize) -> Self {
        Self::InModule { index, source: Box::new(self) }
    }
}

fn amount(bytes: usize) -> String {
    format!("{} MiB more", bytes.div_ceil(1 << 20))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_refusal_is_not_in_its_words() {
        let error = Error::file("no/file", &std::io::Error::from_raw_os_error(2));
        assert_eq!((error.kind(), error.path()), (ErrorKind::File, Some("no/file")));
        assert!(error.is_of_the_system() && !error.to_string().contains("os error"));
        assert!(matches!(error, Error::File { code: Some(2), .. }));
    }
}
