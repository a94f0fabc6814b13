"""Every row of the tables of old and new names is run; and what can be compared is."""

import re
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb101
from blocks import ROOT, blocks
from stand_ins import write_official_files

FOLDER = ROOT / "docs" / "guides" / "coming-from"
PAGES = ("nasbench", "naslib", "nasbenchapi", "nats-bench", "nas-benchmarks")
NEEDS = {"nas-benchmarks": "ConfigSpace"}


def rows(guide: str) -> list[tuple[str, str]]:
    """Return the rows of the table of a page: what is written there, and here."""
    lines = (FOLDER / f"{guide}.md").read_text().splitlines()
    begin = lines.index("| there | here | |") + 2
    found = []
    for line in lines[begin:]:
        if not line.startswith("| "):
            break
        match = re.fullmatch(r"\| (.+?) \| `([^`]+)` \|.*\|", line)
        assert match is not None, line
        found.append((match[1], match[2]))
    return found


@pytest.fixture(params=PAGES)
def guide(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    return name


@pytest.fixture
def names(guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the first block of the page makes, of small official files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NB101_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    write_official_files(tmp_path)
    first = next(b for b in blocks(FOLDER / f"{guide}.md") if b.language == "python")
    module = types.ModuleType("page")
    exec(first.text, module.__dict__)
    return module.__dict__


def test_pages_are_all(guide: str) -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {*PAGES, "index"}
    assert len(rows(guide)) >= 12


def test_every_row_is_run(guide: str, names: dict[str, Any]) -> None:
    for there, here in rows(guide):
        value = eval(here, names)
        assert value is not None or "reset" in here, (there, here)


def of_original(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("guide", ["nasbench"], indirect=True)
def test_the_original_answers_alike(names: dict[str, Any]) -> None:
    """What is written there runs here too; where nothing is drawn the answers are equal."""
    compared = 0
    repeats = set(names["nasbench"].get_metrics_from_spec(names["spec"])[1][108][0])
    assert "final_validation_accuracy" in repeats
    for there, here in rows("nasbench"):
        old = eval(there.strip("`"), names)
        if "query" in here:
            column = re.search(r"\.(\w+)$", here)
            assert column is not None
            stage = "halfway" if "halfway" in here else "final"
            known = {
                run[f"{stage}_{column[1]}"]
                for run in names["nasbench"].get_metrics_from_spec(names["spec"])[1][108]
            }
            assert old in known
            new = eval(here, names)
            assert any(new == pytest.approx(value) for value in known)
        elif "spent" in here or "reset" in here:
            assert old is None or len(old) == len(eval(here, names))
        elif "module_operations" in there:
            assert sorted(old) == sorted(eval(here, names))
        elif "ModelSpec" not in there:
            assert of_original(old) == of_original(eval(here, names)), there
            compared += 1
    assert compared >= 5


@pytest.mark.parametrize("guide", ["nasbenchapi"], indirect=True)
def test_text_goes_both_ways(names: dict[str, Any]) -> None:
    there = dict(rows("nasbenchapi"))
    assert (
        eval(there['`api.decode({"adjacency_str": a, "operations_str": o})`'], names)
        == names["cell"]
    )
    adjacency, ops = eval(there["`api.encode(arch)`"], names)
    assert (len(adjacency), ops.count(",")) == (49, 6)
    mean = eval(there['`api.query(arch, split="val", average=True)`'], names)
    every = eval(there['`api.query(arch, split="val")`'], names)
    assert mean == pytest.approx(every.mean(axis=1))


@pytest.mark.parametrize("guide", ["nas-benchmarks"], indirect=True)
def test_names_of_variables_are_those_of_the_scripts(names: dict[str, Any]) -> None:
    space = nb101.search.config_space("adjacency")
    assert set(space) == {f"edge_{i}" for i in range(21)} | {f"op_node_{i}" for i in range(5)}
    assert set(nb101.search.config_space("categorical")) == {f"edge_{i}" for i in range(9)} | {
        f"op_node_{i}" for i in range(5)
    }
    assert "num_edges" in set(nb101.search.config_space("continuous"))
    cell = nb101.search.to_cell("adjacency", names["values"])
    assert cell == nb101.Cell("0100", "input,output")
