"""What `driftline.yaml` says: the same model, with the same checks, for a file and for arguments.

`read` takes a file (through `yaml_text`, or TOML) or arguments to the `model`, whose parts are `columns`, `checks`,
`paths` and single `values`; `units` and `reference` read what people write in words. `mistakes` and `explain` tell all
that is wrong at once, and `schema` tells editors what may be written.

Pydantic and PyYAML are imported here and nowhere else, so that `import driftline` stays fast.
"""

from driftline._config.checks import Check
from driftline._config.columns import Columns
from driftline._config.model import Config
from driftline._config.read import config_of, read_config
from driftline._config.reference import Files, First, FirstQuarter, Reference, Same, Trailing
from driftline._config.schema import json_schema
from driftline._config.units import Every, Rate

__all__ = [
    "Check",
    "Columns",
    "Config",
    "Every",
    "Files",
    "First",
    "FirstQuarter",
    "Rate",
    "Reference",
    "Same",
    "Trailing",
    "config_of",
    "json_schema",
    "read_config",
]
