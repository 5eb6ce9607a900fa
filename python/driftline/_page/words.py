"""What all pages say in the same words."""

from typing import Final

__all__ = ["ROWS_MOVED"]

ROWS_MOVED: Final = (
    "Rows moved: of numbers, the largest change of the share up to any cut point or within any bin; of categories, the "
    "share of the rows that would have to take another value for both sides to agree, less what chance adds."
)
"""What the share of rows that moved is."""
