"""Rich's console, on which names from data cannot do more than be read."""

from collections.abc import Iterable

from rich import console
from rich.segment import Segment

from dvc_bucket.base.terminal import visible


class Console(console.Console):
    """The console of every table, list and progress bar.

    Colours are Rich's own. Invisible characters in the text are shown as escapes.
    """

    def render(
        self,
        renderable: console.RenderableType,
        options: console.ConsoleOptions | None = None,
    ) -> Iterable[Segment]:
        """Rich's pieces of text, made visible."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)
