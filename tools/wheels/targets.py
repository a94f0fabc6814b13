"""What wheels are built for, and what Rust and maturin are told for each."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A target of Rust, the systems its wheel is for, and what its linker needs to be told."""

    triple: str
    tag: str
    """What the platform tag of the wheel begins with."""
    compatibility: str | None = None
    """The oldest system, as maturin names it; none but Linux has a choice."""
    flags: tuple[str, ...] = ()
    """Flags of rustc."""
    linker: str | None = None
    """What links it, where that is not zig."""

    system: str | None = None
    """The one system that builds it, as Python names it, with a linker of its own."""

    @property
    def by_zig(self) -> bool:
        """Whether zig links it; macOS has tools of its own."""
        return not self.linker and not self.system and sys.platform != "darwin"


# A library that Python loads takes musl from the system.
_MUSL = ("-Ctarget-feature=-crt-static",)
# No moment of the build in what its linker writes.
_MSVC = ("-Clink-arg=/Brepro",)

TARGETS = {
    target.triple: target
    for target in (
        Target("x86_64-unknown-linux-gnu", "manylinux2014_x86_64", "manylinux2014"),
        Target("aarch64-unknown-linux-gnu", "manylinux2014_aarch64", "manylinux2014"),
        Target("x86_64-unknown-linux-musl", "musllinux_1_2_x86_64", "musllinux_1_2", _MUSL),
        Target("aarch64-unknown-linux-musl", "musllinux_1_2_aarch64", "musllinux_1_2", _MUSL),
        Target("x86_64-apple-darwin", "macosx_10_12_x86_64"),
        Target("aarch64-apple-darwin", "macosx_11_0_arm64"),
        # By zig, maturin asks for a symbol of the whole dotted name of the module.
        Target("x86_64-pc-windows-gnu", "win_amd64", linker="x86_64-w64-mingw32-gcc"),
        Target("x86_64-pc-windows-msvc", "win_amd64", flags=_MSVC, system="win32"),
        Target("aarch64-pc-windows-msvc", "win_arm64", flags=_MSVC, system="win32"),
    )
}


def compiler() -> str:
    """Return the rustc that cargo calls."""
    return os.environ.get("RUSTC", "rustc")


def installed() -> set[str]:
    """Targets whose standard library is here."""
    told = subprocess.run(
        [compiler(), "--print", "sysroot"], capture_output=True, text=True, check=True
    )
    folders = Path(told.stdout.strip(), "lib", "rustlib").glob("*/lib/libstd-*.rlib")
    return {path.parent.parent.name for path in folders}


def obtain(target: Target) -> str | None:
    """Have what builds for a target, or say what cannot be had."""
    if target.system not in (None, sys.platform):
        return "its linker is of another system"
    if target.linker and not shutil.which(target.linker):
        return f"no {target.linker}"
    if target.triple in installed():
        return None
    try:
        asked = subprocess.run(
            ["rustup", "target", "add", target.triple],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    except FileNotFoundError:
        return "no standard library, and no rustup to fetch it"
    except subprocess.TimeoutExpired:
        return "rustup did not fetch the standard library within five minutes"
    if asked.returncode:
        return "rustup: " + (asked.stderr.strip().splitlines() or ["no reason"])[-1]
    return None
