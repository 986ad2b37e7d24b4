"""How Sphinx builds the documentation: Markdown through MyST, every warning an error (make docs)."""

import recurra

project = "Recurra"
author = "The Recurra authors"
release = recurra.__version__

extensions = ["myst_parser", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "alabaster"
html_title = f"Recurra {release}"
html_theme_options = {"description": "Learn the pattern in sequences and predict what comes next"}
