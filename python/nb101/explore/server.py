"""A server of one page for this machine alone: it answers GET and HEAD, and reads nothing else.

It listens on 127.0.0.1, and takes only requests that call it so, so that no other name leads there
(DNS rebinding); no page of another origin may read what it sends. It sends the files of the bundle
and what a manifest names, by exact path: no path of a request becomes one of the disk.
"""

import errno
import socketserver
import sys
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nb101._base.runtime import describe_shortage, is_shortage
from nb101.errors import ArgumentError, NB101Error
from nb101.explore.bundle import PAGE, bundle_files

HOST = "127.0.0.1"
PORT = 8101
"""Taken where none is asked for and it is free: a link to a view of the page then stays good."""
DATA = "data/"
SECONDS = 60
"""For which a connection may be silent."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; worker-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "map": "application/json; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "wasm": "application/wasm",
    "woff2": "font/woff2",
}
UNKNOWN_TYPE = "application/octet-stream"


class Server(ThreadingHTTPServer):
    """Listens from the moment that it is made; `serve_forever` answers.

    Parameters
    ----------
    get
        Returns what lies at a path below ``data/``; see `nb101.explore.content.Content.get`.
    port
        The port; if not given `PORT`, or any that is free.
    bundle
        The folder of the page, if it is not that of the installation.

    Raises
    ------
    ArgumentError
        If the port is in use, or may not be used.
    MissingFileError
        If this installation has no page.
    """

    daemon_threads = True
    # Where a program listens, another could listen too on Windows.
    allow_reuse_address = sys.platform != "win32"
    request_queue_size = 128

    def __init__(
        self,
        get: Callable[[str], bytes | None],
        port: int | None = None,
        bundle: Path | None = None,
    ) -> None:
        self.get = get
        self.files = bundle_files(bundle)
        self.files[""] = self.files[PAGE]
        try:
            super().__init__((HOST, PORT if port is None else port), Handler)
        except OSError as error:
            if port is None:
                super().__init__((HOST, 0), Handler)
            else:
                raise _port_error(port, error) from error
        self.hosts = {f"{name}:{self.port}" for name in (HOST, "localhost")}
        if self.port == 80:
            self.hosts |= {HOST, "localhost"}

    def server_bind(self) -> None:
        """Bind, without asking for the name of the machine, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What a browser is to open."""
        return f"http://{HOST}:{self.port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of those who go before they have all."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _port_error(port: int, error: OSError) -> ArgumentError:
    if error.errno == errno.EADDRINUSE:
        what = "is in use: give another, or none, for any that is free"
    else:
        what = f"cannot be used: {error.strerror or error}"
    return ArgumentError(f"port {port} {what}", field="port")


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def handle(self) -> None:
        """Answer until the other side has gone."""
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def do_GET(self) -> None:
        """Send a file."""
        self._answer()

    def do_HEAD(self) -> None:
        """Send what is said of a file."""
        self._answer()

    def _answer(self) -> None:
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            self._say(HTTPStatus.FORBIDDEN, f"this server answers to {self.server.address} alone")
            return
        path = self.path.partition("#")[0].partition("?")[0].removeprefix("/")
        if not self.path.startswith("/"):
            self._say(HTTPStatus.NOT_FOUND, "there is no such file")
        elif path.startswith(DATA):
            self._send_data(path)
        else:
            self._send_page(path)

    def _send_data(self, path: str) -> None:
        try:
            data = self.server.get(path.removeprefix(DATA))
        except NB101Error as error:
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except Exception as error:
            if not is_shortage(error):
                self._say(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect of nb101")
                raise
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, describe_shortage(error))
        else:
            if data is None:
                self._say(HTTPStatus.NOT_FOUND, "there is no such file")
            else:
                self._send(HTTPStatus.OK, data, path)

    def _send_page(self, path: str) -> None:
        file = self.server.files.get(path)
        if file is None:
            self._say(HTTPStatus.NOT_FOUND, "there is no such file")
            return
        try:
            data = file.read_bytes()
        except OSError as error:
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, f"{file.name}: {error.strerror or error}")
            return
        self._send(HTTPStatus.OK, data, file.name)

    def _send(self, code: int, data: bytes, name: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", TYPES.get(name.rpartition(".")[2], UNKNOWN_TYPE))
        self.send_header("Content-Length", str(len(data)))
        for header, value in HEADERS.items():
            self.send_header(header, value)
        if code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if code >= HTTPStatus.BAD_REQUEST:
            # What else the other side has sent is not read.
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _say(self, code: int, text: str) -> None:
        self._send(code, f"{text}\n".encode("utf-8", "replace"), "message.txt")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say in a sentence what is wrong with a request."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code, message = HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are answered"
        self._say(code, message or HTTPStatus(code).phrase)

    def version_string(self) -> str:
        """Name the server, without its versions."""
        return "nb101"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the terminal is for people."""
