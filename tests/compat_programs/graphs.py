"""What the original's scripts do to count the graphs of a space, with its functions on graphs."""

import itertools
import json
import sys

import numpy as np
from nasbench.lib import config as _config
from nasbench.lib import graph_util
from nasbench.lib.model_spec import ModelSpec


def main(max_vertices, max_edges):
    config = _config.build_config()
    ops = len(config["available_ops"])
    buckets = {}
    graphs = 0
    for vertices in range(2, max_vertices + 1):
        for bits in range(1 << vertices * (vertices - 1) // 2):
            is_edge = graph_util.gen_is_edge_fn(bits)
            matrix = np.fromfunction(is_edge, (vertices, vertices), dtype=np.int8)
            if not graph_util.is_full_dag(matrix) or graph_util.num_edges(matrix) > max_edges:
                continue
            for inner in itertools.product(range(ops), repeat=vertices - 2):
                labeling = [-1, *inner, -2]
                fingerprint = graph_util.hash_module(matrix, labeling)
                graphs += 1
                if fingerprint not in buckets:
                    buckets[fingerprint] = (matrix.tolist(), labeling)
                    continue
                known = buckets[fingerprint]
                if not graph_util.is_isomorphic((matrix, labeling), (np.array(known[0]), known[1])):
                    raise SystemExit("two graphs share a hash")
    names = [config["available_ops"][label] for label in labeling[1:-1]]
    spec = ModelSpec(matrix, ["input", *names, "output"])
    same = spec.hash_spec(config["available_ops"]) == fingerprint
    print(json.dumps({"graphs": graphs, "unique": list(buckets), "same": same}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
