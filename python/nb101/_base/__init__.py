"""What every other package stands on, and which knows nothing of cells: files, seals, processes.

None of it is public. A module here imports siblings, ``errors`` and ``plain``, and nothing else.
"""
