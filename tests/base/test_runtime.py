"""Threads, forks, signals and imports: what depends on the process."""

import ast
import errno
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
import official
from nb101 import Cells, SearchSpace, _core, get_threads, hash_modules, set_threads
from nb101._base.runtime import is_shortage, raise_if_short

# Far more than any of these takes; only a deadlock reaches it.
PATIENCE = 120
ON_UNIX = pytest.mark.skipif(os.name != "posix", reason="needs fork and POSIX signals")


def python(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={k: v for k, v in os.environ.items() if k != "NB101_THREADS"} | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def modules(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    matrices = np.triu(rng.integers(0, 2, (n, 7, 7), dtype=np.int8), 1)
    ops = rng.integers(0, 3, (n, 7), dtype=np.int8)
    ops[:, 0], ops[:, -1] = -1, -2
    matrices[:, 0, 6] = 1
    return matrices, ops


def everything(cells: Cells) -> list[Any]:
    """All parallel work, on fresh objects."""
    matrices, ops = modules(20_000)
    space = SearchSpace()
    chosen = cells[::5]
    return [
        hash_modules(matrices, ops),
        Cells.from_modules(matrices, ops).edge_masks,
        chosen.hashes(),
        chosen[::-1].hashes(),
        chosen.parameters(),
        chosen.depth(),
        chosen.edit_distance(cells[-1]),
        chosen.alignment_distance(cells[-1]),
        space.index(chosen),
        space[np.arange(0, 423624, 11)].edge_masks,
        space.sample(1000, 3, method="raw").edge_masks,
        SearchSpace(6, 9).enumerate().edge_masks,
    ]


class TestThreads:
    def test_set_and_get(self, threads: None) -> None:
        for n in (1, 2, 5):
            set_threads(n)
            assert get_threads() == n
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        set_threads(None)
        assert get_threads() >= 1
        assert get_threads() <= max(cores, os.cpu_count() or 1)
        set_threads(0)
        assert get_threads() >= 1

    @pytest.mark.parametrize("wrong", [-1, 1.5, "2", 2**80], ids=repr)
    def test_numbers_that_are_none(self, wrong: Any, threads: None) -> None:
        with pytest.raises(ValueError, match="threads must be a whole number"):
            set_threads(wrong)

    def test_any_number_gives_the_same(self, cells: Cells, threads: None) -> None:
        set_threads(1)
        known = everything(cells)
        for n in (2, 5):
            set_threads(n)
            for a, b in zip(known, everything(cells), strict=True):
                assert np.array_equal(a, b)

    def test_from_the_environment(self) -> None:
        script = "import nb101; print(nb101.get_threads())"
        assert python(script, NB101_THREADS="3").stdout == "3\n"
        assert python(script, NB101_THREADS="0").stdout == python(script).stdout
        for wrong in ("many", "-1", "1.5", "99999"):
            result = python(script, NB101_THREADS=wrong)
            assert result.stdout == python(script).stdout
            assert "NB101_THREADS must be a whole number" in result.stderr


def test_many_python_threads_at_once(cells: Cells, hashes: Any, threads: None) -> None:
    """All share one space, whose tables are made by whoever comes first."""
    space = SearchSpace()
    barrier = threading.Barrier(8)

    def work(i: int) -> bool:
        barrier.wait(PATIENCE)
        chosen = slice(i, None, 8)
        part = cells[chosen]
        return (
            bool((part.hashes() == hashes[chosen]).all())
            and bool((space.index(part) == np.arange(len(cells))[chosen]).all())
            and space[chosen] == part
            and space.find_hash(hashes[i].decode()) == i
        )

    for n in (2, 3):
        set_threads(n)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(work, range(8))) == [True] * 8


def test_one_stream_from_many_threads(cells: Cells) -> None:
    """Every cell comes once, whoever takes it."""
    stream = _core.Space(7, 9, 3).stream()

    def take(_: int) -> list[Any]:
        found = []
        while len((batch := stream.next(5000))[0]):
            found.append(np.column_stack(batch))
        return found

    with ThreadPoolExecutor(4) as pool:
        rows = np.concatenate([batch for part in pool.map(take, range(4)) for batch in part])
    assert len(rows) == len(cells)
    assert len(np.unique(rows, axis=0)) == len(cells)


def test_the_interpreter_lock_is_released(cells: Cells, threads: None) -> None:
    """Another thread runs between two reports of progress.

    A report calls `list.insert`, which runs no bytecode: the interpreter never gets to switch
    threads around it, so what the other thread notes in between, it notes while the call works.
    """
    record: list[int | str] = []
    stop = threading.Event()

    def note() -> None:
        while not stop.wait(0.001):
            record.append("other")

    other = threading.Thread(target=note)
    set_threads(1)
    _core.set_cpu("baseline")
    other.start()
    try:
        # A fast machine may report less than twice in a call.
        for _ in range(50):
            record.clear()
            cells.hashes(progress=record.insert)
            reports = [i for i, entry in enumerate(record) if entry != "other"]
            if len(reports) >= 2:
                break
    finally:
        stop.set()
        other.join()
        _core.set_cpu(None)
    if len(reports) < 2:
        pytest.skip("this machine is done before it reports twice")
    assert "other" in record[reports[0] : reports[-1]]


@ON_UNIX
class TestFork:
    WORK = """
        import os, sys, threading, warnings
        import numpy as np
        import nb101
        warnings.simplefilter("ignore", DeprecationWarning)
        nb101.set_threads(2)
        space = nb101.SearchSpace()
        cells = space.enumerate()[::9]
        def work():
            return (
                cells.hashes().tobytes(), space.index(cells).tobytes(),
                space.neighbors(cells[-1]).edge_masks.tobytes(),
                space.find_hash(cells[77].hash), cells.parameters().tobytes(),
                nb101.SearchSpace(6, 9).enumerate().hashes().tobytes(),
            )
        def child():
            pid = os.fork()
            if pid == 0:
                try:
                    os._exit(0 if work() == known else 1)
                finally:
                    os._exit(2)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        known = work()
        """

    def test_a_child_forked_after_use(self) -> None:
        result = python(self.WORK + "print([child() for _ in range(3)])")
        assert result.stdout == "[0, 0, 0]\n", result.stderr

    def test_a_child_forked_while_other_threads_work(self) -> None:
        script = """
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                cells[::-1].hashes()
                nb101.SearchSpace(5, 9).index(cells[:50])
                space.index(cells)
        others = [threading.Thread(target=busy) for _ in range(2)]
        for other in others: other.start()
        print([child() for _ in range(5)])
        stop.set()
        for other in others: other.join()
        """
        result = python(self.WORK + script)
        assert result.stdout == "[0, 0, 0, 0, 0]\n", result.stderr

    def test_a_child_forked_while_other_threads_make_what_is_made_once(self) -> None:
        """On objects that both use: spaces, streams, cached attributes, a benchmark."""
        script = """
        import os, random, sys, threading, time, warnings
        import nb101
        warnings.simplefilter("ignore", DeprecationWarning)
        nb101.set_threads(2)
        rng = random.Random(1)
        table = nb101.load_table()
        def make(k):
            space = nb101.SearchSpace(6, 9, [f"op{i}" for i in range(k)])
            bench = nb101.Benchmark(table, seed=0)
            return space, [
                lambda: len(space),
                lambda: space[len(space) // 3].edges,
                lambda: space.index(space[::41]).tolist(),
                lambda: space.find_hash(space[77].hash) if k < 4 else None,
                lambda: [bench.query(i).validation_accuracy for i in range(300)] and None,
            ]
        codes = []
        for k in [2, 3, 4, 9] * 6:
            (space, calls), (_, fresh) = make(k), make(k)
            others = [threading.Thread(target=call) for call in rng.sample(calls, 2)]
            for other in others: other.start()
            time.sleep(rng.choice([0, 1e-4, 1e-3]) * rng.random())
            pid = os.fork()
            if pid == 0:
                try:
                    os._exit(0 if [f() for f in calls] == [f() for f in fresh] else 1)
                finally:
                    os._exit(2)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            for other in others: other.join()
        print(set(codes))
        """
        result = python(script)
        assert result.stdout == "{0}\n", result.stderr

    def test_a_fork_waits_for_a_query_of_another_thread(self) -> None:
        """Else its generator of random numbers is locked for ever in the child."""
        script = """
        import os, threading, time, warnings
        import nb101
        warnings.simplefilter("ignore", DeprecationWarning)
        bench = nb101.Benchmark(nb101.load_table(), seed=0)
        taken, done = threading.Event(), []
        def hold():
            with bench._lock:
                taken.set()
                time.sleep(0.3)
                done.append("released")
        others = [threading.Thread(target=hold)]
        def fork():
            assert taken.wait(60)
            pid = os.fork()
            if pid == 0:
                try:
                    os._exit(0 if done and bench.query(5, 108) else 1)
                finally:
                    os._exit(2)
            done.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        # Two at once, neither of which gives back what the other has taken.
        others += [threading.Thread(target=fork) for _ in range(2)]
        for other in others: other.start()
        for other in others: other.join()
        print(done, bench._lock.locked())
        """
        result = python(script)
        assert result.stdout == "['released', 0, 0] False\n", result.stderr

    @pytest.mark.parametrize("late", ["zipfile", "encodings.cp437", "pyarrow", "numpy"])
    def test_a_child_forked_while_another_thread_imports(self, late: str) -> None:
        """What a first call imports: a module being looked for, or in the middle of its code."""
        script = f"""
        import importlib.abc, os, sys, threading, time, warnings
        import nb101
        warnings.simplefilter("ignore", DeprecationWarning)
        sys.modules.pop({late!r}, None)
        found = threading.Event()
        class Slow(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path, target=None):
                if name == {late!r} and not found.is_set():
                    found.set()
                    time.sleep(0.5)
        sys.meta_path.insert(0, Slow())
        def call():
            return nb101.load_table().select(cells=[5]).to_arrow().num_rows
        other = threading.Thread(target=call)
        other.start()
        assert found.wait(60)
        pid = os.fork()
        if pid == 0:
            threading.Timer(20, os._exit, [3]).start()
            try:
                os._exit(0 if call() == 4 else 1)
            finally:
                os._exit(2)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        other.join()
        """
        result = python(script)
        assert result.stdout == "0\n", result.stderr

    def test_worker_processes(self) -> None:
        script = """
        import multiprocessing
        def hashes(i): return cells[i::4].hashes().tobytes()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            parts = pool.map(hashes, range(4))
        print(parts == [cells[i::4].hashes().tobytes() for i in range(4)])
        """
        result = python(self.WORK + script)
        assert result.stdout == "True\n", result.stderr


@ON_UNIX
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "call",
    [
        "forever(lambda: next(nb101.SearchSpace(11, 55, ops).iter_batches(10**8)))",
        "forever(lambda: nb101.SearchSpace(8, 11).enumerate())",
        "nb101.SearchSpace(11, 10, ops).sample(10**8, 0, method='raw')",
        "nb101.SearchSpace().mutate(nb101.SearchSpace()[np.zeros(10**7, int)], 0)",
        "forever(lambda: cells.hashes())",
        "forever(lambda: nb101.hash_modules(matrices, codes))",
        # One module, of whose 160,000 edges each is looked at 600 times.
        "nb101.hash_modules([np.triu(np.ones((600, 600), int), 1)], [[-1, *[0] * 598, -2]])",
        "forever(lambda: cells.alignment_distance(cells[-1]))",
        "forever(lambda: nb101.SearchSpace(9, 12).index(cells[:1]))",
        "nb101.SearchSpace(8, 11).find_hash('0' * 32)",
        "nb101.SearchSpace(11, 12).mutate(nb101.SearchSpace(11, 12)[:9999], 0, rate=11)",
        "large.alignment_distance(large[0])",
        "forever(lambda: refused(lambda: nb101.SearchSpace(11, 55, ops).neighbors(cells[0])))",
        "forever(lambda: nb101.SearchSpace(7, 10).edit_distances(cells[0]))",
        "locality.peak_volume(nb101.load_table())",
    ],
)
def test_ctrl_c_ends_a_long_call(call: str, threads: int) -> None:
    """Each call would take minutes, or is made again and again by a C loop without bytecode."""
    script = f"""
    import collections, itertools, os, resource, signal, threading, time
    import numpy as np
    import nb101
    # A call that cannot be interrupted ends here instead of eating the machine's memory.
    resource.setrlimit(resource.RLIMIT_AS, (12 << 30, resource.RLIM_INFINITY))
    from nb101.analysis import locality
    ops = [f"op{{i}}" for i in range(15)]
    large = nb101.SearchSpace(11, 12).sample(300, 0)
    cells = nb101.SearchSpace().enumerate()
    matrices, codes = cells.adjacency(), cells.operations()
    def forever(call):
        collections.deque(itertools.starmap(call, itertools.repeat(())), maxlen=0)
    def refused(call):
        try: call()
        except nb101.SpaceError: pass
    nb101.set_threads({threads})
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        {call}
    except KeyboardInterrupt:
        timer.join()
        assert cells[:1].hashes()[0] == b"043721b9c7fe8c5fad811d47d83132ec"
        print("interrupted")
    """
    result = python(script)
    assert result.stdout == "interrupted\n", result.stderr[-2000:]


@ON_UNIX
def test_memory_that_is_short_is_an_error() -> None:
    """For everything that grows; and all is well when there is memory again."""
    script = """
    import resource
    import numpy as np
    import nb101
    from nb101 import _core
    space = nb101.SearchSpace()
    cells = space.enumerate()
    ids = np.arange(len(cells), dtype=np.uint64)
    offsets, targets = _core.edit_graph(space._core, ids)
    known = cells[5].hash
    jobs = [
        lambda: nb101.SearchSpace(8, 9).enumerate(),
        lambda: cells[::-1].hashes(),
        lambda: nb101.SearchSpace(7, 10).find_hash(known),
        lambda: nb101.SearchSpace(9, 11).index(cells[:1]),
        lambda: cells.adjacency(),
        lambda: cells.parameters(),
        lambda: _core.edit_graph(space._core, ids),
        lambda: _core.ascend(offsets, targets, np.zeros(len(ids))),
        lambda: _core.walk_graph(offsets, targets, ids.astype(np.uint32), 500, 0),
        lambda: _core.random_cells(space._core, 10**6, 0),
    ]
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    refused = 0
    for more in (8, 40, 64):
        resource.setrlimit(resource.RLIMIT_AS, (used + (more << 20), resource.RLIM_INFINITY))
        for job in jobs:
            try:
                job()
            except MemoryError as error:
                refused += 1
                # NumPy's own say it in their words.
                assert "memory" in str(error) or "allocate" in str(error), error
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    assert refused >= 12
    assert _core.has_room()
    print(len(cells.hashes()))
    """
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc")
    result = python(script, OPENBLAS_NUM_THREADS="1")
    assert result.stdout == "423624\n", (result.returncode, result.stderr[-2000:])


def test_a_shortage_is_told_from_a_damaged_file() -> None:
    short: list[Exception] = [
        OSError("Memory mapping file failed: Cannot allocate memory"),
        OSError(errno.ENOMEM, "x"),
        ImportError("libx.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
        MemoryError(),
    ]
    for error in short:
        assert is_shortage(error)
        with pytest.raises(MemoryError, match="not enough memory"):
            raise_if_short(error)
    others: list[Exception] = [OSError(errno.ENOENT, "x"), ValueError("damaged"), KeyError("x")]
    for error in others:
        raise_if_short(error)


def test_an_exception_of_a_signal_handler_comes_through() -> None:
    if os.name != "posix":
        pytest.skip("needs POSIX signals")
    script = """
    import signal, nb101
    class Alarm(Exception): pass
    def ring(*_): raise Alarm
    signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        while True:
            next(nb101.SearchSpace(11, 55).iter_batches(10**8))
    except Alarm:
        print("rung")
    """
    assert python(script).stdout == "rung\n"


def test_importing_is_light() -> None:
    script = """
    import sys, nb101
    nb101.SearchSpace(4).enumerate().hashes()
    heavy = {"pyarrow", "torch", "matplotlib", "networkx", "rich", "typer", "platformdirs"}
    heavy |= {"jinja2", "urllib.request", "http.client", "ssl", "tempfile"}
    print(sorted(heavy & set(sys.modules)))
    """
    result = python(script)
    assert result.stdout == "[]\n", result.stderr


def test_importing_waits_for_numpy() -> None:
    """And for the core: whatever name is asked for first brings them."""
    script = """
    import sys, nb101
    nb101.InvalidCellError, nb101.__version__, dir(nb101)
    print(sorted({"numpy", "nb101._core", "hashlib", "inspect"} & set(sys.modules)))
    nb101.Cell
    print("nb101._core" in sys.modules)
    """
    result = python(script)
    assert result.stdout == "[]\nTrue\n", result.stderr


def test_names_are_found_where_they_are() -> None:
    """For `__getattr__` as for type checkers, and every public name."""
    tree = ast.parse(Path(nb101.__file__).read_text("utf-8"))
    shown = next(node for node in tree.body if isinstance(node, ast.If)).body
    places, parts = {}, set()
    for node in shown:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            # The package of the explorer is called by its name: see nb101/explore.
            if node.module == "nb101" or alias.asname:
                parts.add(alias.asname or alias.name)
            else:
                places[alias.name] = str(node.module).removeprefix("nb101.")
    assert places == nb101._PLACES
    assert parts == {*nb101._PARTS, *nb101._BELOW}
    for name, place in places.items():
        value = getattr(nb101, name)
        assert getattr(value, "__module__", f"nb101.{place}") == f"nb101.{place}"
    for name in nb101.__all__:
        assert hasattr(nb101, name)
    assert nb101.__version__ == _core.__version__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(nb101, "nonsense")  # noqa: B009


def test_first_calls_import_no_part_of_numpy(tmp_path: Path) -> None:
    """A fork meanwhile would leave the child with the lock of an import that nobody ends."""
    official.write(tmp_path / "few.tfrecord", [5, 359715])
    code = """if True:
        import sys
        import pyarrow, pyarrow.parquet
        import nb101
        nb101.Benchmark, nb101.table, nb101.hash_modules
        before = {name for name in sys.modules if name.startswith("numpy")}
        table, _ = nb101.table.official.read_official(sys.argv[1])
        space = table.space
        assert space.find_hash(space[359715].hash) == space.index(space[359715])
        nb101.Benchmark(table, seed=0).query(5, 108)
        nb101.hash_modules([[[0, 1], [0, 0]]], [[-1, -2]])
        print(*sorted({name for name in sys.modules if name.startswith("numpy")} - before))
    """
    command = [sys.executable, "-c", code, str(tmp_path / "few.tfrecord")]
    assert subprocess.check_output(command, text=True).split() == []
