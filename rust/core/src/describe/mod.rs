//! Cells in numbers: what their networks cost, how deep and wide they are, and what predictors,
//! optimisers and other programs take: vectors, features, matrices, text.

mod columns;
mod cost;
mod encode;
mod features;
mod shape;

pub use columns::{Text, adjacency, op_codes, text_columns};
pub use cost::{Cost, Rule, Skeleton, StructureCost, channels, costs, vertex_channels};
pub use encode::{Frame, MOST_EDGES, categorical, one_hot, paths};
pub use features::{FeatureOps, feature_names, features};
pub use shape::{depth, depths_and_widths, width};
