"""Builds and checks what is published: wheels of every target, and the source distribution.

``python -m wheels build`` and so on, with ``tools`` on Python's path: see ``__main__.py``. What was
proven for which target is in ``docs/reference/platforms.md``.
"""
