"""Fetching against a real server that breaks off, lies, changes its mind or refuses."""

import errno
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest

import server
from nb101 import DatasetError
from nb101._base import fetch
from nb101.errors import FetchError, FileError
from server import Server, good, says, whole

DATA = os.urandom(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
HALF = 150_000


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(fetch, "WAITS", (0.0, 0.0, 0.0))
    with server.serving(DATA) as running:
        yield running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


get = partial(fetch.fetch, sha256=SHA256, size=len(DATA))


def parts(target: Path) -> tuple[Path, Path]:
    return target.with_name("file.part"), target.with_name("file.part.json")


def left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def break_off(web: Server, target: Path, **answer: Any) -> None:
    """Let a fetch end with half of the file."""
    web.answers = [good(cut=HALF, **answer), says(404)]
    with pytest.raises(ConnectionError, match=r"404 Not Found; 150,000 bytes are kept"):
        get(web.url, target)
    assert parts(target)[0].read_bytes() == DATA[:HALF]
    web.requests.clear()


def test_all_at_once(web: Server, target: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    get(web.url, target, progress=lambda *args: seen.append(args))
    assert target.read_bytes() == DATA
    assert left(target) == ["file"]
    assert seen[0] == (0, len(DATA), "downloading")
    assert seen[-1] == (len(DATA), len(DATA), "downloading")
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)
    assert web.requests[0]["User-Agent"].startswith("nb101/")
    assert web.ranges == [None]


def test_goes_on_where_the_connection_broke_off(web: Server, target: Path) -> None:
    web.answers = [good(cut=HALF), good(cut=1000), says(503), good(cut=0)]
    seen: list[str] = []
    get(web.url, target, progress=lambda done, total, what: seen.append(what))
    assert target.read_bytes() == DATA
    rest = f"bytes={HALF + 1000}-"
    assert web.ranges == [None, f"bytes={HALF}-", rest, rest, rest]
    assert {request.get("If-Range") for request in web.requests[1:]} == {'"1"'}
    assert seen.count("retrying") == 4


def test_goes_on_where_the_last_process_stopped(web: Server, target: Path) -> None:
    break_off(web, target)
    seen: list[tuple[int, int, str]] = []
    get(web.url, target, progress=lambda *args: seen.append(args))
    assert target.read_bytes() == DATA
    assert left(target) == ["file"]
    assert web.ranges == [f"bytes={HALF}-"]
    assert seen[0] == (HALF, HALF, "checking")


def test_goes_on_with_a_mirror(web: Server, target: Path) -> None:
    break_off(web, target)
    web.etag = '"of the mirror"'
    get(web.url + "/mirror", target)
    assert target.read_bytes() == DATA
    assert web.ranges == [f"bytes={HALF}-"]
    assert "If-Range" not in web.requests[0]


def test_by_the_date_where_there_is_no_strong_etag(web: Server, target: Path) -> None:
    date = "Tue, 01 Oct 2024 10:00:00 GMT"
    break_off(web, target, etag='W/"1"', last_modified=date)
    web.etag = date
    get(web.url, target)
    assert web.requests[0]["If-Range"] == date
    assert web.ranges == [f"bytes={HALF}-"]


def test_by_size_alone(web: Server, target: Path) -> None:
    break_off(web, target, etag=None)
    web.answers = [good(etag=None)]
    get(web.url, target)
    assert web.ranges == [f"bytes={HALF}-"]
    assert "If-Range" not in web.requests[0]
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("notes", [None, b"", b"[1]", b'{"url": 1}', b"\xff"])
def test_damaged_notes_are_none(web: Server, target: Path, notes: bytes | None) -> None:
    break_off(web, target)
    if notes is None:
        parts(target)[1].unlink()
    else:
        parts(target)[1].write_bytes(notes)
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert web.ranges == [f"bytes={HALF}-"]


def test_a_changed_file_begins_anew(web: Server, target: Path) -> None:
    old = bytes(HALF)
    parts(target)[0].write_bytes(old)
    parts(target)[1].write_text(json.dumps({"url": web.url, "version": '"0"'}))
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert web.requests[0]["If-Range"] == '"0"'


def test_a_changed_file_is_noticed_where_if_range_is_not(web: Server, target: Path) -> None:
    break_off(web, target)
    # 206, but of another version.
    web.answers = [good(etag='"2"')]
    get(web.url, target)
    assert web.ranges == [f"bytes={HALF}-", None]
    assert target.read_bytes() == DATA


def test_a_server_without_ranges_begins_anew(web: Server, target: Path) -> None:
    web.answers = [whole(cut=HALF), whole()]
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert web.ranges == [None, f"bytes={HALF}-"]


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(
    web: Server, target: Path
) -> None:
    web.answers = [whole(cut=HALF)] * 10
    with pytest.raises(ConnectionError, match="broke off after 150,000 of 300,000 bytes"):
        get(web.url, target)
    assert len(web.requests) == 1 + len(fetch.WAITS)


@pytest.mark.parametrize(
    "place", [None, "bytes 0-299999/300000", "bytes 149999-299999/300000", "rubbish"]
)
def test_a_wrong_range_begins_anew(web: Server, target: Path, place: str | None) -> None:
    break_off(web, target)
    web.answers = [good(content_range=place)]
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert web.ranges == [f"bytes={HALF}-", None]


def test_a_range_of_unknown_total(web: Server, target: Path) -> None:
    break_off(web, target)
    web.answers = [good(content_range=f"bytes {HALF}-299999/*")]
    get(web.url, target)
    assert target.read_bytes() == DATA


def test_a_part_that_is_too_long_begins_anew(web: Server, target: Path) -> None:
    parts(target)[0].write_bytes(DATA + b"more")
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert web.ranges == [f"bytes={len(DATA) + 4}-", None]


def test_a_complete_part_needs_no_server(target: Path) -> None:
    parts(target)[0].write_bytes(DATA)
    get("http://127.0.0.1:9/", target)
    assert target.read_bytes() == DATA
    assert left(target) == ["file"]


def test_wrong_bytes_are_deleted(web: Server, target: Path) -> None:
    web.data = bytes(len(DATA))
    got = hashlib.sha256(web.data).hexdigest()
    with pytest.raises(DatasetError, match=f"SHA-256 is {got}, not {SHA256}"):
        get(web.url, target)
    assert left(target) == []


def test_a_part_of_something_else_is_found_out(web: Server, target: Path) -> None:
    parts(target)[0].write_bytes(bytes(HALF))
    with pytest.raises(DatasetError, match="SHA-256"):
        get(web.url, target)
    assert left(target) == []
    get(web.url, target)
    assert target.read_bytes() == DATA


def test_the_old_file_stays_until_the_new_one_is_whole(web: Server, target: Path) -> None:
    target.write_bytes(b"old")
    web.answers = [says(404)]
    with pytest.raises(ConnectionError):
        get(web.url, target)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204])
def test_a_refusal_is_final(web: Server, target: Path, status: int) -> None:
    web.answers = [says(status)]
    with pytest.raises(ConnectionError) as caught:
        get(web.url, target)
    assert web.url in str(caught.value)
    assert f"the server answers {status}" in str(caught.value)
    assert "--url" in str(caught.value)
    assert len(web.requests) == 1
    assert left(target) == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(web: Server, target: Path, status: int) -> None:
    web.answers = [says(status)] * 3
    get(web.url, target)
    assert len(web.requests) == 4


def test_a_broken_server_is_given_up(web: Server, target: Path) -> None:
    web.answers = [says(500)] * 10
    with pytest.raises(ConnectionError, match="500 Internal Server Error"):
        get(web.url, target)
    assert len(web.requests) == 4


def test_an_unasked_range_is_refused(web: Server, target: Path) -> None:
    web.answers = [says(206, DATA, content_range="bytes 0-299999/300000")]
    with pytest.raises(ConnectionError, match="206"):
        get(web.url, target)


def test_a_web_page_is_no_file(web: Server, target: Path) -> None:
    break_off(web, target)
    web.answers = [says(200, b"<html>Sign in!</html>", content_type="text/html; charset=utf-8")]
    with pytest.raises(ConnectionError, match="a web page came"):
        get(web.url, target)
    assert parts(target)[0].read_bytes() == DATA[:HALF]


def test_redirects_are_followed(web: Server, target: Path) -> None:
    moved = says(302, location="/elsewhere")
    web.answers = [moved, good(cut=HALF), moved]
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert [request["path"] for request in web.requests] == ["/file", "/elsewhere"] * 2
    assert web.ranges == [None, None, f"bytes={HALF}-", f"bytes={HALF}-"]


def test_redirects_in_a_circle_end(web: Server, target: Path) -> None:
    web.answers = [says(302, location="/file")] * 30
    with pytest.raises(ConnectionError, match="302"):
        get(web.url, target)


def test_a_length_that_is_too_long(web: Server, target: Path) -> None:
    web.answers = [good(content_length="300005")] * 10
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert web.ranges == [None]
    web.data = bytes(len(DATA))
    with pytest.raises(ConnectionError, match="broke off after 300,000 of 300,005 bytes"):
        get(web.url, target)


def test_a_length_that_is_too_short(web: Server, target: Path) -> None:
    web.answers = [good(content_length=str(HALF))]
    with pytest.raises(DatasetError, match="SHA-256"):
        get(web.url, target)
    assert left(target) == []


def test_no_length_at_all(web: Server, target: Path) -> None:
    web.answers = [good(content_length=None)]
    get(web.url, target)
    assert target.read_bytes() == DATA


def test_chunks(web: Server, target: Path) -> None:
    body = b"".join(
        b"%x\r\n%s\r\n" % (len(piece), piece)
        for piece in (DATA[i : i + 70_000] for i in range(0, len(DATA), 70_000))
    )
    headers = {"Transfer-Encoding": "chunked", "ETag": '"1"'}
    web.answers = [
        lambda handler: handler.reply(200, headers, body[:HALF]),
        lambda handler: handler.reply(200, headers, body + b"0\r\n\r\n"),
    ]
    get(web.url, target)
    assert target.read_bytes() == DATA


def test_too_much_is_refused(web: Server, target: Path) -> None:
    web.answers = [good(content_length="375001")]
    with pytest.raises(DatasetError, match="has 375,001 bytes, and the file expected about 300,00"):
        get(web.url, target)
    assert left(target) == []
    web.data = DATA * 2
    web.answers = [good(content_length=None)]
    with pytest.raises(DatasetError, match="sends more than the 375,000 bytes"):
        get(web.url, target)
    assert left(target) == []


def test_more_than_a_range_holds_is_refused(web: Server, target: Path) -> None:
    break_off(web, target)
    rest = DATA[HALF:] + b"more"
    place = f"bytes {HALF}-299999/300000"
    web.answers = [says(206, rest, content_range=place, etag='"1"')]
    with pytest.raises(DatasetError, match="sends more than the 300,000 bytes"):
        get(web.url, target)


def test_silence_counts_as_broken_off(
    web: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "TIMEOUT", 0.5)
    web.answers = [good(cut=HALF, stall=True)]
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert web.ranges == [None, f"bytes={HALF}-"]


def test_nobody_answers(web: Server, target: Path) -> None:
    # Bound, so that nobody else takes the port, but not listening.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        seen: list[str] = []
        with pytest.raises(
            FetchError, match=r"refused; is there a network\? try again.*; stay"
        ) as e:
            get(url, target, progress=lambda *x: seen.append(x[2]), offline="stay at home")
        assert isinstance(e.value, ConnectionError)
    # What never was there is not asked again.
    assert seen == []
    assert left(target) == []


def test_a_network_that_answers_nothing_is_no_network(
    web: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "FIRST", 0.1)
    asked: list[float] = []

    def silent(*_: object) -> Any:
        asked.append(time.monotonic())
        time.sleep(1)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with pytest.raises(FetchError, match=r"nobody says where localhost is; is there a network\?"):
        get(web.url.replace("127.0.0.1", "localhost"), target)
    assert len(asked) == 1
    assert web.requests == []


def test_of_several_addresses_one_that_leads_nowhere_is_passed_over(
    web: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(web.url.rsplit(":")[-1].split("/")[0])
    with socket.socket() as full:
        # It listens, and takes nobody any more.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(2)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        ways = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())]
        ways.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)))
        monkeypatch.setattr(fetch, "FIRST", 0.4)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: ways)
        get(web.url, target)
        assert target.read_bytes() == DATA
        target.unlink()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: ways[:1] * 20)
        with pytest.raises(FetchError, match="timed out; is there a network"):
            get(web.url, target)
        for one in waiting:
            one.close()


def test_a_connection_that_was_there_is_made_again(web: Server, target: Path) -> None:
    """Only the first may fail at once: what has begun is worth a few tries."""
    web.answers = [good(cut=HALF)]
    port = int(web.url.rsplit(":")[-1].split("/")[0])
    refusals = [2]
    connect = socket.socket.connect

    class Flaky(socket.socket):
        def connect(self, address: Any) -> None:
            if address[1] == port and web.requests and refusals[0]:
                refusals[0] -= 1
                raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
            connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Flaky)
        get(web.url, target)
    assert target.read_bytes() == DATA
    assert refusals == [0]


@pytest.mark.parametrize(
    "url", ["", "nowhere", "/data/file", "ftp://127.0.0.1/x", "http://127.0.0.1:port/", "http://["]
)
def test_what_is_no_address(url: str, target: Path) -> None:
    with pytest.raises(DatasetError, match="cannot fetch"):
        get(url, target)
    assert left(target) == []


def test_local_files(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "source"
    with pytest.raises(ConnectionError, match="No such file"):
        get(source.as_uri(), target)
    source.write_bytes(DATA)
    parts(target)[0].write_bytes(DATA[:HALF])
    get(source.as_uri(), target)
    assert target.read_bytes() == DATA


def test_a_full_disk_is_named_and_what_came_is_kept(
    web: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = fetch._Part.append

    def fill(part: Any, data: bytes) -> None:
        if part.size >= HALF:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part.path))
        append(part, data)

    monkeypatch.setattr(fetch, "CHUNK", 50_000)
    monkeypatch.setattr(fetch._Part, "append", fill)
    with pytest.raises(OSError, match=r"No space left on device: .*file\.part"):
        get(web.url, target)
    monkeypatch.undo()
    kept = parts(target)[0].stat().st_size
    assert HALF <= kept < len(DATA)
    assert len(web.requests) == 1
    get(web.url, target)
    assert web.ranges == [None, f"bytes={kept}-"]
    assert target.read_bytes() == DATA


def test_a_killed_process_leaves_what_it_had(web: Server, target: Path) -> None:
    web.answers = [good(cut=HALF, stall=True)]
    script = """if True:
        import sys
        from nb101._base.fetch import fetch
        fetch(*sys.argv[1:3], sha256='', size=300_000)"""
    child = subprocess.Popen([sys.executable, "-c", script, web.url, str(target)])
    part = parts(target)[0]
    deadline = time.monotonic() + 20
    while not part.exists() or part.stat().st_size < HALF:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.kill()
    child.wait()
    get(web.url, target)
    assert target.read_bytes() == DATA
    assert web.ranges == [None, f"bytes={HALF}-"]


# Servers and folders that mean no good


def drip(pause: float, head: bool = False) -> Any:
    """Send a byte now and then: of the body, or of the head."""

    def answer(handler: Any) -> None:
        start = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n" + (b"" if head else b"\r\n")
        handler.wfile.write(start)
        for i in range(200):
            handler.wfile.write(DATA[i : i + 1] if not head else b"x")
            handler.wfile.flush()
            time.sleep(pause)

    return answer


@pytest.mark.parametrize("head", [False, True])
def test_a_server_that_drips_is_given_up(
    web: Server, target: Path, monkeypatch: pytest.MonkeyPatch, head: bool
) -> None:
    monkeypatch.setattr(fetch, "WINDOW", 0.3)
    web.answers = [drip(0.02, head)]
    began = time.monotonic()
    get(web.url, target)
    assert time.monotonic() - began < 3
    assert target.read_bytes() == DATA
    web.answers = [drip(0.02, head)] * 20
    # Each try brings something; in all it has an end.
    monkeypatch.setattr(fetch, "LEAST_LIMIT", 1.0)
    monkeypatch.setattr(fetch, "LIMIT_SPEED", 1e9)
    target.unlink()
    with pytest.raises(ConnectionError, match=r"it has taken more than 1 s; .*try again"):
        get(web.url, target)
    assert time.monotonic() - began < 6


@pytest.mark.parametrize("to", ["ftp://127.0.0.1/x", "file:///etc/passwd", "data:,x", "gopher:x"])
def test_redirects_lead_to_the_web_alone(web: Server, target: Path, to: str) -> None:
    web.answers = [says(302, location=to)]
    with pytest.raises(ConnectionError, match=r"sends us from http on to|302"):
        get(web.url, target)
    assert len(web.requests) == 1
    assert left(target) == []


def test_https_leads_to_https_alone() -> None:
    redirects = fetch._Redirects()
    request = Request("https://a/b")
    headers: Any = {}
    for wrong in ("http://a/b", "HTTP://a/b", "ftp://a/b", "file:///a"):
        with pytest.raises(fetch._FailedError, match="the server sends us from https on to") as e:
            redirects.redirect_request(request, io.BytesIO(), 302, "", headers, wrong)
        assert not e.value.passing
    found = redirects.redirect_request(request, io.BytesIO(), 302, "", headers, "https://c/d")
    assert found is not None
    assert found.full_url == "https://c/d"


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_nothing_is_written_through_a_link(web: Server, target: Path, tmp_path: Path) -> None:
    (victim := tmp_path / "victim").write_bytes(b"precious")
    part, notes = parts(target)

    def give_away(_: Path) -> None:
        part.touch()
        os.chown(part, 12345, 12345)

    ways: list[Any] = [part.symlink_to, part.hardlink_to, lambda _: os.mkfifo(part)]
    if os.geteuid() == 0:
        ways.append(give_away)
    for place in ways:
        place(victim)
        with pytest.raises(FileError, match=r"file\.part is (a link|no reg|of another user)"):
            get(web.url, target)
        part.unlink()
    part.symlink_to(tmp_path / "new")
    with pytest.raises(FileError, match="is a link"):
        get(web.url, target)
    part.unlink()
    assert web.requests == []
    notes.symlink_to(victim)
    target.symlink_to(victim)
    get(web.url, target)
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "new").exists()
    assert not target.is_symlink()
    assert left(target) == ["file", "victim"]


def test_a_part_larger_than_the_file_is_dropped(web: Server, target: Path) -> None:
    with parts(target)[0].open("wb") as file:
        file.truncate(1 << 40)
    get(web.url, target)
    assert web.ranges == [None]
    assert target.read_bytes() == DATA


def test_a_server_that_says_nonsense(web: Server, target: Path) -> None:
    web.answers = [good(content_length="9" * 5000)]
    get(web.url, target)
    assert target.read_bytes() == DATA
    target.unlink()

    def reason(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 404 \x1b[31mRed\r\n\r\n")

    web.answers = [reason]
    with pytest.raises(ConnectionError, match="answers 404 �") as error:
        get(web.url, target)
    assert str(error.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_no_file(target: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatasetError, match="it is no regular file"):
        get((tmp_path / "pipe").as_uri(), target)
