"""The explorer: the whole space in a browser, from one command or in a notebook.

``nb101 explore`` serves a page on this machine, ``nb101 explore -o DIR`` writes it as a folder of
files; and ``nb101.explore(table)`` shows it in Jupyter, VS Code and marimo, where it needs
anywidget: ``pip install 'nb101[notebook]'``.
"""
