//! The extension module `nb101._core`: thin wrappers around `nb101-core`, in files as that is.
//!
//! Arrays come in as contiguous read-only views and go out without a copy; the Python side sees to
//! types and shapes. Cells travel as two `uint64` columns, `edges` and `labels`. Long work runs
//! without the interpreter lock under `watch::Watch`, which hears Ctrl-C and reports progress.

#![forbid(unsafe_code)]

mod arrays;
mod cell;
mod describe;
mod draws;
mod edit;
mod encode;
mod errors;
mod evaluation;
mod hash;
mod landscape;
mod modules;
mod pareto;
mod release;
mod space;
mod stream;
mod system;
mod watch;

use pyo3::prelude::*;

// Nothing here is shared without a lock: classes are frozen, what they make on first use is in locks and
// atomics, and unsafe code is forbidden. So a free-threaded interpreter keeps its own lock off.
#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::cell::{
        canonical_cells, canonical_module, canonical_modules, check_ops, matrix_bytes,
        packed_module, pruned_modules, read_lists, vertices_on_paths,
    };
    #[pymodule_export]
    use crate::describe::{
        adjacency, costs, depth_width, operations, text_columns, vertex_channels,
    };
    #[pymodule_export]
    use crate::draws::Draws;
    #[pymodule_export]
    use crate::edit::{alignment_distances, random_cells};
    #[pymodule_export]
    use crate::encode::{
        encode_categorical, encode_one_hot, encode_paths, structural_feature_names,
        structural_features,
    };
    #[pymodule_export]
    use crate::evaluation::{Conversation, Evaluation};
    #[pymodule_export]
    use crate::hash::{hash_cells, hash_graph, hash_modules, to_hex};
    #[pymodule_export]
    use crate::landscape::{
        ascend, edge_changes, edit_graph, encoding_distances, kendall, op_changes, walk_encodings,
        walk_graph,
    };
    #[pymodule_export]
    use crate::pareto::{front_course, hypervolume, igd_plus};
    #[pymodule_export]
    use crate::release::{Runs, masked_crc32c, read_release, scan_release, write_release};
    #[pymodule_export]
    use crate::space::Space;
    #[pymodule_export]
    use crate::stream::CellStream;
    #[pymodule_export]
    use crate::system::{cpu, get_threads, has_room, kernel_peak, set_cpu, set_threads};

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
