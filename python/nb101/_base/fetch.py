"""A file from a server: what has come is kept and gone on from, and the whole is checked.

Connections break off, servers ignore what part is asked for, and files change between two tries.
The checksum of the whole decides in the end; all else is there to fail early and say why. Where
there is no network at all, that is said within two seconds: only what has begun is tried again.

Nothing that a server does keeps it longer than a limit that follows from the size: a server that
sends a byte now and then is given up. From https nothing leads to less. What is there already is
gone on from only if it is a file of one's own, and is not written through a link.
"""

import io
import json
import os
import queue
import re
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import new as new_hash
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    InvalidURL,
)
from itertools import zip_longest
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
    url2pathname,
)

from nb101._base.progress import NamedProgress
from nb101._core import __version__
from nb101.errors import ArgumentError, DatasetError, FetchError, FileError
from nb101.plain import printable

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken off."""
FIRST = 2.0
"""Seconds in which the first connection must be there, those for finding the address included."""
WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each new try, of those in a row that bring nothing new; then it is given up."""
WINDOW = 60.0
"""Seconds over which the speed is looked at."""
SLOWEST = 1000
"""Bytes a second below which a connection counts as broken off."""
LEAST_LIMIT = 3600.0
LIMIT_SPEED = 100_000
"""What a fetch may take in all: an hour, and what its size takes at so many bytes a second."""
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
    progress: NamedProgress | None = None,
    offline: str = "",
) -> None:
    """Fetch a file, or the rest of it.

    Until it is complete it is ``<target>.part``, which stays if this fails or is killed, for the
    next call to go on from. One process at a time may fetch a file: see `nb101._base.files.locked`.

    Parameters
    ----------
    url
        Its address: http, https or file.
    target
        The new file. It appears whole and checked, or not at all.
    sha256, md5
        What the checksum of the whole is, in hexadecimal: one of the two, as it was published.
    size
        About how many bytes it has; what is larger by a quarter is refused. It may take an hour,
        and a second for each 100 kB; what has come by then is kept for the next call.
    progress
        Called with the bytes done, their number and what is being done: ``"checking"`` what is
        there, ``"downloading"``, ``"retrying"``.
    offline
        What there is to do without a network, a clause for the message.

    Raises
    ------
    DatasetError
        If it is not the file that was expected, or the address is none.
    FetchError
        If it cannot be had: the message says why, and what to do.
    OSError
        If it cannot be written; `FileError` if what is there already is a link, or of another user.
    """
    if not url.lower().startswith(("https://", "http://", "file://")):
        raise DatasetError(f"cannot fetch {url!r}: an address begins with https://")
    if (sha256 is None) == (md5 is None):
        raise ArgumentError("fetch needs one checksum: sha256 or md5", field="sha256")
    kind, expected = ("MD5", md5) if sha256 is None else ("SHA-256", sha256)
    report = progress or (lambda done, total, what: None)
    _check_local(url)
    with _Part(Path(target), kind) as part:
        part.check(size + size // 4, report)
        # Equal at once if the last process was killed with all in its hands.
        if part.checksum != expected:
            _receive(url, part, expected, size, report, offline)
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
        super().__init__(printable(" ".join(str(reason).split())))
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
        self._file = _open_own(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self.size == 0:
            self.discard()

    @property
    def checksum(self) -> str:
        return str(self._hash.hexdigest())

    def check(self, most: int, report: NamedProgress) -> None:
        """Hash what is there from earlier, unless it is more than there should be."""
        total = os.fstat(self._file.fileno()).st_size
        if total > most:
            self._file.truncate(0)
        self._file.seek(0)
        while data := self._file.read(CHUNK):
            self._hash.update(data)
            self.size += len(data)
            report(self.size, total, "checking")

    def version(self, url: str) -> str | None:
        """Return what the server at this address called the version of what is there."""
        try:
            with _open_own(self._notes, os.O_RDONLY) as file:
                notes = json.loads(file.read(MOST_NOTES))
            version = notes["version"] if notes["url"] == url else None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return version if isinstance(version, str) else None

    def restart(self, url: str = "", version: str | None = None) -> None:
        """Drop what is there, for this version to come."""
        self._file.truncate(0)
        self._hash = self._new_hash()
        self.size = 0
        # Not by `nb101._base.files.atomic`, which writes to what a link leads to.
        new = self._notes.with_name(f".{self._notes.name[:200]}.{os.urandom(4).hex()}.tmp")
        try:
            with new.open("xb") as file:
                file.write(json.dumps({"url": url, "version": version}).encode())
            new.replace(self._notes)
        finally:
            new.unlink(missing_ok=True)

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


MOST_NOTES = 1 << 16
"""Bytes read of what was noted beside a part."""


def _open_own(path: Path, flags: int) -> io.FileIO:
    """Open a regular file of one's own, or a new one; never what a link leads to.

    Raises
    ------
    FileError
        If it is anything else.
    """
    why = ""
    try:
        # Without waiting for the other end of a pipe.
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o666)
    except OSError:
        if not path.is_symlink():
            raise
        why = "a link"
    else:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            why = "no regular file"
        elif path.is_symlink() or found.st_nlink > 1:
            why = "a link"
        elif os.name == "posix" and found.st_uid != os.geteuid():
            why = "of another user"
        else:
            return io.FileIO(descriptor, "rb" if flags & os.O_ACCMODE == os.O_RDONLY else "a+b")
        os.close(descriptor)
    raise FileError(f"{path} is {why}: delete it, or choose another folder", path=path) from None


def _check_local(url: str) -> None:
    """Refuse the address of what is no file here: a pipe may never end."""
    if url.lower().startswith("file://"):
        path = Path(url2pathname(urlsplit(url).path))
        if path.exists() and not path.is_file():
            raise DatasetError(f"cannot fetch {url!r}: it is no regular file")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let a full disk say which file it could not take."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or os.fspath(path)
        raise


class _Line:
    """The connections of a fetch: until when all must have come, and whether there has been one."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.deadline = time.monotonic() + limit
        self.reached = False

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    def connect(self, address: tuple[str, int], *_: object) -> socket.socket:
        """Connect to a server in the time that there is, whatever addresses its name has."""
        limit = TIMEOUT if self.reached else FIRST
        end = time.monotonic() + limit
        places = _addresses(*address, limit)
        for place, (family, kind, protocol, _name, target) in enumerate(places):
            # Half of what is left each: of two ways that one may lead nowhere.
            left = max(0.05, end - time.monotonic())
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(left if place == len(places) - 1 else left / 2)
                sock.connect(target)
            except OSError:
                sock.close()
                if place == len(places) - 1:
                    raise
            else:
                sock.settimeout(TIMEOUT)
                self.reached = True
                return sock
        raise OSError(f"{address[0]} has no address")


def _addresses(host: str, port: int, limit: float) -> list[Any]:
    """Find the addresses of a server, of both kinds in turns; whoever is asked may never answer."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=limit)
    except queue.Empty:
        raise TimeoutError(f"nobody says where {host} is") from None
    if isinstance(found, Exception):
        raise found
    kinds = {family: [x for x in found if x[0] == family] for family in (x[0] for x in found)}
    return [x for turn in zip_longest(*kinds.values()) for x in turn if x is not None]


def _receive(
    url: str, part: _Part, expected: str | None, size: int, report: NamedProgress, offline: str
) -> None:
    """Receive all that is missing, in as many tries as bring something."""
    furthest, failures = part.size, 0
    line = _Line(LEAST_LIMIT + size / LIMIT_SPEED)
    while True:
        try:
            _try_once(url, part, size, line, report)
            return
        except _FailedError as failure:
            if part.checksum == expected:
                return  # A server may be wrong about the length.
            if part.size > furthest:
                furthest, failures = part.size, 0
            late, away = line.is_late, not line.reached and failure.passing
            if not failure.passing or failures == len(WAITS) or late or away:
                kept = f"{part.size:,} bytes are kept for the next try; " if part.size else ""
                reason = f"it has taken more than {line.limit:,.0f} s" if late else failure
                advice = "try again, or name a mirror with url= (--url on the command line)"
                if away:
                    advice = f"is there a network? {advice}{offline and f'; {offline}'}"
                raise FetchError(f"could not fetch {url}: {reason}; {kept}{advice}") from failure
            report(part.size, size, "retrying")
            time.sleep(min(WAITS[failures], max(0.0, line.deadline - time.monotonic())))
            failures += 1


def _try_once(url: str, part: _Part, size: int, line: _Line, report: NamedProgress) -> None:
    most = size + size // 4
    response = _ask(url, part, line)
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


def _ask(url: str, part: _Part, line: _Line) -> Any:
    """Ask for what is missing, or for the whole where the server does not have that.

    The answer is the rest of the version that the part is of (206), or the whole of any.
    """
    response = _open(url, part, line)
    if response.status == 206 and part.size and not _continues(response, url, part):
        response.close()
        part.restart()
        response = _open(url, part, line)
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


def _open(url: str, part: _Part, line: _Line) -> Any:
    headers = {"User-Agent": f"nb101/{__version__}", "Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        version = part.version(url)
        if version is not None:
            headers["If-Range"] = version
    try:
        opener = build_opener(_Redirects, _Http(line), _Https(line))
        return opener.open(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == 416 and part.size:
            # There is nothing behind what we have, and that is not the file.
            part.restart()
            return _open(url, part, line)
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


class _Redirects(HTTPRedirectHandler):
    """Follows a server elsewhere, but never from https to anything else."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        schemes = ("https",) if req.type == "https" else ("https", "http")
        if urlsplit(newurl).scheme.lower() not in schemes:
            fp.close()
            raise _FailedError(
                f"the server sends us from {req.type} on to {newurl[:200]!r}", passing=False
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Http(HTTPHandler):
    """Connections whose answers are there by a deadline."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def http_open(self, req: Request) -> Any:
        return self.do_open(_timed(HTTPConnection, self._line), req)


class _Https(HTTPSHandler):
    """The same, encrypted."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def https_open(self, req: Request) -> Any:
        context = ssl.create_default_context()
        return self.do_open(_timed(HTTPSConnection, self._line), req, context=context)


def _timed(kind: type[HTTPConnection], line: _Line) -> Any:
    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **settings: Any) -> None:
            super().__init__(sock, *args, **settings)
            self.fp: Any = io.BufferedReader(_Timed(self.fp.detach(), sock, line.deadline))

    class Connection(kind):  # type: ignore[misc,valid-type]
        response_class = Response

        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            self._create_connection = line.connect

    return Connection


class _Timed(io.RawIOBase):
    """What comes from a server, head and body, at no less than a least speed."""

    def __init__(self, raw: Any, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline
        self._since, self._came = time.monotonic(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        now = time.monotonic()
        if now - self._since >= WINDOW:
            if self._came < SLOWEST * WINDOW:
                raise TimeoutError(f"only {self._came:,} bytes have come in {WINDOW:,.0f} s")
            self._since, self._came = now, 0
        if now >= self._deadline:
            raise TimeoutError("timed out")
        self._sock.settimeout(min(TIMEOUT, self._deadline - now))
        count: int | None = self._raw.readinto(buffer)
        self._came += count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


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
    match = re.fullmatch(r"\s*bytes\s+(\d{1,18})-\d+/(\d{1,18}|\*)\s*", text, re.ASCII)
    if match is None:
        return None
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _length(response: Any) -> int | None:
    """Bytes of the whole file, as far as the server says."""
    place = _range(response) if response.status == 206 else None
    if place is not None and place[1] is not None:
        return place[1]
    text = response.headers.get("Content-Length", "")
    if not re.fullmatch("[0-9]{1,18}", text):
        return None
    return int(text) + (place[0] if place else 0)


def _version(response: Any) -> str | None:
    """Return what an If-Range may hold: a strong ETag, or else the date."""
    tag: str | None = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):
        return tag
    date: str | None = response.headers.get("Last-Modified")
    return date
