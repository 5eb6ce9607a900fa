"""The sketches on their own: small mergeable summaries of one column.

Their bytes are Apache DataSketches images, which that project's libraries in Java, C++, Go, Rust and Python, and
systems such as Spark, Druid and PostgreSQL, read and write too.
"""

from typing import Any, Self

from driftline import _core, _sources
from driftline._estimates import Estimate, TopItem

__all__ = ["FrequentItems", "Hll", "Kll"]


def _arrays(values: object) -> list[object]:
    """Arrow arrays of one column; a list or tuple of plain values is one as well."""
    if isinstance(values, list | tuple | range):
        values = {"value": values}
    return list(_sources.produce(values))


class Kll:
    """Quantiles of numbers or times.

    Null and NaN are left out. The error of a rank is `rank_error` with 99 % confidence, whatever the data are.

    Args:
        k: Accuracy, 8 to 65535.
        seed: Which of the random choices to make; the same values in the same order and seed give the same sketch.

    Raises:
        ValueError: `k` is out of range.

    Example:
        >>> sketch = Kll()
        >>> sketch.update([3.0, 1.0, 2.0])
        >>> sketch.quantile(0.5).value
        2.0
    """

    __slots__ = ("_core",)

    def __init__(self, k: int = 1600, *, seed: int = 0) -> None:
        self._core = _core.Kll(k, seed=seed)

    @classmethod
    def from_bytes(cls, data: bytes, *, dtype: str = "float64") -> Self:
        """Reads an image of `float64`, `float32`, `int64` or `string` values; strings cannot be updated or merged.

        Raises:
            InputError: The bytes are no such image.
        """
        made: Self = _wrapped(cls, _core.Kll.from_bytes(data, dtype))
        return made

    def to_bytes(self) -> bytes:
        """The image of a sketch of doubles."""
        return self._core.to_bytes()

    def update(self, values: object) -> None:
        """Adds one column of Arrow data, a NumPy array or a list.

        Raises:
            TypeError: The values are of a type that cannot be read.
            ValueError: They are no numbers or times, or more than one column.
        """
        for array in _arrays(values):
            self._core.update(array)

    def merge(self, other: "Kll") -> None:
        """Adds what another sketch has seen."""
        self._core.merge(other._core)

    @property
    def k(self) -> int:
        """Accuracy."""
        return self._core.k

    @property
    def n(self) -> int:
        """Values seen."""
        return self._core.n

    @property
    def dtype(self) -> str:
        """Type of the values of the image that was read; `float64` otherwise."""
        return self._core.dtype

    @property
    def min(self) -> float | str | None:
        """Smallest value, exactly; `None` if there is no value."""
        return self._core.min

    @property
    def max(self) -> float | str | None:
        """Largest value, exactly; `None` if there is no value."""
        return self._core.max

    @property
    def rank_error(self) -> float:
        """How far one rank may be off, as a share of the values, with 99 % confidence."""
        return self._core.rank_error

    def quantile(self, q: float) -> Estimate | None:
        """The value at or below which a share `q` of the values lies; `None` if there is no value.

        Raises:
            ValueError: `q` is not between 0 and 1.
        """
        found = self._core.quantile(q)
        return None if found is None else Estimate(*found)

    def rank(self, x: float | str) -> Estimate | None:
        """The share of the values that are at most `x`; `None` if there is no value."""
        found = self._core.rank(x)
        return None if found is None else Estimate(*found)

    def __repr__(self) -> str:
        return f"Kll(k={self.k}, n={self.n:,}, min={self.min!r}, max={self.max!r})"


class Hll:
    """The number of different values of numbers, times, strings, bytes or booleans.

    Null, NaN and the empty string are left out. Memory is at most 4 KB; the standard error is 1.6 %.

    Example:
        >>> sketch = Hll()
        >>> sketch.update(["a", "b", "a"])
        >>> round(sketch.estimate().value)
        2
    """

    __slots__ = ("_core",)

    def __init__(self) -> None:
        self._core = _core.Hll()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads an image of any of the HLL types.

        Raises:
            InputError: The bytes are no such image.
        """
        made: Self = _wrapped(cls, _core.Hll.from_bytes(data))
        return made

    def to_bytes(self) -> bytes:
        """The image."""
        return self._core.to_bytes()

    def update(self, values: object) -> None:
        """Adds one column of Arrow data, a NumPy array or a list.

        Raises:
            TypeError: The values are of a type that cannot be read.
            ValueError: They are lists or structs, or more than one column.
        """
        for array in _arrays(values):
            self._core.update(array)

    def merge(self, other: "Hll") -> None:
        """Adds what another sketch has seen."""
        self._core.merge(other._core)

    @property
    def lg_k(self) -> int:
        """Binary logarithm of the number of registers."""
        return self._core.lg_k

    def estimate(self) -> Estimate:
        """How many different values there were, with 99.7 % bounds."""
        return Estimate(*self._core.estimate())

    def __repr__(self) -> str:
        value, lower, upper = self.estimate()
        return f"Hll(about {value:,.0f} distinct, {lower:,.0f} to {upper:,.0f})"


class FrequentItems:
    """The most frequent strings, bytes or integers, with certain bounds.

    Args:
        lg_max: Binary logarithm of the size of its table; counts are off by at most 3.5 values in 2^lg_max.
        dtype: `string`, `binary` or `int64`.

    Raises:
        ValueError: `lg_max` or `dtype` is out of range.

    Example:
        >>> sketch = FrequentItems()
        >>> sketch.update(["a", "b", "a"])
        >>> sketch.top(1)
        [TopItem(value='a', count=2, lower=2, upper=2)]
    """

    __slots__ = ("_core",)

    def __init__(self, lg_max: int = 11, *, dtype: str = "string") -> None:
        self._core = _core.FrequentItems(lg_max, dtype=dtype)

    @classmethod
    def from_bytes(cls, data: bytes, *, dtype: str = "string") -> Self:
        """Reads an image of `string`, `binary` or `int64` items.

        Raises:
            InputError: The bytes are no such image.
        """
        made: Self = _wrapped(cls, _core.FrequentItems.from_bytes(data, dtype))
        return made

    def to_bytes(self) -> bytes:
        """The image."""
        return self._core.to_bytes()

    def update(self, values: object) -> None:
        """Adds one column of Arrow data, a NumPy array or a list.

        Raises:
            TypeError: The values are of a type that cannot be read.
            ValueError: They are of another type than the sketch, or more than one column.
        """
        for array in _arrays(values):
            self._core.update(array)

    def merge(self, other: "FrequentItems") -> None:
        """Adds what another sketch has seen."""
        self._core.merge(other._core)

    @property
    def dtype(self) -> str:
        """Type of the items."""
        return self._core.dtype

    @property
    def total(self) -> int:
        """Items seen."""
        return self._core.total

    @property
    def max_error(self) -> int:
        """How far any count may be off."""
        return self._core.max_error

    def bounds(self, item: str | bytes | int) -> tuple[int, int]:
        """Lower and upper bound of an item's count."""
        _, lower, upper = self._core.estimate(item)
        return lower, upper

    def estimate(self, item: str | bytes | int) -> Estimate:
        """An item's count with its bounds."""
        return Estimate(*self._core.estimate(item))

    def top(self, n: int = 10) -> list[TopItem]:
        """The items that are certain to be the most frequent ones, most frequent first."""
        if n < 0:
            raise ValueError(f"n is {n}: it must be 0 or more")
        return [TopItem(*item) for item in self._core.top(n)]

    def __repr__(self) -> str:
        return f"FrequentItems(dtype={self.dtype!r}, total={self.total:,}, max_error={self.max_error:,})"


def _wrapped(cls: Any, core: object) -> Any:
    made = cls.__new__(cls)
    made._core = core
    return made
