//! Cells in numbers: what their networks cost, how deep and wide they are, and what predictors,
//! optimisers and other programs take: vectors ([`encode`]), features, matrices, text.

mod columns;
mod cost;
pub mod encode;
mod features;
mod shape;

pub use columns::{Text, adjacency, op_codes, text_columns};
pub use cost::{Cost, Rule, Skeleton, StructureCost, channels, costs, vertex_channels};
pub use features::{FeatureOps, feature_names, features};
pub use shape::{depth, depths_and_widths, width};
