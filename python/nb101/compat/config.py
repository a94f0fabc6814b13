"""The settings of the original, with the values that its dataset was made with."""

from typing import Any

from nb101.space.ops import OPS


def build_config() -> dict[str, Any]:
    """Return the settings as a dict of its own; section 2 of the paper has the reasons."""
    return {
        # Data
        "train_data_files": [],
        "valid_data_file": "",
        "test_data_file": "",
        "sample_data_file": "",
        "data_format": "channels_last",
        "num_labels": 10,
        # Search space
        "module_vertices": 7,
        "max_edges": 9,
        "available_ops": list(OPS),
        # Network
        "stem_filter_size": 128,
        "num_stacks": 3,
        "num_modules_per_stack": 3,
        # Training; the learning rate is that of one of the two shards of a batch
        "batch_size": 256,
        "train_epochs": 108,
        "train_seconds": 14400.0,
        "learning_rate": 0.1,
        "lr_decay_method": "COSINE_BY_STEP",
        "momentum": 0.9,
        "weight_decay": 1e-4,
        "max_attempts": 5,
        "intermediate_evaluations": ["0.5"],
        "num_repeats": 3,
        "use_tpu": True,
        "tpu_iterations_per_loop": 100,
        "tpu_num_shards": 2,
    }
