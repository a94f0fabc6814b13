"""How Sphinx builds the site: ``make docs``."""

import sys
from pathlib import Path

from nb101._base.version import __version__

HERE = Path(__file__).parent
BUILD = HERE.parent / "build"
sys.path.insert(0, str(HERE / "_ext"))

import explorer_site  # noqa: E402
import inventories  # noqa: E402
from installed import package_digest  # noqa: E402

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
    "explorer_site",
    "public_names",
    "command_pages",
]
exclude_patterns = ["_*"]
nitpicky = True
# Classes that are nobody's to make, and type variables: in annotations they are plain code.
nitpick_ignore = {
    ("py:class", f"nb101.{name}")
    for name in (
        *("_core.Space", "table.budget.Budget", "table.table.Kept"),
        *("table.sources.ColumnSource", "compat.records.Records", "search.searcher.S"),
        *("predict.scale.Scale", "predict.predictor.Group", "predict.errors.Errors"),
        "predict.inputs.Inputs",
        "explore.content.Content",
    )
}
# Base classes of adapters, of which there is no page that stays where it is.
nitpick_ignore |= {
    ("py:class", name)
    for name in (
        "syne_tune.blackbox_repository.blackbox.Blackbox",
        "optunahub.benchmarks._base_problem.BaseProblem",
        "carps.objective_functions.objective_function.ObjectiveFunction",
    )
}
default_role = "py:obj"

# Markdown
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
# Run anew where the package is another one; a setting that changes has all pages read again.
nb_execution_cache_path = str(BUILD / "notebooks" / package_digest())
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True

# Names of other projects
intersphinx_mapping = inventories.write(HERE / "inventories.toml", BUILD / "inventories")

# Docstrings
autosummary_generate = False
autodoc_typehints = "description"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# The page
html_theme = "furo"
html_static_path = ["_static"]
html_extra_path = [str(explorer_site.FOLDER)]
html_css_files = ["site.css"]
html_search_scorer = str(HERE / "_ext" / "scorer.js")
html_theme_options = {
    "source_repository": "https://github.com/nb101/nb101/",
    "source_branch": "main",
    "source_directory": "docs/",
}
html_title = f"nb101 {release}"
html_copy_source = False
html_show_sphinx = False
