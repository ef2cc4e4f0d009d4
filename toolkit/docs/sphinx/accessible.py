"""What Sphinx and Furo leave out for people with a keyboard or a screen reader (WCAG 2.1, AA)."""

from typing import Any

#: Parts of a page. What can scroll is reached by the keyboard; a heading has a level.
MENDED = {
    "<pre>": '<pre tabindex="0">',
    "<p><img": '<p tabindex="0"><img',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
}


def _mend(_app: Any, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    for part in ("body", "furo_navigation_tree"):
        text = context.get(part) or ""
        for found, better in MENDED.items():
            text = text.replace(found, better)
        context[part] = text


def setup(app: Any) -> dict[str, bool]:
    """Register the extension; Furo makes its menu at the priority 500."""
    app.connect("html-page-context", _mend, priority=900)
    return {"parallel_read_safe": True}
