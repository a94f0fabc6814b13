"""What fills in the templates of pages."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from nb101.analysis.html import make_page


def fill(folder: Path, template: str, **values: object) -> str:
    (folder / "t.html.j2").write_text(template)
    return make_page(folder / "t.html.j2", **values)


def test_values_are_text_and_markup_is_not(tmp_path: Path) -> None:
    values = {"a": "<b>&\x1b\u202e 5 %", "b": Markup("<b>5 %</b>"), "c": 5}
    shown = fill(tmp_path, '<p title="{{ a }}">{{ b }}{{ c }} %</p>', **values)
    assert shown == '<p title="&lt;b&gt;&amp;�� 5\N{NO-BREAK SPACE}%"><b>5 %</b>5 %</p>'
    assert fill(tmp_path, "{{ x }}", x="\"'") == "&quot;&#x27;"


def test_lines_that_are_indented_go_on_the_one_before(tmp_path: Path) -> None:
    template = "<ul>\n  {% for x in 'ab' %}\n  <li>{{ x }}\n  and</li>\n  {% endfor %}\n</ul>\n"
    assert fill(tmp_path, template) == "<ul><li>a and</li><li>b and</li></ul>\n"


def test_a_value_that_is_not_given_is_an_error(tmp_path: Path) -> None:
    for template in ("{{ x }}", "{{ x.y }}", "{% if x %}{% endif %}", "{{ 'a' ~ x }}"):
        with pytest.raises(UndefinedError):
            fill(tmp_path, template)
