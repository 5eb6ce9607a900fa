"""The report of a comparison: one HTML file that needs no network, no script and no other file.

`page` puts it together from `overview` (a line a column) and `section` (all that is known of one column). What they
show is made by `outline` (distributions), `bars` (shares) and `tables`; `axis` chooses what part of the numbers a
picture shows. Everything that comes from data passes through `markup.text`.
"""

from driftline._report.page import render

__all__ = ["render"]
