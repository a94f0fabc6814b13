"""What a figure is, and those of a module."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb101.analysis.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One kind of figure."""

    title: str
    caption: str
    """What is to be seen; a sentence or two."""
    paper: str
    """Which figure of the paper it corresponds to; empty if none."""
    draw: Callable[["Axes", Study], None]


class Figures(dict[str, Figure]):
    """Figures by name, as a module declares them."""

    def add(
        self, name: str, title: str, caption: str, paper: str = ""
    ) -> Callable[[Callable[["Axes", Study], None]], Callable[["Axes", Study], None]]:
        """Declare that a function draws a figure."""

        def add(function: Callable[["Axes", Study], None]) -> Callable[["Axes", Study], None]:
            self[name] = Figure(title=title, caption=caption, paper=paper, draw=function)
            return function

        return add
