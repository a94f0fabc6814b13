"""Many threads at once, on first calls above all: what each gets is what one alone gets.

Where the interpreter has no lock they run side by side; elsewhere they take turns very often.
"""

import subprocess
import sys
from pathlib import Path

import pytest

# Each program is a process of its own, so that every call in it is a first one.
PROGRAM = """
import hashlib, random, sys, threading, warnings
import numpy as np
import nb101

sys.setswitchinterval(1e-6)
THREADS, PATIENCE = 12, 100
path = sys.argv[1]

def at_once(work, *others):
    '''Call each function in many threads at the same moment, and return what came of the calls.'''
    calls = [work, *others] * (THREADS // (1 + len(others)))
    start, results, errors = threading.Barrier(len(calls)), [None] * len(calls), []
    def run(place):
        try:
            start.wait(PATIENCE)
            results[place] = calls[place]()
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "some wait for ever"
    if errors:
        raise errors[0]
    return results

def same(results):
    '''See that all results are one, and return it.'''
    assert all(result == results[0] for result in results), results
    return results[0]

def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
"""
CASES = {
    "first imports": """
names = [name for name in nb101.__all__ if name not in ("nn", "train")]
def asked():
    mine = names[:]
    random.shuffle(mine)
    return {name: getattr(nb101, name) for name in mine}
first = at_once(asked)
assert all(found[name] is first[0][name] for found in first for name in names)
""",
    "one default space": """
spaces = at_once(lambda: nb101.Cell("0100", "input,output").hash and nb101.load_table().space)
assert len(set(map(id, spaces))) == 1
""",
    "enumeration and hashes": """
space = nb101.SearchSpace()
found = same(at_once(lambda: digest(space.enumerate().hashes())))
assert found.startswith("d3332c0348a4fb1e"), found
""",
    "ids, distances and neighbours": """
space = nb101.SearchSpace()
cell = nb101.Cell.from_hash("28cfc7874f6d200472e1a9dcd8650aa0")
same(at_once(
    lambda: (space.index(cell), len(space.neighbors(cell)), digest(space.edit_distances(cell)))
))
small = nb101.SearchSpace(5, 7)
cells = small.enumerate()
same(at_once(lambda: (digest(small.index(cells)), digest(cells.parameters()), len(small))))
""",
    "one stream for all": """
stream = nb101.SearchSpace().iter_batches(10_000)
taking = threading.Lock()
def take():
    taken = []
    while True:
        with taking:
            batch = next(stream, None)
        if batch is None:
            return taken
        taken.append(len(batch))
assert sum(map(sum, at_once(take))) == 423_624
""",
    "an array that changes": """
rng = np.random.default_rng(0)
matrices = np.triu(rng.integers(0, 2, (4000, 7, 7), dtype=np.int8), 1)
ops = rng.integers(0, 3, (4000, 7), dtype=np.int8)
ops[:, 0], ops[:, -1] = -1, -2
matrices[:, 0, 6] = 1
right = digest(nb101.hash_modules(matrices, ops))
assert same(at_once(lambda: digest(nb101.hash_modules(matrices, ops)))) == right
def hashed():
    for _ in range(5):
        assert nb101.hash_modules(matrices, ops).shape == (4000,)
def written():
    for i in range(300):
        matrices[i % 4000, 1, 2] ^= 1
at_once(hashed, written)
""",
    "tables, opened and read": """
def opened():
    table = nb101.Table.open(path)
    means = table.mean("validation_accuracy", epochs=108)
    return digest(means), table.best("validation_accuracy").cell_id, table.verify() is None
one = same(at_once(opened))
table = nb101.Table.open(path)
assert same(at_once(
    lambda: digest(table.mean("validation_accuracy", epochs=108)),
    lambda: digest(table.mean("validation_accuracy", epochs=108)),
)) == one[0]
same(at_once(lambda: digest(nb101.load_table().mean("test_accuracy", epochs=36))))
""",
    "one benchmark for all": """
table = nb101.Table.open(path)
ids = np.unique(table.column("cell_id"))[:40].tolist()
bench = nb101.Benchmark(table, seed=0)
at_once(lambda: [bench.query(i, epochs=108) for i in ids for _ in range(5)])
assert len(bench.log()) == THREADS * len(ids) * 5
assert bench.spent.epochs == THREADS * len(ids) * 5 * 108
log = bench.log()
assert abs(log["training_time"].to_numpy().astype(float).sum() - bench.spent.seconds) < 1e-3
at_once(lambda: bench.query_many(ids, epochs=108))
assert bench.spent.epochs == THREADS * len(ids) * 6 * 108
same(at_once(lambda: nb101.search.run(
    "regularized-evolution", nb101.Benchmark(nb101.load_table(), seed=1), queries=150, seed=2
).final_regret))
""",
    "the original's interface": """
warnings.simplefilter("ignore")
nasbench = nb101.api.NASBench()
def asked():
    spec = nb101.api.ModelSpec([[0, 1], [0, 0]], ["input", "output"])
    for _ in range(200):
        nasbench.query(spec)
    return spec.hash_spec(list(nb101.OPS))
same(at_once(asked))
assert nasbench.get_budget_counters()[1] == THREADS * 200 * 108
""",
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import nb101

    path = tmp_path_factory.mktemp("threads") / "sample.arrow"
    nb101.predict.sample(300).save(path)
    return path


@pytest.mark.parametrize("case", CASES)
def test_threads(case: str, table: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + CASES[case], str(table)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_the_interpreter_keeps_its_lock_off() -> None:
    """Importing the extension must not bring the lock back where there is none."""
    code = "import sys, nb101._core; print(getattr(sys, '_is_gil_enabled', lambda: True)())"
    before = "import sys; print(getattr(sys, '_is_gil_enabled', lambda: True)())"
    outputs = {subprocess.check_output([sys.executable, "-c", text]) for text in (before, code)}
    assert len(outputs) == 1
