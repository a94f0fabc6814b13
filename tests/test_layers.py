"""What the linter of layers does not see: who imports the package itself.

The extension is no module to it, and `from nb101 import _core` reads as an import of the package,
which the contract therefore allows. So names of the package's face could be imported from below.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "python" / "nb101"


def imported_of_the_face(source: str) -> Iterator[str]:
    """Names that are imported from `nb101` and are neither modules of it nor the extension."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("nb101"))
        elif isinstance(node, ast.ImportFrom) and (node.module == "nb101" or node.level):
            for name in node.names:
                place = PACKAGE / name.name
                if name.name != "_core" and not (
                    place.is_dir() or place.with_suffix(".py").exists()
                ):
                    yield name.name


def test_names_of_the_face_are_found() -> None:
    source = "import nb101\nfrom nb101 import _core, Cell, datasets\nfrom . import space, table"
    assert list(imported_of_the_face(source)) == ["nb101", "Cell"]


def test_nothing_below_imports_the_face() -> None:
    found = {
        str(path.relative_to(PACKAGE)): list(imported_of_the_face(path.read_text("utf-8")))
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "__init__.py"
    }
    assert {name: names for name, names in found.items() if names} == {}
