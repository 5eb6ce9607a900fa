"""The report of a comparison: one HTML file that needs no network, no script and no other file.

`page` puts it together from `overview` (a line a column) and `section` (all that is known of one column). What they
show is made by `outline` (distributions of numbers, laid out by `spans` and `picture`), `bars` (shares) and `tables`.
`verdicts` has the order of columns, `words` the sentences. The frame, the style of all pages and pieces of HTML
are in `driftline._page`.
"""

from driftline._report.page import render

__all__ = ["render"]
