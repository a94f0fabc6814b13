"""What the original's example does: an absl program that looks up a cell in every way."""

import json

from absl import app, flags
from nasbench import api

FLAGS = flags.FLAGS
flags.DEFINE_string("dataset", None, "File of official records.", required=True)
flags.DEFINE_integer("seed", 0, "Seed of the draws.")

INPUT = "input"
OUTPUT = "output"
CONV1X1 = "conv1x1-bn-relu"
CONV3X3 = "conv3x3-bn-relu"
MAXPOOL3X3 = "maxpool3x3"


def numbers(data):
    """What JSON can hold of a result."""
    return {k: v.tolist() if k == "module_adjacency" else v for k, v in data.items()}


def main(argv):
    nasbench = api.NASBench(FLAGS.dataset, seed=FLAGS.seed)
    spec = api.ModelSpec(
        matrix=[
            [0, 1, 1, 1, 0, 1, 0],
            [0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 1, 0, 0],
            [0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 0],
        ],
        ops=[INPUT, CONV1X1, CONV3X3, CONV3X3, CONV3X3, MAXPOOL3X3, OUTPUT],
    )
    found = {"rest": argv[1:], "valid": nasbench.is_valid(spec)}

    found["query"] = numbers(nasbench.query(spec))
    found["spent"] = nasbench.get_budget_counters()
    nasbench.reset_budget_counters()
    found["reset"] = nasbench.get_budget_counters()
    found["halfway"] = numbers(nasbench.query(spec, epochs=4, stop_halfway=True))
    found["short"] = nasbench.get_budget_counters()

    fixed, computed = nasbench.get_metrics_from_spec(spec)
    found["fixed"] = numbers(fixed)
    found["computed"] = [computed[epochs] for epochs in sorted(nasbench.valid_epochs)]

    best = ("", 0.0)
    for unique_hash in nasbench.hash_iterator():
        _, computed = nasbench.get_metrics_from_hash(unique_hash)
        mean = sum(run["final_test_accuracy"] for run in computed[108]) / len(computed[108])
        best = max(best, (unique_hash, mean), key=lambda pair: pair[1])
    found["best"] = best
    found["cells"] = len(nasbench.hash_iterator())

    try:
        nasbench.query(spec, epochs=5)
    except api.OutOfDomainError as error:
        found["error"] = type(error).__name__
    print(json.dumps(found))


if __name__ == "__main__":
    app.run(main)
