"""Tries the arm64 wheel on an x86-64 Debian 12: its processor is emulated by qemu-user.

All of it lies in one folder and nothing is installed. Debian's packages of both architectures are
unpacked there: qemu, and Python with the libraries that it needs. The tests of the core and of the
lanes are compiled for Arm and run; of the Python tests, the quick ones of cells and spaces.
``PYTHONPATH=tools python -m wheels.arm`` keeps what came of it in ``benches/record``.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from installs.environments import PROOF
from wheels import build
from wheels.targets import TARGETS, obtain

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = "aarch64-unknown-linux-gnu"
HOST = ("qemu-user-static",)
# Debian's compiler, where rustup does not have the standard library.
COMPILER = ("rustc-web", "libstd-rust-web-1.96", "libstd-rust-web-dev", "libllvm22")
ARM = (
    *("python3.11", "python3.11-minimal", "libpython3.11-stdlib", "libpython3.11-minimal"),
    *("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libssl3", "libffi8"),
    *("libbz2-1.0", "liblzma5", "libsqlite3-0", "libuuid1", "libcrypt1"),
)
# Those of them that are quick: see tests/timing.py.
PYTHON_TESTS = (
    *("tests/space/test_cell.py", "tests/space/test_cells.py", "tests/space/test_hashing.py"),
    *("tests/space/test_modules.py", "tests/space/test_ops.py", "tests/space/test_search_space.py"),
    "tests/test_encodings.py",
)


class Bench:
    """The folder in which Arm is emulated."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host, self.arm = folder / "host", folder / "arm"
        qemu = self.host / "usr" / "bin" / "qemu-aarch64-static"
        self.qemu = [str(qemu), "-L", str(self.arm)]
        self.python = str(self.arm / "usr" / "bin" / "python3.11")

    def unpack(self, packages: list[str], into: Path) -> None:
        """Download packages of Debian and unpack them, without installing any."""
        apt, debs = self.folder / "apt", self.folder / "debs"
        for path in (apt / "lists/partial", apt / "cache/archives/partial", debs, into):
            path.mkdir(parents=True, exist_ok=True)
        config = self.folder / "apt.conf"
        config.write_text(
            f'Dir::State "{apt}"; Dir::State::status "/var/lib/dpkg/status";\n'
            f'Dir::Cache "{apt}/cache"; APT::Architectures {{ "amd64"; "arm64"; }};\n'
            'APT::Sandbox::User "root";\n'
        )
        told = os.environ | {"APT_CONFIG": str(config)}
        if not any((apt / "lists").glob("*Packages*")):
            subprocess.run(["apt-get", "update", "-qq"], env=told, check=True)
        command = ["apt-get", "download", "-qq", *packages]
        subprocess.run(command, cwd=debs, env=told, check=True)
        for deb in debs.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(deb), str(into)], check=True)
            deb.unlink()

    def prepare(self) -> str:
        """Have a compiler, qemu and an arm64 Python; return where the compiler is from."""
        if not Path(self.qemu[0]).exists():
            self.unpack(list(HOST), self.host)
        if not Path(self.python).exists():
            self.unpack([f"{name}:arm64" for name in ARM], self.arm)
        if obtain(TARGETS[TARGET]) is None:
            return "rustup"
        compiler = self.folder / "rustc"
        if not compiler.exists():
            self.unpack([*COMPILER, "libstd-rust-web-dev:arm64"], self.host)
            libraries = self.host / "usr/lib/x86_64-linux-gnu"
            compiler.write_text(
                f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {self.host}/usr/bin/rustc "$@"\n'
            )
            compiler.chmod(0o755)
        os.environ["RUSTC"] = str(compiler)
        return "Debian"

    def install(self, wheel: Path) -> Path:
        """Lay the wheel, what it needs and the tools of tests into a folder of packages for Arm."""
        site = self.folder / "site"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site)]
        command += ["--disable-pip-version-check", "--upgrade", "--only-binary", ":all:"]
        command += ["--python-version", "3.11", "--implementation", "cp"]
        for abi in ("cp311", "abi3", "none"):
            command += ["--abi", abi]
        for system in ("manylinux_2_28", "manylinux_2_27", "manylinux2014", "manylinux_2_17"):
            command += ["--platform", f"{system}_aarch64"]
        command += [str(wheel), "pytest", "hypothesis", "networkx", "scipy"]
        subprocess.run(command, check=True)
        return site

    def run(self, site: Path, *arguments: str) -> str:
        """Run Python on the emulated processor, and return what it says."""
        told = [f"PYTHONPATH={site}", "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0"]
        flags = [word for setting in told for word in ("-E", setting)]
        command = [*self.qemu, *flags, self.python, *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{done.stdout}{done.stderr}\non Arm: status {done.returncode}")
        return done.stdout.strip()


def rust_tests(bench: Bench) -> str:
    """Compile the tests of the core and the lanes for Arm, and run them."""
    told = build.environment(ROOT, TARGETS[TARGET])
    told["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER"] = " ".join(bench.qemu)
    # What is drawn is drawn on this machine's processor 256 times; emulation is ten times slower.
    told["PROPTEST_CASES"] = "32"
    command = ["cargo-zigbuild", "test", "--locked", "-p", "nb101-core", "-p", "nb101-lanes"]
    command += ["--lib", "--tests", "--target", TARGET]
    done = subprocess.run(command, cwd=ROOT, env=told, stdout=subprocess.PIPE, text=True)
    sys.stdout.write(done.stdout)
    if done.returncode:
        raise SystemExit("the Rust tests failed on Arm")
    results = re.findall(r"test result: ok\. (\d+) passed; 0 failed; (\d+) ignored", done.stdout)
    return f"{sum(int(passed) for passed, _ in results)} passed"


def python_tests(bench: Bench, site: Path) -> str:
    """Run a part of the Python tests on the installed wheel."""
    quietly = ("-q", "--quick", "-p", "no:cacheprovider", "-W", "default")
    said = bench.run(site, "-m", "pytest", *quietly, *PYTHON_TESTS)
    return re.sub(r" in [\d.]+s.*", "", said.splitlines()[-1]).strip("= ")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m wheels.arm", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "arm")
    parser.add_argument("--wheel", type=Path, help="one that was built before")
    parser.add_argument("--record", action="store_true", help="keep the result")
    options = parser.parse_args()
    bench = Bench(options.folder.resolve())
    compiler = bench.prepare()
    wheel = options.wheel or build.build_wheel(ROOT, TARGETS[TARGET], ROOT / "dist", "release")
    result: dict[str, object] = {"date": datetime.datetime.now(datetime.UTC).date().isoformat()}
    result["what"] = "arm64 wheel and tests under qemu-user, on an x86-64 machine"
    result["commit"] = build.commit_of(ROOT)
    result["wheel"], result["standard library"] = wheel.name, compiler
    site = bench.install(wheel)
    steps: dict[str, Callable[[], str]] = {
        "installed": lambda: bench.run(site, str(PROOF), "golden"),
        "Rust tests": lambda: rust_tests(bench),
        "Python tests": lambda: python_tests(bench, site),
    }
    for name, step in steps.items():
        start = time.monotonic()
        result[name] = step()
        result[f"{name}, seconds"] = round(time.monotonic() - start)
        print(f"{name}: {result[name]}", flush=True)
    if options.record:
        path = ROOT / "benches" / "record" / f"{result['date']}-arm.json"
        path.write_text(json.dumps(result, indent=2) + "\n")
        print("kept in", path.relative_to(ROOT))


if __name__ == "__main__":
    main()
