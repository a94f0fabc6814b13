"""What stands between a view's Python and its module in a page, as a notebook does.

Messages are those of Jupyter's widgets: states with buffers aside, and messages of one's own.
"""

import base64
from typing import Any

from playwright.sync_api import Page

from nb101.explore.widget import View

PAGE = """<!doctype html>
<meta charset="utf-8" />
<title>a notebook</title>
<link rel="icon" href="data:," />
<link rel="stylesheet" href="widget.css" />
<script type="module" src="notebook.js"></script>
"""

SCRIPT = """
import widget from './widget.js';

const bytes = (text) =>
  new DataView(Uint8Array.from(atob(text), (digit) => digit.charCodeAt(0)).buffer);
const text = ({ buffer, byteOffset, byteLength }) =>
  btoa(Array.from(new Uint8Array(buffer, byteOffset, byteLength), (byte) =>
    String.fromCharCode(byte)).join(''));

class Model {
  state = {};
  changed = new Set();
  heard = new Map();
  constructor(name) { this.name = name; }
  get(key) { return this.state[key]; }
  set(key, value) {
    this.state[key] = value;
    this.changed.add(key);
    this.fire(`change:${key}`);
  }
  save_changes() {
    const state = {};
    const paths = [];
    const buffers = [];
    for (const key of this.changed) {
      if (this.state[key] instanceof DataView) {
        paths.push([key]);
        buffers.push(text(this.state[key]));
      } else state[key] = this.state[key];
    }
    this.changed.clear();
    void this.tell({ method: 'update', state, buffer_paths: paths }, buffers);
  }
  send(content) { void this.tell({ method: 'custom', content }, []); }
  async tell(data, buffers) { this.hear(await window.toPython(this.name, data, buffers)); }
  on(event, act) { this.heard.set(event, [...(this.heard.get(event) ?? []), act]); }
  off(event, act) {
    this.heard.set(event, (this.heard.get(event) ?? []).filter((one) => one !== act));
  }
  fire(event, ...values) { for (const act of this.heard.get(event) ?? []) act(...values); }
  hear(messages) {
    for (const { data, buffers } of messages) {
      const views = buffers.map(bytes);
      if (data.method === 'custom') this.fire('msg:custom', data.content, views);
      if (data.method !== 'update') continue;
      const state = { ...data.state };
      data.buffer_paths.forEach(([key], at) => (state[key] = views[at]));
      Object.assign(this.state, state);
      for (const key of Object.keys(state)) this.fire(`change:${key}`);
    }
  }
}

const models = new Map();
window.hear = (name, messages) => {
  if (!models.has(name)) models.set(name, new Model(name));
  models.get(name).hear(messages);
};
const shown = new Map();
window.show = async (name, place) => {
  const el = document.createElement('div');
  el.id = place;
  document.body.append(el);
  shown.set(place, await widget.render({ model: models.get(name), el }));
};
window.hide = (place) => {
  shown.get(place)();
  document.getElementById(place).remove();
};
window.ready = true;
"""


class Notebook:
    """A page in which views are shown."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._views: dict[str, View] = {}
        self._said: dict[str, list[Any]] = {}
        page.expose_function("toPython", self._hear)
        page.goto(address)
        page.wait_for_function("window.ready")

    def add(self, name: str, view: View) -> None:
        """Have a view's messages go to the page, first its state."""
        self._views[name], said = view, self._said.setdefault(name, [])

        def publish(kind: str, data: Any = None, buffers: Any = None, **_: object) -> None:
            if kind == "comm_msg":
                packed = [base64.b64encode(bytes(one)).decode() for one in buffers or []]
                said.append({"data": data, "buffers": packed})

        assert view.comm is not None
        view.comm.publish_msg = publish
        view.send_state()
        self.flush(name)

    def flush(self, name: str) -> None:
        """Have the page hear what Python has said of itself."""
        self.page.evaluate("([name, said]) => hear(name, said)", [name, self._taken(name)])

    def show(self, name: str, place: str) -> None:
        self.page.evaluate("([name, place]) => show(name, place)", [name, place])
        self.page.wait_for_selector(f"#{place} .nb-map[data-drawn]")

    def hide(self, place: str) -> None:
        self.page.evaluate("hide", place)

    def _taken(self, name: str) -> list[Any]:
        said = self._said[name]
        taken = list(said)
        said.clear()
        return taken

    def _hear(self, name: str, data: Any, buffers: list[str]) -> list[Any]:
        # As kernels give them.
        views = [memoryview(base64.b64decode(one)) for one in buffers]
        content = {"content": {"data": data}, "buffers": views}
        self._views[name]._handle_msg(content)
        return self._taken(name)
