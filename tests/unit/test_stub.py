"""The stub of the compiled module says what the module has."""

import ast
import inspect
import pathlib

import pytest

import driftline
from driftline import _core

STUB = ast.parse((pathlib.Path(driftline.__file__).parent / "_core.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}


def test_same_names() -> None:
    public = {name for name in vars(_core) if not name.startswith("_")}
    assert public == {*CLASSES, *FUNCTIONS}


@pytest.mark.parametrize("name", CLASSES)
def test_same_members(name: str) -> None:
    told = {node.name for node in CLASSES[name].body if isinstance(node, ast.FunctionDef)} - {"__init__"}
    there = {member for member in vars(getattr(_core, name)) if not member.startswith("_")}
    assert {member for member in told if not member.startswith("_")} == there
    assert all(hasattr(getattr(_core, name), member) for member in told)


def same_parameters(told: ast.FunctionDef, function: object) -> None:
    there = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]  # type: ignore[arg-type]
    arguments = told.args
    positional = [a.arg for a in arguments.args if a.arg != "self"]
    assert [p.name for p in there if p.kind is not p.KEYWORD_ONLY] == positional
    assert [p.name for p in there if p.kind is p.KEYWORD_ONLY] == [a.arg for a in arguments.kwonlyargs]
    defaults = [ast.literal_eval(d) for d in [*arguments.defaults, *arguments.kw_defaults] if d is not None]
    found = [p.default for p in there if p.default is not p.empty]
    # Of an empty list the module only says that there is a default.
    assert [... if d == () else d for d in defaults] == found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_same_functions(name: str) -> None:
    same_parameters(FUNCTIONS[name], getattr(_core, name))


@pytest.mark.parametrize("name", CLASSES)
def test_same_methods(name: str) -> None:
    for node in CLASSES[name].body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
            is_property = any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list)
            if not is_property:
                same_parameters(node, getattr(getattr(_core, name), node.name))
