"""The real EvoXBench on a database of its own that is filled here: a program, for another process.

It reads rows of its database, fronts and variables as JSON, and writes what its problems say.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    import evoxbench
    from evoxbench.database import init

    init.init(str(Path(evoxbench.__file__).parent / "database"))
    from django.db import connection
    from nasbench101.models import NASBench101Result

    with connection.schema_editor() as editor:
        editor.create_model(NASBench101Result)
    NASBench101Result.objects.bulk_create(NASBench101Result(**row) for row in asked["rows"])

    import numpy as np
    from evoxbench.test_suites import c10mop

    X = np.array(asked["X"])
    found: dict[str, Any] = {}
    for number in (1, 2):
        problem = c10mop(number)
        space = problem.search_space
        archs = space.decode(X)
        F = problem.evaluate(X, true_eval=True)
        found[str(number)] = {
            "drawn": problem.evaluate(X).tolist(),
            "true": F.tolist(),
            "stats": [
                list(stats.items()) for stats in problem.evaluator.evaluate(archs, true_eval=True)
            ],
            "again": space.encode(archs).tolist(),
            "bounds": [space.n_var, space.lb, space.ub, space.categories],
            "points": [problem.utopian_point.tolist(), problem.nadir_point.tolist()],
            "reference": problem.hv_ref_point.tolist(),
            "n_objs": problem.evaluator.n_objs,
            "names": [problem.name, space.name, problem.evaluator.name],
            **{
                name: problem.calc_perf_indicator(X, name)
                for name in ("igd", "hv", "normalized_hv")
            },
        }
    return found


if __name__ == "__main__":
    asked, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    # Where it looks for its settings, its database and its fronts.
    os.environ |= {"HOME": str(folder), "EVOXBENCH_DATA": str(folder)}
    os.environ["EVOXBENCH_MODEL"] = str(folder)
    (folder / "nb101").mkdir()
    for name in ("pf", "ps"):
        (folder / "nb101" / f"nb101_{name}.json").write_text(json.dumps(asked[name]))
    (folder / "answer.json").write_text(json.dumps(answer(asked)))
