"""Settings of the site: sphinx-build -W -b html docs site. Nothing is fetched from elsewhere when somebody reads it."""

from __future__ import annotations

import dataclasses
from importlib import metadata
from typing import TYPE_CHECKING

from evenhand.settings import Declared, settings_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "evenhand"
author = "the authors of evenhand"
project_copyright = author
release = version = metadata.version("evenhand")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "sphinx_copybutton"]
exclude_patterns = ["design/rooms.md"]
root_doc = "index"
nitpicky = False
default_role = "py:obj"

# Markdown, with the anchors that GitHub gives to headings.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# Docstrings: parameters from numpydoc's sections, fields from the text below them, settings from their declarations.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
# Two rooms may have a record of one name, such as Candidate and Recipe; a type in a signature then links to either.
suppress_warnings = ["ref.python"]
numpydoc_show_class_members = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "evenhand"
html_static_path = ["_static"]
html_css_files = ["site.css"]
ALONE = ("index", "quickstart", "which-metric", "metrics", "settings", "names", "trust", "peers", "benchmarks", "fits")
html_sidebars: dict[str, list[str]] = {page: [] for page in ALONE}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "primary_sidebar_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "show_nav_level": 1,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def tell_settings(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Add the parameters of a record of settings, each as it is declared."""
    if what != "class" or not (isinstance(thing, type) and issubclass(thing, Declared)) or "Parameters" in lines:
        return
    declared = settings_of(thing)
    if declared:
        lines += ["", "Parameters", "----------"]
    for field in dataclasses.fields(thing):
        if (one := declared.get(field.name)) is not None:
            usual = "" if one.default in (None, {}, ()) else f", default {one.default!r}"
            lines += [f"{one.name} : {one.kind}{f'; {one.unit}' if one.unit else ''}{usual}", f"    {one.help}"]
    lines += [""]


def leave_out(app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    """Leave out what a class has from scikit-learn, which describes it."""
    return True if str(getattr(thing, "__module__", "")).startswith("sklearn") else None


def setup(app: Sphinx) -> None:
    """Connect what docstrings need; settings before numpydoc reads them."""
    app.connect("autodoc-process-docstring", tell_settings, priority=400)
    app.connect("autodoc-skip-member", leave_out)
