"""Metrics and plots of a commit, as DVC reads and draws them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.touch_points import DRAWING

if TYPE_CHECKING:
    from dvc.repo import Repo


def metrics(repo: "Repo", commit: str) -> dict[str, Any]:
    """What DVC reads of the metrics of a commit: `data` by file, or `error`.

    Raises:
        DvcDiffersError: this DVC reads them in another way.
    """
    require(DRAWING)
    values: dict[str, Any] = repo.metrics.show(revs=[commit], hide_workspace=False)[commit]
    return values


def plots(repo: "Repo", commit: str) -> Any:
    """What DVC reads of the plots of a commit.

    Raises:
        DvcDiffersError: this DVC reads them in another way.
    """
    require(DRAWING)
    return repo.plots.show(revs=[commit]).get(commit, {})


def drawn(points: Mapping[str, Any], templates: Path, folder: Path | None = None) -> list[Any]:
    """Plots as DVC draws them, each with what could not be read.

    Args:
        points: of `plots`, by title.
        templates: the project's own templates of plots.
        folder: for images; None to have them in what is drawn.

    Raises:
        DvcDiffersError: this DVC draws them in another way.
    """
    require(DRAWING)
    from dvc.render.match import match_defs_renderers

    renderers: list[Any] = match_defs_renderers(
        data=dict(points), out=folder and str(folder), templates_dir=str(templates)
    )
    return renderers


def write_page(points: Mapping[str, Any], templates: Path, folder: Path) -> None:
    """Write the page of `dvc plots diff` as `index.html` into an empty folder, with its images.

    Args:
        points: of `plots`, by title.
        templates: the project's own templates of plots.
        folder: for the page.

    Raises:
        DvcDiffersError: this DVC writes it in another way.
    """
    require(DRAWING)
    from dvc_render import render_html

    renderers = drawn(points, templates, folder / "static")
    render_html([plot.renderer for plot in renderers], folder / "index.html")
