"""A matplotlib figure that a notebook shows where it is the last thing of a cell.

Apart from `figures`, since matplotlib is imported with this module.
"""

import inspect
import io
from typing import Any

from matplotlib.figure import Figure


class Drawing(Figure):
    """What `nb101.analysis.figures.draw` returns: matplotlib's figure, known by what it shows.

    It is none of pyplot's figures, so that a notebook does not show it a second time by itself.
    """

    def __init__(self, *args: Any, label: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_label(label)

    def draw(self, renderer: Any) -> None:
        """Draw; where nothing is to be drawn, only find out where everything goes.

        `savefig` draws twice, first on a renderer whose methods do nothing, for the layout alone,
        which took a quarter of the time of a page's figures: 0.6 s of 2.5.
        """
        engine = self.get_layout_engine()
        if engine and self.canvas.is_saving() and inspect.isfunction(renderer.draw_path):
            # It would be a method.
            engine.execute(self)
        else:
            super().draw(renderer)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return a picture of twice the resolution that it is shown in, and its size there."""
        buffer = io.BytesIO()
        dpi = self.get_dpi()
        self.savefig(buffer, format="png", dpi=2 * dpi)
        width, height = self.get_size_inches() * dpi
        return buffer.getvalue(), {"width": round(width), "height": round(height)}

    def __repr__(self) -> str:
        return f"<Drawing: {self.get_label()}>"
