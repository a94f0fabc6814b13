"""Makes docs/paper: each figure of the paper beside ours, from the records.

``python -m paper`` (``make paper``) computes the numbers of the default table, and of the genuine
sample where that is at hand, keeps them as a record, draws the figures and fills in the page.
"""
