"""Answers that say how sure they are."""

from typing import Any, NamedTuple

__all__ = ["Bin", "Estimate", "TopItem"]


class Estimate(NamedTuple):
    """A value and the bounds that its true value lies in."""

    value: Any
    """The estimate."""
    lower: Any
    """Lower bound."""
    upper: Any
    """Upper bound."""

    def __float__(self) -> float:
        return float(self.value)


class Bin(NamedTuple):
    """Rows of one bin of a histogram."""

    low: float
    """Lower edge; only the first bin holds it too."""
    high: float
    """Upper edge, which the bin holds."""
    count: float  # type: ignore[assignment]  # A tuple's own method counts items, which nobody asks of a bin.
    """Rows."""
    lower: float
    """Lower bound of the rows."""
    upper: float
    """Upper bound of the rows."""


class TopItem(NamedTuple):
    """A frequent value."""

    value: Any
    """The value; `None` stands for every other value, in the bins of a reference."""
    count: int  # type: ignore[assignment]
    """Rows that hold it."""
    lower: int
    """Lower bound of the rows."""
    upper: int
    """Upper bound of the rows."""
