"""What the models found wrong, in words; of a key that is not known, with the nearest one that is."""

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from driftline._config.checks import Check
from driftline._config.columns import Columns
from driftline._config.mistakes import Mistake, MistakesError, Where, found
from driftline._config.model import LATER, Config

__all__ = ["explain"]


def explain(error: ValidationError) -> list[Mistake]:
    """All mistakes that the models found."""
    return [mistake for details in error.errors(include_url=False) for mistake in _explained(details)]  # type: ignore[arg-type]


def _explained(details: dict[str, Any]) -> list[Mistake]:
    where: Where = details["loc"]
    match details["type"]:
        case "missing":
            return [Mistake(where, f"is missing: give it, such as {_written(_example(where))}")]
        case "extra_forbidden":
            return [Mistake(where, _unknown(where))]
        case "value_error":
            reason = details["ctx"]["error"]
            if isinstance(reason, MistakesError):
                return [Mistake(where + inner, text) for inner, text in reason.mistakes]
            # Of a key that is no column's name, Pydantic adds that it is the key.
            of_key = len(where) == 3 and where[0] == "checks" and where[-1] == "[key]"
            return [Mistake(where[:-1] if of_key else where, f"is {found(details['input'])}: {reason}")]
        case "invalid_key":
            return [Mistake(where, "is no key: a key is text")]
        case _:
            # Pydantic itself judges nothing but whether a mapping is one.
            told = f"is {found(details['input'])}: write a mapping, such as {_written(_example(where))}"
            return [Mistake(where, told)]


def _model_at(where: Where) -> type[BaseModel]:
    """The model of the mapping at a path."""
    match where:
        case ("columns", *_):
            return Columns
        case ("checks", *_):
            return Check
        case _:
            return Config


def _example(where: Where) -> Any:
    """What a key could hold."""
    if where[0] == "checks" and len(where) == 2:
        (example,) = _example(("checks",)).values()
        return example
    examples = _model_at(where[:-1]).model_fields[str(where[-1])].examples or [""]
    return examples[0]


def _unknown(where: Where) -> str:
    """What to say of a key that there is not."""
    key = str(where[-1])
    if len(where) == 1 and key in LATER:
        return f"is for later: driftline does not {LATER[key]} yet, take the key out"
    keys = list(_model_at(where[:-1]).model_fields)
    if len(where) == 1 and key in Columns.model_fields:
        return f"is no key here: did you mean columns.{key}?"
    if where[0] == "columns" and key in Config.model_fields:
        return f"is no key of columns: {key} stands at the margin, beside columns"
    close = get_close_matches(key.lower().replace("-", "_").replace(" ", "_"), keys, n=1)
    return f"is no key: did you mean {close[0]}?" if close else f"is no key: keys are {', '.join(keys)}"


def _written(value: object) -> str:
    """A value as one writes it in YAML."""
    match value:
        case dict():
            return f"{{{', '.join(f'{key}: {_written(inner)}' for key, inner in value.items())}}}"
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            return str(value)
