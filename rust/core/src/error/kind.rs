//! What a program needs of an error: what it is about, and where.

use super::Error;

/// What an error is about: one exception class of the Python layer each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A matrix and labels that are no cell.
    Cell,
    /// Input does not reach output.
    Disconnected,
    /// An op that the space, or a rule for its cost, does not know.
    UnknownOp,
    /// A cell that is not in the space.
    OutOfSpace,
    /// A space that cannot be, or that is too large for what was asked.
    Space,
    /// An id past the end of the space.
    CellId,
    /// Another argument with a value that it cannot have.
    Argument,
    /// A name that is not there.
    UnknownName,
    /// A file of records, or a table to be written as one.
    Dataset,
    /// The system refuses a file.
    File,
    /// The system has no more memory.
    Memory,
    /// The caller asked to stop.
    Interrupted,
}

impl Error {
    /// What it is about. Each variant is named here, so that a new one cannot be forgotten.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotSquare { .. }
            | Self::OpsLength { .. }
            | Self::TooFewVertices { .. }
            | Self::NotUpperTriangular { .. }
            | Self::NotBinary { .. }
            | Self::PaddingEdge { .. }
            | Self::FirstOp { .. }
            | Self::LastOp { .. }
            | Self::MisplacedOp { .. }
            | Self::BadOpCode { .. }
            | Self::TooLargeToHash { .. }
            | Self::BadInputs
            | Self::BadPacked { .. }
            | Self::NotPruned { .. } => ErrorKind::Cell,
            Self::Disconnected => ErrorKind::Disconnected,
            Self::UnknownOp { .. } | Self::NoCost { .. } => ErrorKind::UnknownOp,
            Self::TooManyVertices { .. } | Self::TooManyEdges { .. } => ErrorKind::OutOfSpace,
            Self::SpaceVertices { .. }
            | Self::SpaceEdges
            | Self::SpaceOps { .. }
            | Self::TooLargeForIds { .. }
            | Self::TooLargeForHashes { .. }
            | Self::TooLargeForDistances { .. }
            | Self::TooManyNeighbours { .. }
            | Self::Unconnected
            | Self::NoRandomCells
            | Self::TooManyEncodings { .. } => ErrorKind::Space,
            Self::IdOutOfRange { .. } => ErrorKind::CellId,
            Self::BadIds
            | Self::StartOutOfRange { .. }
            | Self::BadHash { .. }
            | Self::BadRate { .. }
            | Self::NoMutant { .. } => ErrorKind::Argument,
            Self::NoCpu { .. } => ErrorKind::UnknownName,
            Self::InModule { source, .. } => source.kind(),
            Self::InRecord { .. }
            | Self::InRow { .. }
            | Self::ColumnLengths
            | Self::RawRows
            | Self::NoRecord
            | Self::Truncated { .. }
            | Self::LengthChecksum
            | Self::TooLong { .. }
            | Self::DataChecksum
            | Self::Gzip { .. }
            | Self::NotJson { .. }
            | Self::NotAHash { .. }
            | Self::BadEpochs { .. }
            | Self::AdjacencyLength { .. }
            | Self::AdjacencyCharacter { .. }
            | Self::UnknownOpName { .. }
            | Self::NotBase64
            | Self::NotProtobuf { .. }
            | Self::Evaluations { .. }
            | Self::Missing { .. }
            | Self::NotFinite { .. }
            | Self::OutOfRange { .. }
            | Self::BadParameters { .. }
            | Self::WrongHash { .. }
            | Self::Contradiction { .. }
            | Self::TooManyRepeats { .. }
            | Self::TooManyRecords { .. }
            | Self::TooManyOddRecords { .. } => ErrorKind::Dataset,
            Self::File { .. } => ErrorKind::File,
            Self::Memory { .. } => ErrorKind::Memory,
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }

    /// What is wrong, without the place of it in a batch, table or file.
    pub fn reason(&self) -> &Self {
        match self {
            Self::InModule { source, .. }
            | Self::InRecord { source, .. }
            | Self::InRow { source, .. } => source.reason(),
            _ => self,
        }
    }

    /// Which module of a batch, record of a file or row of a table is wrong, from 0.
    pub fn index(&self) -> Option<u64> {
        match self {
            Self::InModule { index: place, .. } | Self::InRow { row: place, .. } => {
                Some(*place as u64)
            }
            Self::InRecord { record, .. } => Some(*record),
            _ => None,
        }
    }

    /// Bytes before the frame of the record that is wrong.
    pub fn offset(&self) -> Option<u64> {
        if let Self::InRecord { offset, .. } = self { Some(*offset) } else { None }
    }

    /// The argument or column that is wrong.
    pub fn field(&self) -> Option<&'static str> {
        match self.reason() {
            Self::SpaceVertices { .. } => Some("max_vertices"),
            Self::SpaceEdges => Some("max_edges"),
            Self::SpaceOps { .. } => Some("ops"),
            Self::BadIds => Some("ids"),
            Self::StartOutOfRange { .. } => Some("starts"),
            Self::BadHash { .. } => Some("hash"),
            Self::BadRate { .. } | Self::NoMutant { .. } => Some("rate"),
            Self::NoCpu { .. } => Some("name"),
            Self::NotAHash { .. } | Self::WrongHash { .. } => Some("hash"),
            Self::BadEpochs { .. } => Some("epochs"),
            Self::BadParameters { .. } | Self::Contradiction { .. } => Some("trainable_parameters"),
            Self::AdjacencyLength { .. } | Self::AdjacencyCharacter { .. } => Some("adjacency"),
            Self::UnknownOpName { .. } => Some("operations"),
            Self::Missing { field }
            | Self::NotFinite { field, .. }
            | Self::OutOfRange { field, .. } => Some(field),
            _ => None,
        }
    }

    /// The file that is wrong.
    pub fn path(&self) -> Option<&str> {
        if let Self::File { path, .. } = self { Some(path) } else { None }
    }

    /// Whether the system refused something, so that nothing is said of the input.
    pub(crate) fn is_of_the_system(&self) -> bool {
        matches!(self.kind(), ErrorKind::File | ErrorKind::Memory | ErrorKind::Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_carried_and_what_is_wrong_there_stays_what_it_is() {
        let module = Error::InModule { index: 7, source: Box::new(Error::Disconnected) };
        assert_eq!(module.kind(), ErrorKind::Disconnected);
        assert_eq!((module.index(), module.reason()), (Some(7), &Error::Disconnected));
        let missing = || Box::new(Error::Missing { field: "total_time" });
        let record = Error::InRecord { record: 3, offset: 99, source: missing() };
        assert_eq!((record.kind(), record.index()), (ErrorKind::Dataset, Some(3)));
        assert_eq!((record.offset(), record.field()), (Some(99), Some("total_time")));
        // A row that holds a wrong id is a wrong table, not a wrong id.
        let id = Box::new(Error::IdOutOfRange { id: -1, size: 2 });
        assert_eq!(Error::InRow { row: 1, source: id }.kind(), ErrorKind::Dataset);
    }
}
