"""What all mappings of a configuration have in common."""

from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from driftline._config.mistakes import Mistake, MistakesError

__all__ = ["Part"]


class Part(BaseModel):
    """A mapping with known keys, none of which changes once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        mistakes = list(self._contradictions())
        if mistakes:
            raise MistakesError(mistakes)
        return self

    def _contradictions(self) -> Iterator[Mistake]:
        """What its values cannot be together, though each is one by itself."""
        raise NotImplementedError
