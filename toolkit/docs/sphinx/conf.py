"""The documentation site: `make docs`. Sphinx reads the pages where they are in the repository.

Links between pages are relative paths of files, so both forges follow them, too. What is special
here: `navigation.py` makes the menu of the lists in `docs/README.md`, and `reference.py` writes the
reference of the command line and of Python from the code. `accessible.py` mends the theme's HTML.
"""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
# The values that pages show do not depend on the machine: no colour, one width.
os.environ |= {"NO_COLOR": "1", "COLUMNS": "80"}

project = "dvc-bucket"
release = version = version_of("dvc-bucket")
copyright = "The dvc-bucket contributors"
html_title = "Data pipelines on object storage"
language = "en"

# The source folder is the repository's root. These pages of it are on the site.
root_doc = "toolkit/docs/README"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "data/README.md",
    "toolkit/README.md",
    "toolkit/CHANGELOG.md",
    "toolkit/benchmarks/RESULTS.md",
    "toolkit/docs/*.md",
    "toolkit/docs/adr/*.md",
]
exclude_patterns = [".*", "src", "tests", "template", "cluster", "reports", "data/[!R]*"]
exclude_patterns += ["toolkit/src", "toolkit/tests", "toolkit/dist", "toolkit/site", "**/.*"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
extensions += ["navigation", "reference", "accessible"]

# Anchors of headings, as both forges make them.
myst_heading_anchors = 4
myst_enable_extensions = ["html_image"]  # <img>, where a page gives the width
# Docstrings have code in single backquotes.
default_role = "code"
# Otherwise `--rev` in a sentence becomes an en dash and a word, and a copied command fails.
smartquotes = False
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# A page of the command line names a language of code that Pygments does not know.
highlight_language = "none"

html_theme = "furo"
html_static_path = ["static"]
html_favicon = "static/favicon.svg"
html_css_files = ["site.css"]
templates_path = ["templates"]
html_additional_pages = {"index": "redirect.html"}
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"


def setup(app: Sphinx) -> None:
    """Forges draw Mermaid. The site would need a script of another host, so it shows the text."""
    app.add_lexer("mermaid", TextLexer)
