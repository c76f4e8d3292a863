"""Where in a person's files a key was written: the inventory, or group_data. Reads files; never runs them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from zerotoil.model.inventory import Problem


def located(problem: Problem, inventory: Path) -> Problem:
    """The problem with FILE:LINE in its source, where the key can be found."""
    for path, line in _places(problem, inventory):
        return Problem(problem.host, problem.key, f"{problem.source}, {path}:{line}", problem.what)
    return problem


def _places(problem: Problem, inventory: Path) -> Iterator[tuple[Path, int]]:
    if problem.source == "host data":
        dicts = _dicts_of(problem.host, _tree(inventory))
    elif problem.source.startswith("group "):
        group = problem.source.removeprefix("group ").strip("'")
        for folder in (inventory.parent / "group_data", Path("group_data")):
            path = folder / f"{group}.py"
            yield from ((path, line) for line in _assignments(problem.key, _tree(path)))
        dicts = _dicts_of_group(group, _tree(inventory))
    else:
        return
    for found in dicts:
        for key in found.keys:
            if isinstance(key, ast.Constant) and key.value == problem.key:
                yield inventory, key.lineno


def _tree(path: Path) -> ast.AST:
    try:
        return ast.parse(path.read_text())
    except (OSError, SyntaxError):
        return ast.Module([], [])


def _dicts_of(host: str, tree: ast.AST) -> Iterator[ast.Dict]:
    """The data in `("@vm/HOST", {…})`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            name, data = node.elts
            if isinstance(name, ast.Constant) and str(name.value).rpartition("/")[2] == host and isinstance(data, ast.Dict):
                yield data


def _dicts_of_group(group: str, tree: ast.AST) -> Iterator[ast.Dict]:
    """The data in `GROUP = ([…], {…})`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
            continue
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if group in names and isinstance(node.value.elts[-1], ast.Dict):
            yield node.value.elts[-1]


def _assignments(key: str, tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == key for t in node.targets):
            yield node.lineno
