"""Wheels in clean environments: each Python, the lowest and the latest dependencies, each extra.

`environments` finds Pythons and installs; `proof` is the program that each environment runs, with
nothing but what was installed. ``make test-pythons`` runs all of it.
"""
