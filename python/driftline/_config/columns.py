"""What the columns of a log are: `columns`."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Annotated, Final

from pydantic import Field, PlainSerializer, PlainValidator

from driftline._config.mistakes import Mistake, MistakesError, Where, found
from driftline._config.part import Part
from driftline._config.values import each, schema

__all__ = ["Column", "Columns"]

COLUMN_SCHEMA: Final = {"type": "string", "minLength": 1}
COLUMNS_SCHEMA: Final = {"type": "array", "items": COLUMN_SCHEMA, "uniqueItems": True}


def _read_column(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("write the name of a column, in quotes where it looks like something else")
    if not value:
        raise ValueError("write the name of a column")
    return value


def _read_columns(value: object) -> tuple[str, ...]:
    columns = each(_listed(value), _read_column)
    _refuse_repeated(columns)
    return columns


def _read_segment(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return (_read_column(value),)
    if not value:
        raise ValueError("a combination has at least one column")
    return _read_columns(value)


def _read_segments(value: object) -> tuple[tuple[str, ...], ...]:
    segments = each(_listed(value), _read_segment)
    _refuse_repeated([frozenset(columns) for columns in segments])
    return segments


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise ValueError("write a list of columns, such as [country, device]")
    return value


def _refuse_repeated(items: Sequence[Hashable]) -> None:
    first: dict[Hashable, int] = {}
    at = [first.setdefault(item, i) for i, item in enumerate(items)]
    again = [Mistake((i,), f"is there already, at [{at[i]}]: keep one") for i in range(len(items)) if at[i] < i]
    if again:
        raise MistakesError(again)


Column = Annotated[str, PlainValidator(_read_column), schema(COLUMN_SCHEMA)]
OptionalColumn = Annotated[str | None, PlainValidator(_read_column), schema(COLUMN_SCHEMA)]
ColumnList = Annotated[tuple[str, ...], PlainValidator(_read_columns), PlainSerializer(list), schema(COLUMNS_SCHEMA)]
Segments = Annotated[
    tuple[tuple[str, ...], ...],
    PlainValidator(_read_segments),
    PlainSerializer(lambda segments: list(map(list, segments))),
    schema(
        {"type": "array", "items": {"anyOf": [COLUMN_SCHEMA, {**COLUMNS_SCHEMA, "minItems": 1}]}, "uniqueItems": True}
    ),
]


class Columns(Part):
    """What the columns are."""

    time: Column = Field(examples=["ts"])
    """The time of each row."""
    id: OptionalColumn = Field(default=None, examples=["request_id"])
    """What names a row."""
    prediction: OptionalColumn = Field(default=None, examples=["y_pred"])
    """What the model said: a class or a number."""
    probability: OptionalColumn = Field(default=None, examples=["p"])
    """The probability of the positive class."""
    version: OptionalColumn = Field(default=None, examples=["model"])
    """Which version of the model said it."""
    segments: Segments = Field(default=(), examples=[["country", ["country", "device"]]])
    """Columns whose values are watched apart, one after another; a list inside the list is a combination."""
    features: ColumnList = Field(default=(), examples=[["age", "amount"]])
    """The inputs of the model; without it, all columns that are nothing else."""
    ignore: ColumnList = Field(default=(), examples=[["comment"]])
    """Columns that are not watched."""

    def _contradictions(self) -> Iterator[Mistake]:
        """Columns that cannot be two things at once."""
        roles: dict[str, str] = {}
        for role in ("time", "id", "prediction", "probability", "version"):
            column = getattr(self, role)
            if column is not None and roles.setdefault(column, role) != role:
                yield self._clash((role,), column, roles[column])
        for i, columns in enumerate(self.segments):
            for column in columns:
                if roles.get(column) in ("time", "id"):
                    told = f"names {found(column)}, which is the {roles[column]}: nearly every row would be a segment"
                    yield Mistake(("segments", i), told)
        for name in ("features", "ignore"):
            for i, column in enumerate(getattr(self, name)):
                if column in roles:
                    yield self._clash((name, i), column, roles[column])
        if self.features and self.ignore:
            yield Mistake(("ignore",), "stands beside features, which says all that is watched: take one out")

    @staticmethod
    def _clash(where: Where, column: str, role: str) -> Mistake:
        return Mistake(where, f"is {found(column)}, which is the {role} already: a column is one thing")
