"""A file from a server: what has come is kept and gone on from, and the whole is checked.

Connections break off, servers ignore what part is asked for, and files change between two tries.
The checksum of the whole decides in the end; all else is there to fail early and say why.
"""

import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import new as new_hash
from http.client import HTTPException, InvalidURL
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from nb101._core import __version__
from nb101.errors import DatasetError
from nb101.files import atomic

Progress = Callable[[int, int, str], object]

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken off."""
WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each new try, of those in a row that bring nothing new; then it is given up."""
CHUNK = 1 << 18
PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers of a server that may be another one in a moment."""


def fetch(
    url: str,
    target: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int,
    progress: Progress | None = None,
) -> None:
    """Fetch a file, or the rest of it.

    Until it is complete it is ``<target>.part``, which stays if this fails or is killed, for the
    next call to go on from. One process at a time may fetch a file: see `nb101.files.locked`.

    Parameters
    ----------
    url
        Its address: http, https or file.
    target
        The new file. It appears whole and checked, or not at all.
    sha256, md5
        What the checksum of the whole is, in hexadecimal: one of the two, as it was published.
    size
        About how many bytes it has; what is larger by a quarter is refused.
    progress
        Called with the bytes done, their number and what is being done: ``"checking"`` what is
        there, ``"downloading"``, ``"retrying"``.

    Raises
    ------
    DatasetError
        If it is not the file that was expected, or the address is none.
    ConnectionError
        If it cannot be had: the message says why, and what to do.
    OSError
        If it cannot be written.
    """
    if not url.lower().startswith(("https://", "http://", "file://")):
        raise DatasetError(f"cannot fetch {url!r}: an address begins with https://")
    if (sha256 is None) == (md5 is None):
        raise TypeError("fetch needs one checksum: sha256 or md5")
    kind, expected = ("MD5", md5) if sha256 is None else ("SHA-256", sha256)
    report = progress or (lambda done, total, what: None)
    with _Part(Path(target), kind) as part:
        part.check(report)
        # Equal at once if the last process was killed with all in its hands.
        if part.checksum != expected:
            _receive(url, part, expected, size, report)
        if part.checksum != expected:
            part.discard()
            raise DatasetError(
                f"{url} is not the file expected: its {kind} is {part.checksum}, not {expected}; "
                "what came was deleted"
            )
        part.complete()


class _FailedError(Exception):
    """A try that failed, and whether another may do better."""

    def __init__(self, reason: object, passing: bool) -> None:
        super().__init__(" ".join(str(reason).split()))
        self.passing = passing


class _Part:
    """What has come so far, and beside it in JSON from where.

    With it is kept what the server calls the version that it sends, an ETag or a date, so that the
    rest of another version is not put behind it.
    """

    def __init__(self, target: Path, kind: str) -> None:
        self._target, self._kind = target, kind.replace("-", "").lower()
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.part.json")
        self._hash = self._new_hash()
        self.size = 0

    def _new_hash(self) -> Any:
        return new_hash(self._kind, usedforsecurity=False)

    def __enter__(self) -> Self:
        # Unbuffered, so that a killed process loses nothing.
        self._file = self.path.open("a+b", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self.size == 0:
            self.discard()

    @property
    def checksum(self) -> str:
        return str(self._hash.hexdigest())

    def check(self, report: Progress) -> None:
        """Hash what is there from earlier."""
        total = os.fstat(self._file.fileno()).st_size
        self._file.seek(0)
        while data := self._file.read(CHUNK):
            self._hash.update(data)
            self.size += len(data)
            report(self.size, total, "checking")

    def version(self, url: str) -> str | None:
        """Return what the server at this address called the version of what is there."""
        try:
            notes = json.loads(self._notes.read_bytes())
            version = notes["version"] if notes["url"] == url else None
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return version if isinstance(version, str) else None

    def restart(self, url: str = "", version: str | None = None) -> None:
        """Drop what is there, for this version to come."""
        self._file.truncate(0)
        self._hash = self._new_hash()
        self.size = 0
        with atomic(self._notes) as file:
            file.write(json.dumps({"url": url, "version": version}).encode())

    def append(self, data: bytes) -> None:
        rest = memoryview(data)
        with _named(self.path):
            while rest:
                written = self._file.write(rest)
                self._hash.update(rest[:written])
                self.size += written
                rest = rest[written:]

    def complete(self) -> None:
        """Make it the target."""
        with _named(self.path):
            os.fsync(self._file.fileno())
            # Windows renames no file that is open.
            self._file.close()
        self.path.replace(self._target)
        self._notes.unlink(missing_ok=True)

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let a full disk say which file it could not take."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or os.fspath(path)
        raise


def _receive(url: str, part: _Part, expected: str | None, size: int, report: Progress) -> None:
    """Receive all that is missing, in as many tries as bring something."""
    furthest, failures = part.size, 0
    while True:
        try:
            _try_once(url, part, size, report)
            return
        except _FailedError as failure:
            if part.checksum == expected:
                return  # A server may be wrong about the length.
            if part.size > furthest:
                furthest, failures = part.size, 0
            if not failure.passing or failures == len(WAITS):
                kept = f"{part.size:,} bytes are kept for the next try; " if part.size else ""
                raise ConnectionError(
                    f"could not fetch {url}: {failure}; {kept}try again, or name a mirror with "
                    "url= (--url on the command line)"
                ) from failure
            report(part.size, size, "retrying")
            time.sleep(WAITS[failures])
            failures += 1


def _try_once(url: str, part: _Part, size: int, report: Progress) -> None:
    most = size + size // 4
    response = _ask(url, part)
    with response:
        total = _length(response)
        if total is not None and total > most:
            raise DatasetError(f"{url} has {total:,} bytes, and the file expected about {size:,}")
        if response.status != 206:
            part.restart(url, _version(response))
        report(part.size, total or size, "downloading")
        for data in _pieces(response):
            if part.size + len(data) > (total or most):
                part.discard()
                raise DatasetError(
                    f"{url} sends more than the {total or most:,} bytes expected; what came was "
                    "deleted"
                )
            part.append(data)
            report(part.size, total or size, "downloading")
    if total is not None and part.size < total:
        raise _FailedError(f"broke off after {part.size:,} of {total:,} bytes", passing=True)


def _ask(url: str, part: _Part) -> Any:
    """Ask for what is missing, or for the whole where the server does not have that.

    The answer is the rest of the version that the part is of (206), or the whole of any.
    """
    response = _open(url, part)
    if response.status == 206 and part.size and not _continues(response, url, part):
        response.close()
        part.restart()
        response = _open(url, part)
    # None: that of a local file.
    if response.status not in (None, 200) and not (response.status == 206 and part.size):
        response.close()
        raise _FailedError(
            f"the server answers {response.status} to a plain request", passing=False
        )
    if response.headers.get_content_type() == "text/html":
        # Of a proxy that wants a sign-in, or a mirror's index: no reason to drop what is there.
        response.close()
        raise _FailedError("a web page came instead of the file", passing=False)
    return response


def _open(url: str, part: _Part) -> Any:
    headers = {"User-Agent": f"nb101/{__version__}", "Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        version = part.version(url)
        if version is not None:
            headers["If-Range"] = version
    try:
        return urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == 416 and part.size:
            # There is nothing behind what we have, and that is not the file.
            part.restart()
            return _open(url, part)
        reason = f"the server answers {error.code} {error.reason}"
        raise _FailedError(reason, passing=error.code in PASSING) from None
    except URLError as error:
        certificate = isinstance(error.reason, ssl.SSLCertVerificationError)
        passing = not certificate and not url.lower().startswith("file:")
        raise _FailedError(error.reason, passing) from error
    except (InvalidURL, ValueError) as error:
        raise DatasetError(f"cannot fetch {url!r}: {error}") from None
    except (OSError, HTTPException) as error:
        raise _FailedError(_describe(error), passing=True) from error


def _pieces(response: Any) -> Iterator[bytes]:
    while True:
        try:
            # As much as is there: a break then loses nothing that came before it.
            data = response.read1(CHUNK)
        except (OSError, HTTPException) as error:
            raise _FailedError(_describe(error), passing=True) from error
        if not data:
            return
        yield data


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__


def _continues(response: Any, url: str, part: _Part) -> bool:
    """Whether an answer is the rest of what the part is of."""
    place = _range(response)
    if place is None or place[0] != part.size:
        return False
    ours, theirs = part.version(url), _version(response)
    return ours is None or theirs is None or ours == theirs


def _range(response: Any) -> tuple[int, int | None] | None:
    """Read the header Content-Range: the first byte, and how many the whole has."""
    text = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"\s*bytes\s+(\d+)-\d+/(\d+|\*)\s*", text, re.ASCII)
    if match is None:
        return None
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _length(response: Any) -> int | None:
    """Bytes of the whole file, as far as the server says."""
    place = _range(response) if response.status == 206 else None
    if place is not None and place[1] is not None:
        return place[1]
    text = response.headers.get("Content-Length", "")
    if not re.fullmatch("[0-9]+", text):
        return None
    return int(text) + (place[0] if place else 0)


def _version(response: Any) -> str | None:
    """Return what an If-Range may hold: a strong ETag, or else the date."""
    tag: str | None = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):
        return tag
    date: str | None = response.headers.get("Last-Modified")
    return date
