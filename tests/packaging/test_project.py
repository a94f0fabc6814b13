"""What releases and the package's page are made of: version, notes, links, extras, workflows."""

import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SITES = (
    "https://github.com/nb101/nb101/blob/main/",
    "https://github.com/nb101/nb101/tree/main/",
    "https://raw.githubusercontent.com/nb101/nb101/main/",
)
DOCUMENTATION = "https://nb101.github.io/nb101/"


def load(path: str) -> ModuleType:
    name = path.replace("/", "_").removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


release, compare = load("tools/release.py"), load("benches/compare.py")


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def test_there_is_one_version() -> None:
    assert release.stale(release.version()) == []
    # maturin takes it from Cargo.toml.
    assert project()["dynamic"] == ["version"]


def test_a_new_version_is_written_everywhere(tmp_path: Path) -> None:
    for name in release.PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    release.write("12.34.56", tmp_path)
    assert release.stale("12.34.56", tmp_path) == []
    assert release.version(tmp_path) == "12.34.56"
    assert len(release.stale(release.version(), tmp_path)) == len(release.PLACES)
    for name in release.PLACES:
        back = (tmp_path / name).read_text().replace("12.34.56", release.version())
        assert back == (ROOT / name).read_text()
    for wrong in ("1.2", "1.2.0rc1", "v1.2.0"):
        with pytest.raises(SystemExit, match="no version"):
            release.write(wrong, tmp_path)


def test_notes_are_the_part_of_the_version() -> None:
    text = "# Changelog\n\n## Unreleased\n\n- new\n\n## 1.0.0 - 2026-01-02\n\n- old\n\n"
    text += "## 0.9.0 - 2025-01-02\n- older\n"
    assert release.notes("1.0.0", text) == "- old\n"
    assert release.notes("0.9.0", text) == "- older\n"
    for absent in ("1.0", "Unreleased", "1x0.0"):
        with pytest.raises(SystemExit, match="has no part"):
            release.notes(absent, text)


def test_slower_benchmarks_are_named(tmp_path: Path) -> None:
    def written(name: str, **seconds: float) -> Path:
        entries = [
            {"name": f"test_{key}", "extra_info": {}, "stats": {"min": value}}
            for key, value in seconds.items()
        ]
        (tmp_path / name).write_text(json.dumps({"benchmarks": entries}))
        return tmp_path / name

    old = [written("a", hash=1.0, count=2.0), written("b", hash=1.2, count=1.0, gone=1.0)]
    new = [written("c", hash=1.3, count=1.05, fresh=1.0), written("d", hash=1.2, count=1.2)]
    page = compare.page(compare.best(old), compare.best(new))
    assert "1 of 2 benchmarks are slower" in page
    rows = [line.split(" | ") for line in page.splitlines() if " ms | " in line]
    assert [(row[0], row[-1]) for row in rows] == [("| hash", "**1.20** |"), ("| count", "1.05 |")]
    assert "are slower" not in compare.page({"x": 1.0}, {"x": 1.05})
    compare.main(
        [*map(str, old), "--new", *map(str, new), "--output", str(tmp_path / "p" / "q.md")]
    )
    assert (tmp_path / "p" / "q.md").read_text() == page


@pytest.mark.parametrize("name", ["README.md", "rust/core/README.md", "rust/lanes/README.md"])
def test_links_lead_somewhere_from_a_package_page(name: str) -> None:
    """Which has no folder beside it: links are whole, and what they name is there."""
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)|<img[^>]*src=\"([^\"]+)\"", text)
    for link in (one or other for one, other in links):
        assert link.startswith(("https://", "#")), link
        for site in SITES:
            if link.startswith(site):
                assert (ROOT / link.removeprefix(site).partition("#")[0]).exists(), link
        if link.startswith(DOCUMENTATION):
            page = link.removeprefix(DOCUMENTATION).partition("#")[0].removesuffix(".html")
            made = page.startswith(("reference/api/", "reference/commands/"))
            assert made or (ROOT / "docs" / f"{page or 'index'}.md").exists(), link


@pytest.mark.parametrize("crate", ["core", "lanes"])
def test_a_crate_carries_the_licence(crate: str) -> None:
    """A link in the repository, and a file in what is published."""
    text = (ROOT / "rust" / crate / "LICENSE").read_text()
    # Where git makes no links it writes where they lead.
    assert text in ("../../LICENSE", (ROOT / "LICENSE").read_text())


def test_pages_of_the_project_are_there() -> None:
    for link in project()["urls"].values():
        for site in SITES:
            if link.startswith(site):
                assert (ROOT / link.removeprefix(site)).exists()


def test_all_is_all_extras() -> None:
    extras = project()["optional-dependencies"]
    (everything,) = extras["all"]
    named = re.fullmatch(r"nb101\[(.*)\]", everything)
    assert named is not None
    assert set(named[1].split(",")) == set(extras) - {"all", "dev", "docs"}
    # Read and not imported: it needs the package, which `make wheels` tests without.
    proof = (ROOT / "tools" / "installs" / "proof.py").read_text(encoding="utf-8")
    proofs = re.findall(r'^    "(\w+)": \1,$', proof, re.MULTILINE)
    assert set(proofs) == {*named[1].split(","), "golden", "base", "pandas", "polars"}


def test_the_recipe_needs_what_the_package_needs() -> None:
    recipe = (ROOT / "conda" / "recipe.yaml").read_text()
    extras = project()["optional-dependencies"]
    for needed in project()["dependencies"] + extras["report"]:
        name, floor = needed.split(">=")
        name = {"matplotlib": "matplotlib-base"}.get(name, name)
        assert f"- {name} >={floor}\n" in recipe


def test_actions_are_pinned() -> None:
    """By the hash of a commit, one for each action; and no workflow has a right by default."""
    pins: dict[str, set[str]] = {}
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text()
        assert "\npermissions: {}\n" in text
        for action, pin in re.findall(r"uses: ([\w./-]+)@(\S+)", text):
            assert re.fullmatch(r"[0-9a-f]{40}", pin), (path, action)
            pins.setdefault(action, set()).add(pin)
    assert pins
    assert all(len(found) == 1 for found in pins.values())
