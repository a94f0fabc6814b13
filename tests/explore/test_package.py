"""The name `nb101.explore`: a package that is the function."""

import subprocess
import sys


def test_it_can_be_called_whatever_is_imported_first() -> None:
    for first in ("", "from nb101.explore import columns", "import nb101.explore.server"):
        code = (
            f"import sys; sys.modules['anywidget'] = None; {first}\nimport nb101\n"
            "assert type(nb101.explore).__call__.__doc__\n"
            "try: nb101.explore()\nexcept nb101.MissingExtraError as error: print(error.name)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("anywidget\n", "")
