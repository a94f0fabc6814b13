"""Builds wheels and the source distribution so that they tell nothing of where they were built.

Wheels are for every Python with a lock, or, where a free-threaded one runs this, for that one.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from wheels.targets import Target, compiler
from wheels.tidy import tidy

PAGE = "nb101/explore/bundle/index.html"
"""The explorer's page as wheels have it: built from ``web``, and not in the repository."""


def output(*command: str, at: Path) -> str:
    """Return what a command prints in a folder."""
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=True).stdout


def date_of(source: Path) -> str:
    """Return SOURCE_DATE_EPOCH as it is set, or the date of the commit, in seconds."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return given
    try:
        return output("git", "log", "-1", "--format=%ct", at=source).strip()
    except (OSError, subprocess.CalledProcessError):
        return "315532800"  # 1980, the first year of zip


def commit_of(source: Path) -> str:
    """Name the commit, and whether the tree differs from it."""
    return output("git", "describe", "--always", "--dirty", at=source).strip()


def remapping(source: Path) -> list[str]:
    """Make the flags of rustc that take the folders of the sources out of what it writes.

    Of several that fit rustc takes the last. Crates of a registry lie in a folder that is named
    after it, those of ``make vendor`` in ``crates``.
    """
    cargo = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    sysroot = Path(output(compiler(), "--print", "sysroot", at=source).strip())
    commit = next(
        line.split()[1]
        for line in output(compiler(), "-vV", at=source).splitlines()
        if line.startswith("commit-hash:")
    )
    folders = [(Path.home(), "/home"), (source, "/nb101"), (cargo, "/cargo")]
    folders += [(path, "/crates") for path in sorted(cargo.glob("registry/src/*"))]
    folders += [(cargo / "crates", "/crates"), (sysroot, "/rust")]
    folders += [(sysroot / "lib/rustlib/src/rust", f"/rustc/{commit}")]
    return [f"--remap-path-prefix={path}={name}" for path, name in folders]


def environment(source: Path, target: Target) -> dict[str, str]:
    """Make the environment of a build: flags, the date, and no flags that somebody has set."""
    result = dict(os.environ)
    for name in ("RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"):
        result.pop(name, None)
    result["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join([*remapping(source), *target.flags])
    result["SOURCE_DATE_EPOCH"] = date_of(source)
    result["CARGO_INCREMENTAL"] = "0"
    # cargo-zigbuild and zig of the environment that this runs in.
    result["PATH"] = str(Path(sys.executable).parent) + os.pathsep + result["PATH"]
    return result


def have_page(source: Path) -> None:
    """Build the explorer's page where it is not: maturin packs without a word what there is."""
    if (source / "python" / PAGE).exists():
        return
    told = os.environ | {"PYTHONPATH": str(source / "tools")}
    subprocess.run([sys.executable, "-m", "page", "build"], cwd=source, env=told, check=True)


def build_wheel(source: Path, target: Target, out: Path, profile: str) -> Path:
    """Build the wheel of a target into a folder."""
    source, out = source.resolve(), out.resolve()
    have_page(source)
    # The folder of crates is there before rustc is told of it.
    subprocess.run(["cargo", "fetch", "--locked"], cwd=source, check=True)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob(f"nb101-*{target.tag}*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "maturin", "build", "--locked", "--profile", profile]
    command += ["--target", target.triple, "--out", str(out)]
    if target.by_zig:
        command.append("--zig")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        python = f"python{sys.version_info.major}.{sys.version_info.minor}t"
        command += ["--no-default-features", "--interpreter", python]
    if target.compatibility:
        command += ["--compatibility", target.compatibility]
    where = environment(source, target)
    subprocess.run(command, cwd=source, env=where, check=True)
    wheel, *others = out.glob(f"nb101-*{target.tag}*.whl")
    if others:
        raise RuntimeError(f"{len(others) + 1} wheels of {target.triple} in {out}")
    tidy(wheel, int(where["SOURCE_DATE_EPOCH"]))
    return wheel


def build_sdist(source: Path, out: Path) -> Path:
    """Make the source distribution."""
    source, out = source.resolve(), out.resolve()
    have_page(source)
    for old in out.glob("nb101-*.tar.gz"):
        old.unlink()
    command = [sys.executable, "-m", "maturin", "sdist", "--out", str(out)]
    date = {"SOURCE_DATE_EPOCH": date_of(source)}
    subprocess.run(command, cwd=source, env=os.environ | date, check=True)
    (sdist,) = out.glob("nb101-*.tar.gz")
    return sdist
