"""Figures: each can be drawn, says what it shows, and marks what is predicted."""

import io
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import nb101
from nb101 import DatasetError, NB101Error, UnknownNameError, analysis
from nb101.analysis import figures
from nb101.analysis.figures.distributions import thinned
from nb101.analysis.study import Study, is_function
from nb101.proxies import Scores


@pytest.fixture(scope="module")
def study(table: nb101.Table) -> Study:
    columns = {"params": table.cells.parameters().astype(float), "zen": table.cells.depth() / 1.0}
    scores = Scores(cells=table.cells, columns=columns, space=table.space)
    return Study(table, seed=1, scores=scores)


def overlaps(ax: Any) -> list[str]:
    """Texts of the axes that run into each other or over the figure's edge, as they are drawn."""
    figure = ax.figure
    figure.draw_without_rendering()
    boxes = []
    for axis in (ax.xaxis, ax.yaxis):
        texts = [label for label in axis.get_ticklabels() if label.get_visible()]
        low, high = sorted(axis.get_view_interval())
        within = zip(axis.get_ticklocs(), texts, strict=True)
        boxes += [text for at, text in within if low <= at <= high]
        boxes.append(axis.label)
    boxes += [ax.title, ax._left_title, ax._right_title]
    drawn = [(text.get_text(), text.get_window_extent()) for text in boxes if text.get_text()]
    found = []
    for i, (name, box) in enumerate(drawn):
        if not figure.bbox.padded(1).contains(box.x0, box.y0):
            found.append(f"{name} is cut off")
        if not figure.bbox.padded(1).contains(box.x1, box.y1):
            found.append(f"{name} is cut off")
        found += [f"{name} and {other}" for other, b in drawn[:i] if box.overlaps(b)]
    return found


@pytest.mark.parametrize("name", figures.FIGURES)
def test_every_figure(name: str, study: Study) -> None:
    figure = figures.draw(study, name)
    ax = figure.axes[0]
    assert overlaps(ax) == []
    assert ax.get_title(loc="left") == figures.FIGURES[name].title
    assert ax.get_title(loc="right") == ""
    assert ax.get_xlabel()
    assert ax.get_ylabel() or ax.get_yticklabels()


@pytest.mark.parametrize("name", ["rwa", "volume", "distance"])
def test_distances_are_called_what_they_are(name: str, study: Study) -> None:
    """They are alignment distances; `nb101.edit_distance` is something else."""
    figure = figures.draw(study, name)
    texts = [text for legend in figure.legends for text in legend.get_texts()]
    texts += [ax.xaxis.label for ax in figure.axes]
    said = " ".join([figures.FIGURES[name].caption, *(text.get_text() for text in texts)])
    assert len(texts) > 2
    assert "edit" not in said
    assert "alignment distance" in said


def test_on_given_axes(table: nb101.Table) -> None:
    top, bottom = Figure().subplots(2)
    assert figures.draw("op-accuracy", table, top, epochs=4) is top
    assert figures.draw("depth", table, bottom) is bottom
    assert len(top.figure.axes) == 2
    assert top.get_legend() is not None


def test_what_is_predicted_is_marked(small: Any) -> None:
    columns = {
        "cell_id": np.arange(50),
        "epochs": [4] * 50,
        "final_validation_accuracy": np.linspace(0.1, 0.9, 50),
    }
    for kind, mark in (("predicted", "predicted"), ("mixed", "partly predicted")):
        table = nb101.Table.from_columns(columns, space=small.space, provenance={"kind": kind})
        assert figures.draw(table, "depth").axes[0].get_title(loc="right") == mark


def test_curves_are_the_distribution(table: nb101.Table) -> None:
    ax = figures.draw(table, "ecdf").axes[0]
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines) == ["train", "validation", "test"]
    values = np.sort(table.mean("test_accuracy", 36))
    x, y = np.asarray(lines["test"].get_data(orig=True), dtype=float)
    assert x[1:].tolist() == pytest.approx((100 * values).tolist())
    assert y.tolist() == pytest.approx(100 * np.arange(len(values) + 1) / len(values))


def test_long_curves_are_thinned() -> None:
    values = np.sort(np.random.default_rng(0).random(50_000))
    x, y = thinned(values)
    assert len(x) <= figures.POINTS
    assert (x[0], x[-1], y[-1]) == (values[0], values[-1], 1.0)
    exact = np.searchsorted(values, x, side="right") / len(values)
    assert y.tolist() == pytest.approx(exact.tolist())


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_save(ending: str, table: nb101.Table, tmp_path: Path) -> None:
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    files = [tmp_path / f"{i}.{ending}" for i in range(2)]
    for file in files:
        figures.save("width", table, file)
    data = [file.read_bytes() for file in files]
    assert data[0].startswith(starts[ending])
    assert data[0] == data[1]
    figures.save("width", table, tmp_path / "other", format=ending)
    assert (tmp_path / "other").read_bytes() == data[0]


def test_what_is_refused(table: nb101.Table, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'pareto-time'"):
        figures.draw(table, "pareto-tim")
    with pytest.raises(TypeError, match=r"draw\(table, 'pareto-time'\)"):
        figures.draw("depth", "pareto-time")
    with pytest.raises(ValueError, match="cannot tell the format"):
        figures.save("depth", table, tmp_path / "depth.jpeg")
    assert list(tmp_path.iterdir()) == []


def test_tables_that_lack_something() -> None:
    """Each figure is drawn, or says what is missing."""
    least = {"cell_id": [0, 1, 5], "epochs": [4] * 3, "final_test_accuracy": [0.1, 0.5, 0.3]}
    table = nb101.Table.from_columns(least, provenance={"recipe": "NAS-Bench-101"})
    reasons = {}
    for name in figures.FIGURES:
        try:
            figures.draw(name, table)
        except NB101Error as error:
            reasons[name] = str(error)
    assert "no column 'final_training_time'" in reasons["time-parameters"]
    assert "no training time" in reasons["pareto-time"]
    assert "at one budget only" in reasons["budget-correlation"]
    assert "not known" in reasons["noise"]
    assert "no two cells" in reasons["op-accuracy"]
    assert set(reasons) == {
        *("time-parameters", "pareto-time", "budget-correlation", "noise", "splits"),
        *("op-accuracy", "op-time", "structure-time", "proxies", "proxies-parts"),
    }


def test_without_noise(small: Any) -> None:
    columns = {"cell_id": [0, 0], "epochs": [4, 4], "final_test_accuracy": [0.5, 0.5]}
    table = nb101.Table.from_columns(columns, space=small.space)
    assert analysis.noise(table).spread.tolist() == [0.0]
    with pytest.raises(DatasetError, match="all equal"):
        figures.draw("noise", table)


def test_pages_can_hold_several(study: Study) -> None:
    """Ids of one figure's SVG are not those of another's."""
    import re

    from nb101.analysis.page import svg

    ids = [set(re.findall(r'\bid="([^"]*)"', svg(name, study))) for name in ("depth", "width")]
    assert ids[0]
    assert not ids[0] & ids[1]
    text = svg("splits", study)
    assert set(re.findall(r'href="#([^"]*)"', text)) <= set(re.findall(r'\bid="([^"]*)"', text))
    assert figures.INK not in text
    buffer = io.BytesIO()
    figures.render(figures.draw(study, "depth"), buffer, "svg")
    assert figures.INK.encode() in buffer.getvalue()


def test_a_layout_alone_is_no_other_picture(study: Study) -> None:
    """What `savefig` draws for nothing is left out: the bytes are those of matplotlib's figure."""
    for name in ("ecdf", "pareto-time", "depth", "rwa"):
        pictures = []
        for plain in (False, True):
            figure = figures.draw(study, name)
            if plain:
                figure.draw = MethodType(Figure.draw, figure)  # type: ignore[method-assign]
            buffer = io.BytesIO()
            figures.render(figure, buffer, "svg")
            pictures.append(buffer.getvalue())
        assert pictures[0] == pictures[1], name


def test_a_notebook_shows_them(study: Study) -> None:
    """Once: the figure is none of pyplot's, and tells its picture and its size itself."""
    from matplotlib import pyplot

    figure = figures.draw(study, "depth")
    assert figures.draw("depth", study).axes[0].get_title(loc="left") == "Accuracy by depth"
    data, size = figure._repr_png_()
    assert data.startswith(b"\x89PNG")
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    assert (width, height) == (2 * size["width"], 2 * size["height"])
    assert repr(figure) == "<Drawing: Accuracy by depth>"
    assert pyplot.get_fignums() == []


def test_what_is_computed_is_not_drawn_as_a_finding(small: Any) -> None:
    n = len(small.space)
    accuracy = np.random.default_rng(0).random(n).round(3)
    columns = {"cell_id": np.arange(n), "epochs": [4] * n, "final_validation_accuracy": accuracy}
    columns["final_test_accuracy"] = 0.9 * accuracy + 0.01
    columns["test_accuracy_spread"] = accuracy * (1 - accuracy) / 10
    for kind in ("predicted", "measured"):
        table = nb101.Table.from_columns(columns, space=small.space, provenance={"kind": kind})
        study = Study(table)
        computed = kind == "predicted"
        assert study.computed("test_accuracy", "validation_accuracy") == computed
        assert study.computed("test_accuracy_spread", "test_accuracy") == computed
        if computed:
            with pytest.raises(DatasetError, match="computed from validation accuracy"):
                figures.draw(table, "splits")
        else:
            assert figures.draw(table, "splits").axes


def test_functions_are_told_from_chance() -> None:
    rng = np.random.default_rng(0)
    x = rng.random(1000)
    assert is_function(x, np.sqrt(x))
    assert is_function(x, -x)
    assert not is_function(x, rng.random(1000))
    # Not in one order, but equal where x is, as chance would not be.
    tied = rng.integers(0, 300, 1000) / 300
    assert is_function(tied, np.sin(9 * tied))
    assert not is_function(tied, np.sin(9 * tied) + 1e-3 * rng.random(1000))
    assert not is_function(x[:5], x[:5])
    assert not is_function(np.ones(50), x[:50])
