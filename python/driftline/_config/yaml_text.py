"""YAML as plain data with the line of every key.

Plain scalars are read by the core schema of YAML 1.2, as editors do: `no`, `on`, `2024-01-01` and `1:30` are text.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from driftline._config.mistakes import Mistake, Where, dotted
from driftline._format import shown

__all__ = ["YamlError", "read_yaml"]

MOST_VALUES: Final = 200_000
"""Aliases repeat what they name, so that a small file can stand for more than fits in memory."""

TAG: Final = "tag:yaml.org,2002:"

HINTS: Final = {
    "'\\t'": "indent with spaces, not with tabs",
    "mapping values are not allowed here": "put a value that has a colon in quotes, and align keys of one mapping",
    "scanning an alias": "put a value that begins with * in quotes",
    "undefined alias": "put a value that begins with * in quotes",
    "scanning an anchor": "put a value that begins with & in quotes",
    "cannot start any token": "put the value in quotes",
    "single document": "keep one document, without a line of ---",
}


class YamlError(ValueError):
    """Text that is no YAML, or too much of it."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  # PyYAML adds to it.


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
):
    _Loader.add_implicit_resolver(TAG + _kind, re.compile(rf"(?:{_pattern})\Z"), _first)


def read_yaml(text: str) -> tuple[Any, dict[Where, int], list[Mistake]]:
    """The values, the line of each key, and what is wrong with keys and tags.

    Raises:
        YamlError: The text is no YAML, or too much of it.
    """
    try:
        root = yaml.compose(text, _Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(f"the character U+{ord(text[error.position]):04X} is not allowed: remove it", line) from None
    except yaml.MarkedYAMLError as error:
        raise YamlError(_told(error), None if error.problem_mark is None else error.problem_mark.line + 1) from None
    except RecursionError:
        raise YamlError("values are nested too deeply") from None
    reading = _Reading()
    value = None if root is None else reading.value(root, ())
    return value, reading.lines, reading.mistakes


def _told(error: yaml.MarkedYAMLError) -> str:
    """PyYAML's words, and what to do."""
    problem = " ".join(filter(None, (error.context, error.problem)))
    hint = next((hint for sign, hint in HINTS.items() if sign in problem), None)
    text = shown(str(error.problem or error.context), 100)
    return f"not YAML: {text}" if hint is None else f"not YAML: {text}: {hint}"


class _Reading:
    """One walk from nodes to values."""

    def __init__(self) -> None:
        self.lines: dict[Where, int] = {}
        self.mistakes: list[Mistake] = []
        self._open: set[int] = set()
        self._values = 0

    def value(self, node: yaml.Node, where: Where) -> Any:
        line = node.start_mark.line + 1
        self._values += 1
        if self._values > MOST_VALUES:
            raise YamlError(f"holds more than {MOST_VALUES:,} values, those that aliases repeat included", line)
        if id(node) in self._open:
            raise YamlError(f"{dotted(where)} holds itself: write the value instead of an alias", line)
        if where:
            self.lines.setdefault(where, line)
        self._open.add(id(node))
        try:
            match node:
                case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                    return dict(self._pairs(node, where))
                case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                    return [self.value(item, (*where, i)) for i, item in enumerate(node.value)]
                case yaml.ScalarNode():
                    return self._scalar(node, where)
            return self._refuse_tag(node, where)
        except RecursionError:
            raise YamlError("values are nested too deeply", line) from None
        finally:
            self._open.discard(id(node))

    def _pairs(self, node: yaml.MappingNode, where: Where) -> Iterator[tuple[str, Any]]:
        """Keys are text as it is written, so that columns may be called `no` or `1`."""
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.lines[(*where, "?")] = line
                self.mistakes.append(Mistake((*where, "?"), "is no key: a key is text"))
                continue
            key = str(key_node.value)
            inner = (*where, key)
            if key in first:
                told = f"is there twice, in line {first[key]} and in line {line}: keep one"
                self.mistakes.append(Mistake(inner, told))
                continue
            first[key] = self.lines[inner] = line
            yield key, self.value(value_node, inner)

    def _scalar(self, node: yaml.ScalarNode, where: Where) -> Any:
        text = str(node.value)
        try:
            match node.tag.removeprefix(TAG):
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return int(text)
                case "float":
                    return float(re.sub(r"\.(?=[iInN])", "", text))
                case "str":
                    return text
        except ValueError:
            # A tag that does not fit, or more digits than Python reads.
            return text
        return self._refuse_tag(node, where)

    def _refuse_tag(self, node: yaml.Node, where: Where) -> None:
        tag = shown(node.tag.replace(TAG, "!!", 1), 40)
        self.mistakes.append(Mistake(where, f"has the tag {tag}, which is not read: write the plain value"))
