"""The JSON Schema of `driftline.yaml`, for editors."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from driftline._config.model import Config

__all__ = ["json_schema"]


def json_schema() -> dict[str, Any]:
    """The schema of a configuration, in the 2020-12 draft."""
    return {"$schema": _Schema.schema_dialect, **Config.model_json_schema(schema_generator=_Schema)}


class _Schema(GenerateJsonSchema):
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """What is not there unless it is given has no default: a file cannot say it."""
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)
