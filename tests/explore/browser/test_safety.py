"""What is hostile does nothing, and what goes wrong is said in a sentence."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Dialog, Page, Route, expect

import nb101
from nb101.explore.columns import Columns, columns_of
from nb101.explore.content import Content
from nb101.explore.manifest import About

from .conftest import Explorer, Host, Served

Serve = Callable[[Content], Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Served] = []

    def start(content: Content) -> Served:
        servers.append(Served(content))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def small(measured: nb101.Table, markup: str) -> Columns:
    """Some cells, with a column of their own whose name is markup, and another."""
    return columns_of(measured).with_own(
        {f"{markup}</script><svg/onload=alert(2)>": np.arange(45.0)}
    )


def test_markup_is_text(watched: Page, serve: Serve, small: Columns, markup: str) -> None:
    about = About(name=markup, title=markup, command=f"nb101 explore '{markup}'", python=markup)
    dialogs: list[str] = []

    def closed(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    watched.on("dialog", closed)
    # One of the table's at two budgets, and one of somebody's.
    own = [name for name, column in small.items() if column.group == "own"][1:]
    page = Explorer(watched, serve(Content(small, about))).open().page
    assert page.title() == markup
    expect(page.get_by_role("heading", level=1)).to_have_text(markup)
    for axis, name in zip(("x", "y"), own, strict=True):
        page.locator(f"#nb-{axis}").select_option(name)
    for name in own:
        expect(page.locator(f"#nb-x option[value='{name}']")).to_contain_text("onerror=alert(1)>")
    names = page.locator(".nb-axis-name").all_text_contents()
    assert all("<img src=x" in name for name in names)
    page.locator("#nb-colour").select_option(own[0])
    page.locator("#nb-add-filter").select_option(own[0])
    area = page.locator(".nb-overlay").bounding_box()
    assert area is not None
    for place in range(1, 10):
        page.mouse.move(area["x"] + place * area["width"] / 10, area["y"] + area["height"] / 2)
    field = page.get_by_role("searchbox")
    field.fill(str(small.table.cell_ids[3]))
    field.press("Enter")
    expect(page.locator(".nb-cell-panel")).to_contain_text("<img src=x")
    page.get_by_role("button", name="Export").click()
    sheet = page.locator(".nb-export")
    for name in ("Python", "Picture, SVG"):
        sheet.get_by_role("radio", name=name).check()
    with page.expect_download() as waited:
        sheet.get_by_role("button", name="Save").click()
    # A file's name is made of letters, digits and a few signs.
    assert set(waited.value.suggested_filename) & set("<>&\"'/ ") == set()
    assert page.locator("img[src=x], svg[onload], [onerror]").count() == 0
    assert dialogs == []


class Elsewhere(BaseHTTPRequestHandler):
    """A page of another origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,>")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what is well."""


def test_another_origin_reads_nothing(page: Page, served: Served, columns: Columns) -> None:
    other = Host(ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere), columns)
    try:
        page.goto(other.address)
        found = page.evaluate(
            """async (address) => {
              const said = [];
              for (const path of ['data/manifest.json', 'data/columns/depth.bin', '']) {
                for (const mode of ['cors', 'no-cors']) {
                  said.push(await fetch(address + path, { mode }).then(
                    async (answer) => (await answer.arrayBuffer()).byteLength, () => 'refused'));
                }
              }
              for (const name of ['script', 'img']) {
                const node = document.createElement(name);
                node.src = `${address}data/manifest.json`;
                said.push(await new Promise((resolve) => {
                  node.onload = () => resolve('read');
                  node.onerror = () => resolve('refused');
                  document.head.append(node);
                }));
              }
              return said;
            }""",
            served.address,
        )
        assert set(found) == {"refused"}
        page.set_content(f"<iframe src='{served.address}'></iframe>")
        page.wait_for_timeout(400)
        frame = page.frames[-1]
        assert frame.locator(".nb101").count() == 0
    finally:
        other.close()


def test_a_server_that_has_gone(
    page: Page, small: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Content(small)
    server = Served(content)
    sockets: list[socket.socket] = []
    answer = server.server.finish_request

    def kept(request: socket.socket, address: Any) -> None:
        sockets.append(request)
        answer(request, address)

    monkeypatch.setattr(server.server, "finish_request", kept)
    Explorer(page, server).open()
    port = int(server.server.server_address[1])
    server.close()
    # Connections end with the process.
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
    page.locator("#nb-colour").select_option("width")
    notice = page.locator(".nb-notice")
    expect(notice).to_contain_text("width cannot be read: Nobody answers: was the server")
    # An export says so too, and does not wait for ever.
    page.get_by_role("button", name="Export").click()
    sheet = page.locator(".nb-export")
    sheet.get_by_role("button", name="All", exact=True).click()
    sheet.get_by_role("button", name="Save").click()
    expect(sheet.get_by_role("status")).to_contain_text("Nothing was exported: Nobody answers")
    page.keyboard.press("Escape")
    # When it is back the page goes on.
    server = Served(content, port)
    try:
        page.locator("#nb-colour").select_option("depth")
        page.locator("#nb-colour").select_option("width")
        expect(page.get_by_role("img", name="Colour: width")).to_be_visible()
    finally:
        server.close()


@pytest.mark.parametrize(
    ("file", "body", "sentence"),
    [
        ("manifest.json", '{"format": "nb101-ex', "manifest.json is damaged"),
        ("manifest.json", "[]", "manifest.json is not of an explorer"),
        ("manifest.json", '{"format": "nb101-explorer", "version": 9}', "made for another page"),
        ("cells/edges-low.bin", "abc", "edges-low.bin is cut short"),
        ("cells/edges-low.bin", "abcd", "has 1 values, where the table has 45 cells"),
    ],
)
def test_damaged_files(
    page: Page, serve: Serve, small: Columns, file: str, body: str, sentence: str
) -> None:
    server = serve(Content(small))

    def damaged(route: Route) -> None:
        route.fulfill(body=body)

    page.route(f"**/data/{file}", damaged)
    page.goto(server.address)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The table cannot be shown:")
    expect(alert).to_contain_text(sentence)


def test_a_table_without_accuracies(watched: Page, serve: Serve) -> None:
    ids = np.arange(0, 5000, 7)
    columns: dict[str, Any] = {"cell_id": ids, "epochs": np.full(len(ids), 4)}
    table = nb101.Table.from_columns(columns, space=nb101.SearchSpace())
    explorer = Explorer(watched, serve(Content(columns_of(table)))).open()
    assert explorer.left() == len(ids)
    assert watched.locator(".nb-axis-name").all_text_contents() == ["parameters", "depth"]
    badge = watched.locator(".nb-badge")
    assert "The table has no accuracies." in (badge.get_attribute("title") or "")
    explorer.open("cell=7&x=validation_accuracy@108")
    expect(watched.locator(".nb-notice")).to_contain_text("Left out")
    explorer.wait_row(1)
