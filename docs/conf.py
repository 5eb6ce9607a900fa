"""How the site is built. It needs no network, and imports the installed package."""

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
