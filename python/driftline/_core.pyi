"""The compiled engine. Nothing here is public: the package re-exports what users need."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, final

Bounded = tuple[float, float, float]
"""Value, lower bound, upper bound."""

def build_info() -> dict[str, Any]:
    """Version, CPU features found, and the kernels chosen for them."""

@final
class Batch:
    """A record batch made from buffers and lists: how NumPy data enter."""

    @staticmethod
    def from_columns(columns: Sequence[tuple[str, Any, str]]) -> Batch:
        """Takes (name, values, dtype) triples of the same length.

        A dtype is NumPy's string (`<f8`, `<i4`, `|b1`, `<M8[us]`, `<m8[ns]`), with values a C-contiguous
        one-dimensional buffer of that item size, taken without a copy; `object`, with values a list of
        None, str, bytes, bool, int or float; or `arrow`, with values an Arrow array or stream of arrays.
        """

    @property
    def rows(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

@final
class Input:
    """One file or object to read."""

    @property
    def name(self) -> str: ...

def expand_paths(names: Sequence[str]) -> list[Input]:
    """Files behind files, folders and globs of this machine, in order."""

def remote_input(url: str, size_bytes: int, read: Callable[[int, int], Any]) -> Input:
    """An object in a store; `read(offset, length)` returns its bytes and is called from several threads."""

def format_of(name: str) -> Literal["parquet", "csv", "jsonlines"] | None:
    """The format that a file's name tells."""

def is_profile(path: str) -> bool:
    """Whether a file is a saved profile."""

@final
class Encoded:
    """A file that was encoded and is not copied into Python's memory."""

    def __init__(self, data: bytes) -> None: ...
    def __len__(self) -> int: ...
    def __bytes__(self) -> bytes: ...
    def after(self, head: bytes) -> Encoded:
        """The same after a few other bytes."""
    def blake3(self) -> str:
        """Its BLAKE3 hash in hexadecimal."""

def write_file(path: str, data: bytes | Encoded) -> None:
    """Writes a file whole or not at all."""

def file_digest(path: str, most_bytes: int) -> str:
    """A hash of the first bytes of a file, so many or all there are; `OSError` where it cannot be read."""

@final
class Facts:
    """Rows of a store."""

    @property
    def rows(self) -> int: ...
    @property
    def names(self) -> list[str]: ...
    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows; times are microseconds since 1970."""
    def window_profiles(self) -> list[tuple[str, str, int, Profile]]:
        """Profiles of windows, over all writers: monitor, segment, start in microseconds, profile."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

def facts_to_parquet(data: Any, table: str, *, monitor: str, writer: str, threads: int = 0) -> Encoded | None:
    """The rows of one commit as the bytes of a Parquet file; `None` where there are none."""

def read_facts(
    inputs: Sequence[Input],
    table: str,
    *,
    columns: Sequence[str] | None = None,
    segments: Sequence[str] | None = None,
    since: int | None = None,
    until: int | None = None,
    revision: int | None = None,
    select: Sequence[str] | None = None,
) -> Facts:
    """The rows that count of files in the order of their commits; times in microseconds."""

def merge_facts(inputs: Sequence[Input], table: str, *, threads: int = 0) -> Encoded:
    """Files of neighbouring commits as the bytes of one."""

def expire_facts(inputs: Sequence[Input], table: str, before: int) -> list[tuple[int, int, Encoded | None]]:
    """What is left of each file: rows dropped, rows kept, and the file anew where both are some."""

def examine_facts(source: Input, table: str) -> tuple[int, list[tuple[str, str]]]:
    """Reads all of a file: its rows, and monitor and writer of them."""

def facts_that_disagree(inputs: Sequence[Input], table: str) -> list[tuple[int, int, str, int, list[str]]]:
    """Files that say different things of the same identity and revision.

    Positions of both, the first such row, how many there are, and which columns differ.
    """

@final
class Table:
    """Rows that any library reads that speaks the Arrow PyCapsule interface."""

    @property
    def num_rows(self) -> int: ...
    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows, of text, numbers, flags and times; times are microseconds since 1970."""
    @staticmethod
    def concat(tables: Sequence[Table]) -> Table:
        """The rows of all of them, which have the same columns."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Times:
    """When the rows of a file happened, up to `latest_us`."""

    def __init__(self, source: Input, time: str, latest_us: int) -> None: ...
    @property
    def span(self) -> tuple[int, int] | None:
        """The first and the last, in microseconds."""
    @property
    def rows(self) -> int: ...

@final
class Files:
    """Files that are read side by side, each from a row on, and from an instant on."""

    def __init__(self, files: Sequence[tuple[Input, Times, int, int | None]], most_held: int) -> None:
        """Windows wait for rows that are still to come while they take no more than so many profiles of columns."""
    def progress(self) -> list[tuple[int, bool]]:
        """Of each file the rows up to which it was read, and whether that is all."""

@final
class Windows:
    """Numbered windows of event time."""

    def __init__(self, window: tuple[int, str], timezone: str) -> None: ...
    def number(self, instant_us: int) -> int: ...
    def start_us(self, number: int) -> int: ...
    def label(self, number: int) -> str: ...

@final
class Monitor:
    """Collects rows into windows, and watches each column of each segment over time."""

    def __init__(
        self,
        *,
        name: str,
        writer: str,
        time: str,
        features: Sequence[str] | None,
        named: Sequence[tuple[str, str]],
        ignore: Sequence[str],
        segments: Sequence[Sequence[str]],
        segment_limit: int,
        window: tuple[int, str],
        timezone: str,
        lateness_us: int,
        tolerance: float,
        false_alarms: float,
        per: str,
        reference: str,
        span: tuple[int, str] | None,
        span_us: int | None,
        cycle: str | None,
        checks: dict[str, tuple[float | None, float | None, float | None, bool, set[str] | None]],
        k: int,
        threads: int,
        bins: Profile | None = None,
        state: bytes | None = None,
    ) -> None:
        """`bins` tells how columns are watched, `state` is a checkpoint to go on from.

        `named` are columns that the rows must have, each after where it is named.
        """
    def update(self, data: Any, now_us: int) -> tuple[int, int] | None:
        """Adds what speaks Arrow, all of it or nothing; from when to when the rows are."""
    @property
    def is_broken(self) -> bool:
        """Whether it failed while it added rows of which some are counted."""
    def late_windows(self) -> set[int]:
        """Windows to which rows came late that are waiting to be taken."""
    def read(
        self,
        files: Files,
        now_us: int,
        *,
        most_results: int,
        most_s: float,
        progress: Callable[[int], object] | None = None,
    ) -> bool:
        """Adds rows of files until they end, so many results wait or so long it takes; whether they have ended."""
    def saw(self, newest_us: int) -> None:
        """Lets time go on as rows of up to an instant let it, which have been counted without."""
    def feed_late(self) -> None:
        """Lets the series see what came late so far."""
    def learn(self, data: Any) -> None: ...
    def learn_from(self, source: Input) -> None: ...
    def learn_profile(self, profile: Profile) -> None: ...
    def end_learning(self) -> None: ...
    def bin_before(self, inputs: Sequence[Input], until_us: int) -> None: ...
    def bin_reference(self, inputs: Sequence[Input]) -> None: ...
    def advance(self, to_us: int) -> None: ...
    def take(self) -> tuple[Table, Table, Table, list[tuple[int, str, Profile]]]:
        """Profiles, results and alarms since this was asked last; and late rows by window and segment."""
    def assess(self, window: int, segment: str, profile: Profile, revision: int) -> tuple[Table, Table]:
        """Profile table and results of a window as it is known now."""
    def recount(
        self, windows: Sequence[tuple[int, int]], files: Sequence[tuple[Input, int, int]]
    ) -> list[tuple[int, str, Profile]]:
        """Counts spans of windows anew; those that had closed are handed over.

        Of each file count the first rows, so many, and all of before an instant.
        """
    def standings(self) -> Table: ...
    def checkpoint(self) -> Encoded: ...
    @property
    def newest_us(self) -> int | None:
        """The latest time of any row."""
    def open_windows(self) -> list[tuple[int, int]]:
        """Windows that are open, with their rows so far."""
    @property
    def learning(self) -> tuple[bool, int | None]:
        """Whether the reference is still learnt, and until when, where that is known."""
    @property
    def counts(self) -> dict[str, int]:
        """Rows by what became of them."""

@final
class Options:
    """How to profile, checked. Raises ValueError."""

    def __init__(
        self,
        *,
        columns: Sequence[str] | None = None,
        k: int = 1600,
        collect: Sequence[str] | None = None,
        collect_by_column: dict[str, Sequence[str]] | None = None,
        redact: Sequence[str] = ...,
        reference: Profile | None = None,
        bin_numbers_alone: bool = False,
        threads: int = 0,
        may_lack_columns: bool = False,
    ) -> None: ...

def profile_batches(
    batches: Iterable[Any], options: Options, *, progress: Callable[[int], object] | None = None
) -> Profile:
    """Profiles what an iterable yields: objects with `__arrow_c_stream__` or `__arrow_c_array__`.

    `progress` is called with the number of rows that are done, on this thread.
    """

def profile_inputs(
    inputs: Sequence[Input], options: Options, *, progress: Callable[[int], object] | None = None
) -> Profile:
    """Profiles files and objects as one data set."""

@final
class Profile:
    """Mergeable summary of some rows."""

    @staticmethod
    def empty() -> Profile:
        """That of no rows."""
    @property
    def rows(self) -> int: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Name and type of columns that were not profiled."""
    def column(self, name: str) -> Column:
        """Raises KeyError."""
    @property
    def estimated_numbers(self) -> list[str]:
        """Number columns whose quantiles are estimates."""
    def merge(self, other: Profile) -> Profile:
        """A new profile of the rows of both."""
    def with_bins_of(self, counted: Profile) -> Profile:
        """The same profile with the bins that another one of the same rows was counted over."""
    def save(self, path: str) -> None: ...
    @staticmethod
    def load(path: str) -> Profile: ...
    @staticmethod
    def load_both(first: str, second: str) -> tuple[Profile, Profile]: ...
    def to_parquet(self) -> bytes: ...
    @staticmethod
    def from_parquet(data: bytes) -> Profile: ...
    @staticmethod
    def from_arrow(data: Any) -> Profile: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Column:
    """Summary of one column. Values that were not collected, or are of nothing, are None."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["number", "time", "category", "list", "embedding", "null"]: ...
    @property
    def type(self) -> str: ...
    @property
    def counts(self) -> dict[str, int]:
        """rows, absent, nulls, nans, pos_inf, neg_inf, zeros, negatives, empty."""
    @property
    def min(self) -> float | int | None: ...
    @property
    def max(self) -> float | int | None: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def std(self) -> float | None: ...
    @property
    def skewness(self) -> float | None: ...
    @property
    def kurtosis(self) -> float | None: ...
    @property
    def k(self) -> int | None: ...
    @property
    def rank_error(self) -> float | None:
        """Error of one rank at 99 %, as a share of the values."""
    @property
    def length(self) -> Column | None:
        """The lengths of strings and lists as a column of numbers."""
    def quantiles(self, q: Sequence[float]) -> list[Bounded] | None: ...
    def cdf(self, x: Sequence[float]) -> list[Bounded] | None: ...
    def histogram(self, edges: Sequence[float]) -> list[Bounded] | None:
        """Rows in `[e0, e1], (e1, e2], ...`, one less than edges."""
    def distinct(self) -> Bounded | None: ...
    def top(self, n: int) -> list[tuple[Any, int, int, int]] | None:
        """(value, count, lower bound, upper bound) of the most frequent values that are proven to be."""
    def bins(self) -> tuple[Literal["numbers", "categories"], list[Any], list[int]] | None:
        """Edges or categories of the reference, and the exact rows per bin (one more)."""

@final
class Comparison:
    """Two profiles side by side."""

    @property
    def reference_rows(self) -> int: ...
    @property
    def current_rows(self) -> int: ...
    @property
    def columns(self) -> list[dict[str, Any]]:
        """The fields of a `ColumnComparison` that need no further work; what moved as tuples."""
    @property
    def only_in_reference(self) -> list[str]: ...
    @property
    def only_in_current(self) -> list[str]: ...
    def cells(self, column: int) -> list[tuple[str, float | None, float | None, int, int]]:
        """Label, edges of a bin of numbers, rows of the reference, rows now; empty where values are not judged."""
    def statistics(self, column: int) -> dict[str, float]:
        """Distances by name."""
    def all_statistics(self) -> list[dict[str, float]]:
        """The same of every column, on all threads."""

def compare(
    reference: Profile,
    current: Profile,
    *,
    columns: Sequence[str] | None,
    tolerance: float,
    alpha: float,
    resolution: float,
    correction: str,
    threads: int,
) -> Comparison: ...

@final
class Kll:
    def __init__(self, k: int = 1600, *, seed: int = 0) -> None: ...
    @staticmethod
    def from_bytes(data: bytes, dtype: str = "float64") -> Kll: ...
    def to_bytes(self) -> bytes: ...
    def update(self, values: Any) -> None: ...
    def merge(self, other: Kll) -> None: ...
    @property
    def k(self) -> int: ...
    @property
    def n(self) -> int: ...
    @property
    def dtype(self) -> str: ...
    @property
    def min(self) -> float | str | None: ...
    @property
    def max(self) -> float | str | None: ...
    @property
    def rank_error(self) -> float: ...
    def quantile(self, q: float) -> tuple[Any, Any, Any] | None: ...
    def rank(self, x: Any) -> Bounded | None: ...

@final
class Hll:
    def __init__(self) -> None: ...
    @staticmethod
    def from_bytes(data: bytes) -> Hll: ...
    def to_bytes(self) -> bytes: ...
    def update(self, values: Any) -> None: ...
    def merge(self, other: Hll) -> None: ...
    @property
    def lg_k(self) -> int: ...
    def estimate(self) -> Bounded: ...

@final
class FrequentItems:
    def __init__(self, lg_max: int = 11, *, dtype: str = "string") -> None: ...
    @staticmethod
    def from_bytes(data: bytes, dtype: str = "string") -> FrequentItems: ...
    def to_bytes(self) -> bytes: ...
    def update(self, values: Any) -> None: ...
    def merge(self, other: FrequentItems) -> None: ...
    @property
    def dtype(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def max_error(self) -> int: ...
    def estimate(self, item: str | bytes | int) -> tuple[int, int, int]: ...
    def top(self, n: int) -> list[tuple[Any, int, int, int]]: ...

Diverged = tuple[float, float, float | None, float | None, float, float, float]
"""Value, debiased, lower, upper, p-value, mean and 95 % point of the null."""
Measured = tuple[float, float, float]
"""Value, p-value, 95 % point of the null."""

def psi(reference: Sequence[int], current: Sequence[int], *, permutations: int) -> Diverged: ...
def jensen_shannon(reference: Sequence[int], current: Sequence[int], *, permutations: int) -> Diverged: ...
def hellinger(reference: Sequence[int], current: Sequence[int], *, permutations: int) -> Diverged: ...
def total_variation(reference: Sequence[int], current: Sequence[int]) -> tuple[float, float, float]:
    """Value, its mean when nothing has changed, upper bound of the true value."""

def chi_square(
    reference: Sequence[int], current: Sequence[int], *, permutations: int
) -> tuple[float, float, int, float]:
    """Statistic, p-value, degrees of freedom, w."""

def ks(reference: Sequence[int], current: Sequence[int]) -> tuple[float, float]:
    """Statistic and p-value."""

def kuiper(reference: Sequence[int], current: Sequence[int], *, permutations: int) -> Measured: ...
def cramer_von_mises(reference: Sequence[int], current: Sequence[int], *, permutations: int) -> Measured: ...
def wasserstein(
    reference: Sequence[int], current: Sequence[int], values: Sequence[float], *, permutations: int
) -> Measured: ...
def energy(
    reference: Sequence[int], current: Sequence[int], values: Sequence[float], *, permutations: int
) -> Measured: ...
