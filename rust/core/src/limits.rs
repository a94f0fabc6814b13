//! How large things may be, and the codes of vertices that have no op. Nothing here knows anything
//! else of the crate.

/// Most vertices of a packed cell: 11 * 10 / 2 = 55 edges and 9 interior labels fit two words.
pub const MAX_VERTICES: usize = 11;
/// Most ops of a space; a label is one nibble.
pub const MAX_OPS: usize = 15;
/// Op code of the input vertex.
pub const INPUT: i64 = -1;
/// Op code of the output vertex.
pub const OUTPUT: i64 = -2;
/// Op code that fills the rest of a module smaller than its array.
pub const PADDING: i64 = -3;

/// Hashes that go into the messages of all rounds: some minutes for the most.
const MOST_HASHES: usize = 1 << 28;
/// The number of edges that one round of hashing, and a message, may have.
const MOST_HASHED_EDGES: usize = 1 << 20;

/// Whether a graph can be hashed in sensible time and memory.
pub(crate) const fn is_hashable(vertices: usize, edges: usize) -> bool {
    edges <= MOST_HASHED_EDGES && hashes_of_all_rounds(vertices, edges) <= MOST_HASHES
}

/// Hashes that go into the messages of all rounds of hashing a graph.
pub(crate) const fn hashes_of_all_rounds(vertices: usize, edges: usize) -> usize {
    edges.saturating_mul(2).saturating_add(vertices).saturating_mul(vertices)
}
