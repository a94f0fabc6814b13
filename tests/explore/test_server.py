"""The server: what it answers, to whom, and what it says of itself."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import numpy as np
import pytest

import nb101
from explored import decode
from nb101.errors import ArgumentError, DatasetError, MissingFileError
from nb101.explore.columns import Columns, columns_of
from nb101.explore.content import Content
from nb101.explore.server import HEADERS, Server


@pytest.fixture(scope="module")
def content(measured: nb101.Table) -> Content:
    return Content(columns_of(measured).with_own({"mine": np.arange(45)}))


@pytest.fixture(scope="module")
def server(content: Content, bundle: Path) -> Iterator[Server]:
    with serving(content, bundle) as server:
        yield server


class serving:  # noqa: N801
    """A server at work."""

    def __init__(self, content: Content, bundle: Path) -> None:
        self.server = Server(content.get, bundle=bundle)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self) -> Server:
        self.thread.start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def ask(
    server: Server, path: str, method: str = "GET", host: str | None = None
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", f"127.0.0.1:{server.port}" if host is None else host)
    connection.endheaders()
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response, data


def raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while data := connection.recv(1 << 16):
            found += data
    return found


def test_the_page_and_its_files(server: Server, bundle: Path) -> None:
    for path, name, kind in (
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/index.html?x=1", "index.html", "text/html; charset=utf-8"),
        ("/assets/page.js", "assets/page.js", "text/javascript; charset=utf-8"),
        ("/assets/page.css", "assets/page.css", "text/css; charset=utf-8"),
    ):
        response, data = ask(server, path)
        assert (response.status, data) == (200, (bundle / name).read_bytes())
        assert response.getheader("Content-Type") == kind
        for header, value in HEADERS.items():
            assert response.getheader(header) == value
        assert response.getheader("Access-Control-Allow-Origin") is None
        assert response.getheader("Server") == "nb101"


def test_columns_are_those_of_the_table(server: Server, content: Content) -> None:
    found = json.loads(ask(server, "/data/manifest.json")[1])
    columns = content.columns
    assert [column["name"] for column in found["columns"]] == list(columns)
    for column in found["columns"]:
        values = columns.array(column["name"])
        decoded = decode(column["encoding"], lambda path: ask(server, f"/data/{path}")[1])
        assert decoded.dtype == values.dtype
        assert decoded.tobytes() == values.tobytes()
    table = columns.table
    ids = decode(found["cells"]["ids"], lambda path: ask(server, f"/data/{path}")[1])
    assert ids.tolist() == table.cell_ids.tolist()
    assert not found["space"]["whole"]
    assert (found["live"], found["traces"], found["campaign"]) == (True, [], None)


def test_distances(server: Server, measured: nb101.Table) -> None:
    response, data = ask(server, "/data/distances/3.bin")
    cell = measured.space[int(measured.cell_ids[3])]
    assert response.getheader("Content-Type") == "application/octet-stream"
    expected = [nb101.edit_distance(cell, other, measured.space) for other in measured.cells]
    assert list(data) == expected
    assert ask(server, "/data/distances/45.bin")[0].status == 404
    assert ask(server, "/data/distances/-1.bin")[0].status == 404


def test_a_head_has_no_body(server: Server) -> None:
    response, data = ask(server, "/data/columns/depth.bin", "HEAD")
    assert (response.status, data) == (200, b"")
    assert response.getheader("Content-Length") == "45"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "NONE"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    response, _ = ask(server, "/", method)
    assert response.status == 405
    assert response.getheader("Allow") == "GET, HEAD"
    assert response.getheader("Content-Security-Policy") is not None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:PORT"]
)
def test_other_hosts_are_refused(server: Server, host: str) -> None:
    for path in ("/", "/data/manifest.json"):
        response, data = ask(server, path, host=host.replace("PORT", str(server.port)))
        assert response.status == 403
        assert b"nb101-explorer" not in data


def test_localhost_is_this_machine(server: Server) -> None:
    assert ask(server, "/", host=f"LocalHost:{server.port}")[0].status == 200
    twice = f"Host: localhost:{server.port}\r\n".encode() * 2
    assert b" 403 " in raw(server, b"GET / HTTP/1.1\r\n" + twice + b"\r\n")
    assert b" 403 " in raw(server, b"GET / HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize(
    "path",
    [
        "/../conftest.py",
        "/assets/../../conftest.py",
        "/%2e%2e/conftest.py",
        "//etc/passwd",
        "/assets",
        "/assets/",
        "/etc/passwd",
        "/data/",
        "/data/../index.html",
        "/data/columns/depth.bin/",
        "/data/columns/nothing.bin",
        "/data/traces/0/a-0.bin",
        "/data/campaign.json",
        "/index.html/..",
        "http://127.0.0.1/index.html",
        "index.html",
        "/.nb101-folder",
    ],
)
def test_no_other_file_is_read(server: Server, path: str) -> None:
    assert ask(server, path)[0].status == 404


@pytest.mark.parametrize(
    "request_", [b"\r\n\r\n", b"GET\r\n\r\n", b"\xff\xfe / HTTP/9\r\n\r\n", b"GET / HTTP/1.1\r\nX"]
)
def test_no_request_at_all(server: Server, request_: bytes) -> None:
    raw(server, request_)
    raw(server, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n")
    assert ask(server, "/")[0].status == 200


def test_many_at_once_have_it_made_once(measured: nb101.Table, bundle: Path) -> None:
    columns = Columns(measured)
    made = []
    counted = columns._values["depth"]._make

    def count() -> object:
        made.append(1)
        return counted()

    columns._values["depth"]._make = count  # type: ignore[assignment]
    with serving(Content(columns), bundle) as server, ThreadPoolExecutor(16) as pool:
        paths = ["/data/columns/depth.bin", "/data/manifest.json"] * 32
        found = set(pool.map(lambda path: ask(server, path)[1], paths))
    assert len(found) == 2
    assert len(made) == 1


def test_who_goes_early_is_not_spoken_of(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        host = f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode()
        connection.sendall(b"GET /data/manifest.json HTTP/1.1\r\n" + host)
        connection.close()
    assert ask(server, "/")[0].status == 200
    assert capsys.readouterr() == ("", "")


def test_what_cannot_be_made_is_a_sentence(measured: nb101.Table, bundle: Path) -> None:
    columns = Columns(measured)

    def fail() -> object:
        raise DatasetError("t.arrow is damaged")

    columns._values["depth"]._make = fail  # type: ignore[assignment]
    with serving(Content(columns), bundle) as server:
        response, data = ask(server, "/data/columns/depth.bin")
        assert (response.status, data) == (500, b"t.arrow is damaged\n")
        (bundle / "assets" / "gone.js").write_text("")
    with serving(Content(columns), bundle) as server:
        (bundle / "assets" / "gone.js").unlink()
        assert ask(server, "/assets/gone.js")[0].status == 500


def test_ports(content: Content, server: Server, bundle: Path) -> None:
    with pytest.raises(ArgumentError, match="is in use") as caught:
        Server(content.get, server.port, bundle)
    assert caught.value.field == "port"
    with Server(content.get, None, bundle) as other:
        assert other.port != server.port
        assert other.server_address[0] == "127.0.0.1"
        assert other.address == f"http://127.0.0.1:{other.port}/"


def test_a_missing_page(content: Content, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="lacks the explorer's page"):
        Server(content.get, None, tmp_path)


def test_what_is_made_ahead(measured: nb101.Table) -> None:
    fresh, ahead = Content(Columns(measured)), Content(Columns(measured))
    ahead.prepare()
    made = [path for path, once in ahead._made.items() if once.made]
    assert {"manifest.json", "cells/edges-low.bin", "columns/depth.bin"} <= set(made)
    assert all(ahead.get(path) == fresh.get(path) for path in made)
