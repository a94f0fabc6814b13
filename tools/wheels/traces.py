"""Finds what tells of the machine on which a wheel or a source distribution was built."""

import getpass
import os
import re
import socket
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

# Folders that only a machine has; what rustc writes for its own sources, /rustc/COMMIT, is none.
_FOLDERS = re.compile(
    rb"(?<![\w./])(?:/root|/home/\w+|/work|/Users/\w+|/tmp|/var/folders|/io|/__w"
    rb"|[A-Za-z]:\\+(?:Users|a)\\)/?[\w.+@-]+(?:[/\\][\w.+@-]+)*"
)
_REGISTRY = re.compile(rb"registry[/\\]src[/\\][\w.-]+")


def machine(source: Path) -> list[bytes]:
    """List what this machine is known by: folders of the build, its name, who builds."""
    cargo = os.environ.get("CARGO_HOME") or Path.home() / ".cargo"
    folders = {str(source.resolve()), str(Path.home()), str(cargo)}
    folders |= {os.environ[name] for name in ("CARGO_TARGET_DIR", "TMPDIR") if name in os.environ}
    told = subprocess.run(
        ["rustc", "--print", "sysroot"], capture_output=True, text=True, check=False
    )
    folders.add(told.stdout.strip())
    names = {name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 5}
    return [word.encode() for word in sorted(folders | names) if len(word) > 3]


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a wheel or a source distribution."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())
    else:
        with tarfile.open(path) as tar:
            for member in tar:
                if opened := tar.extractfile(member):
                    yield member.name, opened.read()


def made(name: str) -> bool:
    """Whether a file is made by the build, and not one of the sources."""
    return name.endswith((".so", ".pyd", ".dylib", "/WHEEL", "/RECORD", "/PKG-INFO")) or (
        ".dist-info/sboms/" in name
    )


def traces(path: Path, known: list[bytes]) -> Iterator[str]:
    """Yield what a file has of a machine, a line each.

    Words that are known of the machine are looked for everywhere; what looks like a folder of any
    machine in binaries and metadata, where nothing else can have written it.
    """
    for name, content in members(path):
        for word in known:
            if word in content:
                yield f"{path.name}: {name} has {word.decode(errors='replace')}"
        if made(name):
            found = sorted({*_FOLDERS.findall(content), *_REGISTRY.findall(content)})
            if found:
                first = found[0].decode(errors="replace")
                yield f"{path.name}: {name} has {first} and {len(found) - 1} more folders"
