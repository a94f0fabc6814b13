//! The extension module `nb101._core`: thin wrappers around `nb101-core`.
//!
//! Arrays come in as contiguous read-only views and go out without a copy; the Python side sees to
//! types and shapes. Cells travel as two `uint64` columns, `edges` and `labels`. Long work runs
//! without the interpreter lock under `watch::Watch`, which hears Ctrl-C and reports progress.

#![forbid(unsafe_code)]

mod arrays;
mod encode;
mod errors;
mod functions;
mod landscape;
mod release;
mod space;
mod watch;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::encode::{
        encode_categorical, encode_one_hot, encode_paths, structural_feature_names,
        structural_features,
    };
    #[pymodule_export]
    use crate::functions::{
        adjacency, alignment_distances, canonical_bytes, canonical_cells, canonical_module,
        canonical_modules, check_ops, costs, cpu, depth_width, get_threads, has_room, hash_cells,
        hash_graph, hash_modules, kernel_peak, operations, packed_module, pruned_modules,
        random_cells, set_cpu, set_threads, text_columns, to_hex, vertex_channels,
        vertices_on_paths,
    };
    #[pymodule_export]
    use crate::landscape::{
        ascend, edge_changes, edit_graph, encoding_distances, kendall, op_changes, walk_encodings,
        walk_graph,
    };
    #[pymodule_export]
    use crate::release::{masked_crc32c, read_release, write_release};
    #[pymodule_export]
    use crate::space::{CellStream, Space};

    use numpy::{PyArray1, PyArrayMethods};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // What is done once is done here, where no other thread can be at it when a process forks.
        nb101_core::hash::prepare();
        let py = module.py();
        drop(PyArray1::<u8>::zeros(py, 0, false).try_readonly());
        py.import("nb101.errors")?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
