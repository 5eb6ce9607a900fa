"""The page of a monitor: one HTML file that shows how it stands and what its series were like over time.

`page` puts it together from `alarms`, `overview` (a line a series, the worst first) and `volume`, which can be read
without scripts. `history` reads results from the store, `ranked` orders series, `packed` makes what the script draws:
the heatmap, and each series' history when it is unfolded. The frame, the style and the words that it has in common with
other pages are in `driftline._page` and `driftline._monitor.words`.
"""

from driftline._monitor_page.page import looked_at, page_of, render

__all__ = ["looked_at", "page_of", "render"]
