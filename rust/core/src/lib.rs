//! The graph engine of nb101.
pub mod canon;
pub mod cell;
pub mod count;
pub mod enumerate;
pub mod error;
pub mod labels;
pub mod prune;
