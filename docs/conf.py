"""How the site is built. It needs no network, and imports the installed package."""

from typing import Any

import driftline

project = "driftline"
author = "the driftline authors"
copyright = f"Copyright {author}"
version = release = driftline.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"driftline {release}"
html_copy_source = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
# Classes of results are made by the engine: how they are constructed is no part of the API.
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
napoleon_numpy_docstring = False
# Docstrings write code as `name`, as Markdown does.
default_role = "code"
# Types of results live in private modules; readers need their names alone.
add_module_names = False
# Strict about our own names; what other projects document is not linked, because that would need the network.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(collections\.abc|datetime|typing|types|polars|pyarrow|rich)\..*")]


def spare_first_line(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keeps napoleon from taking what stands before a colon in a property's first line for a type."""
    if what in ("property", "attribute") and ":" in lines[0]:
        # An empty comment, which napoleon reads as a first line without a colon.
        lines[:0] = ["..", ""]


def setup(app: Any) -> None:
    """Sees docstrings before napoleon does, whose priority is 500."""
    app.connect("autodoc-process-docstring", spare_first_line, priority=400)
