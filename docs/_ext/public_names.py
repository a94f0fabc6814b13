"""The API: a page for each package and for each of its public names, and what names stand for.

What is listed is what a package itself says is public (``__all__``), so that none is forgotten. The
pages are made anew where they differ, and are not in the repository.

Annotations and docstrings call things as the code does: ``Cell``, ``pa.Table``, ``npt.NDArray``.
Here they become the public names, so that each leads to its page; one that begins as a class does,
or with ``nb101.``, and leads nowhere, is a warning, and so an error.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import made_pages
import sphinx.ext.napoleon
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.intersphinx import missing_reference
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import NumpyDocstring
from sphinx.pycode import ModuleAnalyzer

PACKAGES = (
    *("", "analysis", "analysis.study", "analysis.figures", "analysis.report", "encodings"),
    *(
        "datasets",
        "search",
        "predict",
        "nn",
        "train",
        "train.data",
        "proxies",
        "campaign",
        "explore",
    ),
    *("adapters", "adapters.syne_tune", "adapters.optunahub"),
    *("adapters.hpobench", "adapters.carps", "adapters.naslib", "adapters.evoxbench"),
    *("recipes", "seals", "api", "compat"),
)
FOLDER = Path(__file__).parents[1] / "reference" / "api"
HEADINGS = ("Classes", "Functions", "Constants", "Exceptions")
OWN_PAGE = ("Classes", "Functions")
EXCEPTIONS = "exceptions"
FOREIGN = (
    *("tuple", "dict", "UserDict", "Mapping", "MutableMapping", "Sequence", "ABC", "object"),
    *("Blackbox", "BaseProblem", "ObjectiveFunction"),
    *("Exception", "BaseException", "Module", "Optimizer", "AnyWidget", "Widget", "HasTraits"),
)
"""Classes of others, whose members are described where they are from."""
SHORT = (
    (
        r"numpy\._typing\._array_like\._Buffer.*?_NestedSequence\[complex \| bytes \| str\]",
        "numpy.typing.ArrayLike",
    ),
    (
        r"~?numpy\.ndarray\[tuple\[(?:~?typing\.)?Any, \.\.\.\], ~?numpy\.dtype\[(.*?)\]\]",
        r"numpy.typing.NDArray[\1]",
    ),
    (r"numpy\.random\._generator\.", "numpy.random."),
    (r"numpy\.random\.bit_generator\.", "numpy.random."),
    (r"numpy\.random\.mtrand\.", "numpy.random."),
    (r"torch\.nn\.modules\.\w+\.", "torch.nn."),
    (r"torch\.optim\.optimizer\.", "torch.optim."),
    (r"concurrent\.futures\._base\.", "concurrent.futures."),
    (r"(?<![\w.])ConfigurationSpace\b", "ConfigSpace.ConfigurationSpace"),
    (r"(?<![\w.])(Batch|Data|InMemoryDataset)\b", r"torch_geometric.data.\1"),
    (r"(?<![\w.])_Path\b", "str | os.PathLike[str]"),
    (r"(?<![\w.])_View\b", "nb101.explore.View"),
    (r"anywidget\.widget\.", "anywidget."),
    (r"(?<![\w.])(?:nb101\.analysis\.drawing\.)?Drawing\b", "matplotlib.figure.Figure"),
    (r"(?<![\w.])Axes\b", "matplotlib.axes.Axes"),
    (r"\bnpt\.", "numpy.typing."),
    (r"\bnp\.", "numpy."),
    (r"\bpa\.", "pyarrow."),
    (r"\bpd\.", "pandas."),
    (r"\bpl\.", "polars."),
    (r"\bnx\.", "networkx."),
)
"""How annotations write the names of libraries, and what they are called."""


# What is public


def module_of(package: str) -> Any:
    """Import a package."""
    return importlib.import_module(f"nb101.{package}" if package else "nb101")


@cache
def public() -> dict[str, Any]:
    """Return every public thing by its full name; each once, where it is said first."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for package in PACKAGES:
        module = module_of(package)
        for name in module.__all__:
            thing = getattr(module, name)
            style = package == "analysis.figures" and name.isupper() and name != "FIGURES"
            if name.startswith("__") or inspect.ismodule(thing) or style:
                continue
            if id(thing) in seen and (inspect.isclass(thing) or inspect.isroutine(thing)):
                continue
            seen.add(id(thing))
            found[f"{module.__name__}.{name}"] = thing
    return found


def heading_of(thing: Any) -> str:
    """Say under which heading a name stands."""
    if inspect.isclass(thing):
        return "Exceptions" if issubclass(thing, BaseException) else "Classes"
    return "Functions" if inspect.isroutine(thing) else "Constants"


@cache
def aliases() -> dict[str, str]:
    """Return the public name of each thing by its real name, and by its last word."""
    found: dict[str, str] = {}
    last: dict[str, set[str]] = {}
    for name, thing in public().items():
        found[name] = name
        if inspect.isclass(thing) or inspect.isroutine(thing):
            found[f"{thing.__module__}.{thing.__qualname__}"] = name
        last.setdefault(name.rpartition(".")[2], set()).add(name)
    for short, names in last.items():
        found.setdefault(short, min(names, key=lambda name: (name.count("."), name)))
    return found


# Pages


def page_of(name: str, thing: Any) -> str:
    """Write the page of a class or function."""
    module, _, last = name.rpartition(".")
    lines = [last, "=" * len(last), "", f".. currentmodule:: {module}", ""]
    if not inspect.isclass(thing):
        return "\n".join([*lines, f".. autofunction:: {last}"]) + "\n"
    lines += [f".. autoclass:: {last}", "   :members:"]
    lines += [f"   :inherited-members: {','.join(FOREIGN)}"]
    if shown_bases(thing.__bases__):
        lines += ["   :show-inheritance:"]
    return "\n".join(lines) + "\n"


def page_of_package(package: str) -> str:
    """Write the page of a package: what it is, lists of its names, and its constants."""
    module = module_of(package)
    name = module.__name__
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:"]
    lines += [*page_of_call(name, module), ""]
    mine = {full: thing for full, thing in public().items() if full.rpartition(".")[0] == name}
    for heading in HEADINGS:
        names = [full for full, thing in mine.items() if heading_of(thing) == heading]
        if not names:
            continue
        lines += [heading, "-" * len(heading), ""]
        if heading == "Constants":
            for full in names:
                lines += [f".. autodata:: {full}", "   :no-value:", ""]
        else:
            lines += [".. autosummary::", "   :nosignatures:", ""]
            lines += [f"   {full.rpartition('.')[2]}" for full in names] + [""]
    lines += [".. toctree::", "   :hidden:", ""]
    lines += [f"   {full}" for full, thing in mine.items() if heading_of(thing) in OWN_PAGE]
    lines += [
        f"   nb101.{other}" for other in PACKAGES if package and other.startswith(f"{package}.")
    ]
    return "\n".join([*lines, *([f"   {EXCEPTIONS}"] if not package else [])]) + "\n"


def page_of_call(name: str, module: Any) -> list[str]:
    """Describe a package that is a function too."""
    call = vars(type(module)).get("__call__")
    if call is None:
        return [""]
    signature = inspect.signature(call)
    parameters = [
        parameter.replace(annotation=parameter.empty)
        for parameter in list(signature.parameters.values())[1:]
    ]
    signature = signature.replace(parameters=parameters, return_annotation=signature.empty)
    text = str(Docstring(inspect.getdoc(call) or "", Config(napoleon_use_rtype=False)))
    described = [f"   {line}".rstrip() for line in text.splitlines()]
    above, _, last = name.rpartition(".")
    function = [f".. py:currentmodule:: {above}", "", f".. py:function:: {last}{signature}", ""]
    return ["   :no-index:", "", *function, *described, "", f".. py:currentmodule:: {name}"]


def page_of_exceptions() -> str:
    """Write one page of all exceptions."""
    lines = ["Exceptions", "=" * 10, "", ".. currentmodule:: nb101", ""]
    lines += ["What nb101 raises is an `NB101Error`, and what else is natural beside it.", ""]
    for name, thing in public().items():
        if heading_of(thing) == "Exceptions":
            lines += [f".. autoexception:: {name}", "   :members:", "   :show-inheritance:", ""]
    return "\n".join(lines)


def write_pages(_app: Sphinx) -> None:
    """Write all pages."""
    pages = {
        f"{name}.rst": page_of(name, thing)
        for name, thing in public().items()
        if heading_of(thing) in OWN_PAGE
    }
    for package in PACKAGES:
        pages[f"{module_of(package).__name__}.rst"] = page_of_package(package)
    pages[f"{EXCEPTIONS}.rst"] = page_of_exceptions()
    made_pages.write(FOLDER, pages)


# Names


class Docstring(NumpyDocstring):
    """What napoleon makes of a docstring; but a colon in the first line of a property is a colon.

    It would take what stands before it for a type.
    """

    def _consume_inline_attribute(self) -> tuple[str, list[str]]:
        return "", self._dedent(self._consume_to_end())


def find_text(
    _app: Sphinx, what: str, name: str, thing: Any, _options: Any, lines: list[str]
) -> None:
    """Give a constant the text that stands below it where it is defined."""
    if what != "data":
        return
    last = name.rpartition(".")[2]
    for module in sorted(sys.modules):
        if module.startswith("nb101.") and vars(sys.modules[module]).get(last) is thing:
            found = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", last))
            if found:
                lines[:] = found
                return
    lines[:] = []


def leave_out_fields(
    _app: Sphinx, _what: str, _name: str, thing: Any, _skip: bool, _options: Any
) -> bool | None:
    """Leave out fields of named tuples, which the text of their class describes."""
    text = getattr(thing, "__doc__", None) or ""
    return True if text.startswith("Alias for field number") else None


def leave_out(_app: Sphinx, _name: str, _thing: Any, _options: Any, bases: list[Any]) -> None:
    """Leave out bases that are nobody's business."""
    bases[:] = shown_bases(bases)


def shown_bases(bases: Iterable[Any]) -> list[Any]:
    """Return those bases of a class that are public, here or elsewhere."""
    names = {id(base): full_name(base) or "" for base in bases}
    return [
        base
        for base in bases
        if base is not object
        and (not names[id(base)].startswith("nb101.") or names[id(base)] in aliases())
    ]


def full_name(thing: Any) -> str | None:
    """Return the real name of a class."""
    thing = getattr(thing, "__origin__", thing)
    name = getattr(thing, "__qualname__", None)
    return name and f"{thing.__module__}.{name}"


def shorten(text: str) -> str:
    """Write the annotation of something as people read it."""
    for pattern, name in SHORT:
        text = re.sub(pattern, name, text)
    return text


def shorten_signature(
    _app: Sphinx,
    _what: str,
    _name: str,
    _thing: Any,
    _options: Any,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    """Shorten the annotations of a signature."""
    return (signature and shorten(signature), returns and shorten(returns))


def shorten_fields(app: Sphinx, _domain: str, _kind: str, _content: Any) -> None:
    """Shorten the annotations that become fields of a description."""
    for types in app.env.current_document.autodoc_annotations.values():
        types.update({name: shorten(text) for name, text in types.items()})


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Any
) -> nodes.Node | None:
    """Find what a name stands for; what is no public name stays plain code."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].lstrip("~.")
    domain = env.domains.python_domain
    first, _, rest = target.partition(".")
    tried = [aliases().get(target)]
    if rest and first in aliases():
        tried.append(f"{aliases()[first]}.{rest}")
    real, _, member = target.rpartition(".")
    if real in aliases():
        tried.append(f"{aliases()[real]}.{member}")
    for name in tried:
        if name and name in domain.objects:
            found = domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", name, node, content
            )
            if found is not None:
                return found
    if (short := shorten(target)) != target:
        node["reftarget"] = short
        return missing_reference(app, env, node, content)
    return content if is_plain(node, target) else None


def is_plain(node: pending_xref, target: str) -> bool:
    """Say whether a name in backticks is that of a parameter or of a value."""
    return node["reftype"] == "obj" and not re.match(r"(nb101\.|[A-Z]\w*[a-z])", target)


def leave_out_sources(app: Sphinx) -> list[Any]:
    """Leave modules out of the list of sources that have none in Python."""
    sources = getattr(app.env, "_viewcode_modules", {})
    for name in [name for name, entry in sources.items() if not entry]:
        del sources[name]
    return []


def mend_links_back(
    _app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: Any
) -> None:
    """Let sources lead back to the names that things have here.

    viewcode has one name for a module, that of the package which describes something of it first.
    """
    if not page.startswith("_modules/nb101"):
        return

    def mend(found: re.Match[str]) -> str:
        name, anchor = found[2], found[3]
        package, _, last = name.rpartition(".")
        place = f".{anchor}.".rfind(f".{last}.")
        return f"{found[1]}{name}.html#{package}.{anchor[place:]}" if place >= 0 else found[0]

    link = r'(class="viewcode-back" href="[./]*reference/api/)([\w.]+)\.html#([\w.]+)'
    context["body"] = re.sub(link, mend, context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all of it."""
    app.connect("builder-inited", write_pages, priority=100)
    sphinx.ext.napoleon.NumpyDocstring = Docstring  # type: ignore[misc]
    app.connect("autodoc-process-docstring", find_text, priority=100)
    app.connect("autodoc-skip-member", leave_out_fields)
    app.connect("autodoc-process-bases", leave_out)
    app.connect("autodoc-process-signature", shorten_signature, priority=900)
    app.connect("object-description-transform", shorten_fields, priority=100)
    app.connect("missing-reference", resolve)
    app.connect("html-collect-pages", leave_out_sources, priority=100)
    app.connect("html-page-context", mend_links_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
