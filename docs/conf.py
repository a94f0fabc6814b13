"""How Sphinx builds the site: ``make docs``."""

import sys
from pathlib import Path

from nb101._base.version import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "nb101"
author = "The nb101 authors"
copyright = "2026, the nb101 authors"  # noqa: A001
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "public_names",
    "command_pages",
]
exclude_patterns = ["_*", "inventories"]
nitpicky = True
default_role = "py:obj"

# Markdown
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parents[1] / "build" / "notebooks")
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True

# Docstrings
autosummary_generate = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
python_display_short_literal_types = True
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# The page
html_theme = "furo"
html_title = f"nb101 {release}"
html_static_path = ["_static"]
html_copy_source = False
html_show_sphinx = False
