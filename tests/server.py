"""A real web server on the loopback, which does well or badly as it is told."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Serves one file under every path.

    `answers` are for the next requests, in their order; when there are none left, it does well.
    `requests` are the headers of those that came.
    """

    daemon_threads = True

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.etag = data, '"1"'
        self.answers: list[Answer] = []
        self.requests: list[dict[str, str]] = []
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/file"

    @property
    def ranges(self) -> list[str | None]:
        return [request.get("Range") for request in self.requests]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # A client that leaves in the middle is what some tests are about.


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.requests.append(dict(self.headers) | {"path": self.path})
        answer = self.server.answers.pop(0) if self.server.answers else good()
        answer(self)

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


Answer = Callable[[Handler], None]


def good(cut: int | None = None, stall: bool = False, **changed: str | None) -> Answer:
    """Answer as a good server does.

    Except that the body breaks off after `cut` bytes, or stands still there until the server is
    told to go on; and that headers (``content_range`` for Content-Range) are changed or left out.
    """

    def answer(handler: Handler) -> None:
        server = handler.server
        data, size = server.data, len(server.data)
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        status, headers = 200, {"ETag": server.etag, "Content-Type": "application/octet-stream"}
        if match and handler.headers.get("If-Range", server.etag) == server.etag:
            first = int(match[1])
            if first >= size:
                handler.reply(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"}, b"")
                return
            status, data = 206, data[first:]
            headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
        headers["Content-Length"] = str(len(data))
        for key, value in changed.items():
            name = {"etag": "ETag"}.get(key, key.replace("_", "-").title())
            headers.pop(name, None)
            if value is not None:
                headers[name] = value
        handler.reply(status, headers, data[:cut])
        if stall:
            server.go_on.wait(20)

    return answer


def whole(cut: int | None = None) -> Answer:
    """Ignore what range is asked for."""
    return lambda handler: handler.reply(
        200, {"Content-Length": str(len(handler.server.data))}, handler.server.data[:cut]
    )


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with a status."""
    all_headers = {"Content-Length": str(len(body))} | {
        name.replace("_", "-").title(): value for name, value in headers.items()
    }
    return lambda handler: handler.reply(status, all_headers, body)


@contextmanager
def serving(data: bytes) -> Iterator[Server]:
    with Server(data) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()
