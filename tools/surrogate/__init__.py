"""The maker of ``surrogate-v1``, the table that the package carries.

Its card is docs/explanation/surrogate.md.

It needs genuine records, which are no part of the project, and pandas; so it is no part of the
package either. `records` are what is known, `noise` takes apart what records and predictions differ
by, `derive` finds all that the table holds, `pack` writes it, and `report` and `card` say how good
it is. ``make surrogate`` runs all of it.
"""
