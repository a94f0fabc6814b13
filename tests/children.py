"""Python code in a process of its own, for benchmarks: what it prints, and how much memory it took.

The code may call ``peak_megabytes()``.
"""

import json
import subprocess
import sys
from pathlib import Path

PEAK = """
import sys
from pathlib import Path

def peak_megabytes():
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss, which a child of a large process inherits on Linux.
        text = status.read_text()
        return int(text.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    import resource
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
"""


def in_a_process(code: str, *arguments: Path) -> dict[str, float]:
    """Run code that prints JSON."""
    command = [sys.executable, "-c", PEAK + code, *map(str, arguments)]
    found: dict[str, float] = json.loads(subprocess.check_output(command))
    return found
