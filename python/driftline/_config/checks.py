"""What values of a column may be, whatever the reference says: `checks`."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, PlainSerializer, PlainValidator

from driftline._config.mistakes import Mistake, found
from driftline._config.part import Part
from driftline._config.units import parse_share
from driftline._config.values import SHARE_SCHEMA, Flag, each, read_number, schema

__all__ = ["Check"]

Value = str | int | float | bool


def _read_value(value: object) -> Value:
    return value if isinstance(value, str | bool) else read_number(value)


def _read_values(value: object) -> tuple[Value, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("write a list of values, such as [FR, DE]")
    values = each(value, _read_value)
    if len({"text" if isinstance(item, str) else isinstance(item, bool) for item in values}) > 1:
        raise ValueError("values of a column are of one kind: put all in quotes, or none")
    return values


OptionalNumber = Annotated[int | float | None, PlainValidator(read_number), schema({"type": "number"})]
OptionalShare = Annotated[float | None, PlainValidator(parse_share), schema(SHARE_SCHEMA)]
OptionalValues = Annotated[
    tuple[Value, ...] | None,
    PlainValidator(_read_values),
    PlainSerializer(lambda values: None if values is None else list(values)),
    schema({"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1}),
]


class Check(Part):
    """What values of a column may be."""

    min: OptionalNumber = Field(default=None, examples=[0])
    """The smallest value that may occur."""
    max: OptionalNumber = Field(default=None, examples=[120])
    """The largest value that may occur."""
    nulls: OptionalShare = Field(default=None, examples=["1%"])
    """The largest share of the rows that may lack a value."""
    unique: Flag = Field(default=False, examples=[True])
    """Whether no value may occur twice."""
    allowed: OptionalValues = Field(default=None, examples=[["FR", "DE"]])
    """The values that may occur, beside missing ones."""

    def _contradictions(self) -> Iterator[Mistake]:
        if not self.model_fields_set:
            yield Mistake((), f"checks nothing: give at least one of {', '.join(type(self).model_fields)}")
        if self.min is not None and self.max is not None and self.min > self.max:
            yield Mistake(("min",), f"is {found(self.min)}, above max, which is {found(self.max)}")
        if self.allowed is not None and isinstance(self.allowed[0], str | bool):
            for name in ("min", "max"):
                if name in self.model_fields_set:
                    yield Mistake((name,), "is for numbers, and allowed lists none: take one of them out")
