"""Help in less time: typer's printer of it, without what no help of nb101 shows.

It imports Markdown and tracebacks of rich, and with them parsers and lexers: 0.038 s of the 0.139 s
of CPU time that ``nb101 --help`` took.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

from typer.core import TyperCommand, TyperGroup

_PRINTER = "typer.rich_utils"
_LATER = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""Modules, and the class that the printer knows of each."""


class _Later(type):
    """Classes that stand for those of a module that is imported when one is used."""

    def _real(cls) -> Any:
        return getattr(importlib.import_module(cls.__module__), cls.__name__)

    def __call__(cls, *args: Any, **given: Any) -> Any:
        return cls._real()(*args, **given)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls._real(), name)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls._real())


def import_printer() -> None:
    """Import typer's printer; a version of it that needs more of rich gets all."""
    if _PRINTER in sys.modules:
        return
    stand_ins = {}
    for name, known in _LATER.items():
        if name not in sys.modules:
            stand_ins[name] = ModuleType(name)
            setattr(stand_ins[name], known, _Later(known, (), {"__module__": name}))
    sys.modules.update(stand_ins)
    try:
        importlib.import_module(_PRINTER)
    except (AttributeError, ImportError, TypeError):
        # Also where there is no such printer: typer then does without.
        pass
    finally:
        for name in stand_ins:
            del sys.modules[name]


class Command(TyperCommand):
    """A command whose help takes less time."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print help."""
        import_printer()
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group whose help takes less time."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print help."""
        import_printer()
        super().format_help(ctx, formatter)
