"""Makes docs/paper/: each figure and table of the paper beside those of this project.

``make paper`` does all of it. `predicted`, `measured` and `searches` compute what stands on our
side; `said` has what the paper reports. All goes into a dated record, ``*-paper.json`` of
``benches/record`` (`record`), and from the newest one alone come figures (`figures`) and pages
(`pages`). So pages can be made anew without the genuine records, which are not part of the project.
"""
