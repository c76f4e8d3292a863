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


def misshapen(inventory: Path) -> tuple[str, str] | None:
    """(what, remedy) where the file's own text shows a host that pyinfra would misread; None where all looks right."""
    tree = _tree(inventory)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _host_of(node.value):
            name, group = _host_of(node.value), ast.unparse(node.targets[0])
            return f"{inventory}:{node.lineno}: {group} is one host, not a list", f'write {group} = [("{name}", {{…}})]'
        if isinstance(node, ast.Tuple) and _host_of(node) and not _has_data(node):
            name = _host_of(node)
            return f"{inventory}:{node.lineno}: the data of {name} is no dict", f'write ("{name}", {{"KEY": value}})'
    return None


def repeated(inventory: Path) -> Iterator[Problem]:
    """Hosts with data in two places, and keys twice in one dict: Python and pyinfra silently take the last."""
    seen: dict[str, int] = {}
    for node in ast.walk(_tree(inventory)):
        if not (isinstance(node, ast.Tuple) and (name := _host_of(node)) and isinstance(node.elts[-1], ast.Dict)):
            continue
        host = name.rpartition("/")[2]
        first = seen.setdefault(host, node.lineno)
        if first != node.lineno:
            what = f"declared twice, first in line {first}; the data of both would be mixed, so give each its own name"
            yield Problem(host, "host", f"{inventory}:{node.lineno}", what)
        lines: dict[str, int] = {}
        for key in node.elts[-1].keys:
            if isinstance(key, ast.Constant) and lines.setdefault(str(key.value), key.lineno) != key.lineno:
                what = f"written twice, first in line {lines[str(key.value)]}; the last would win, so remove one"
                yield Problem(host, str(key.value), f"host data, {inventory}:{key.lineno}", what)


def _host_of(node: ast.AST) -> str:
    """ "@vm/HOST" of `("@vm/HOST", …)`; empty for anything else."""
    if isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Constant):
        name = node.elts[0].value
        return name if isinstance(name, str) and name.startswith("@vm/") else ""
    return ""


def _has_data(node: ast.Tuple) -> bool:
    """May the second half be a dict? Names and calls may; literals of another kind may not. A list of hosts has none."""
    if all(isinstance(part, ast.Constant) and str(part.value).startswith("@") for part in node.elts) and len(node.elts) > 1:
        return True  # hosts = "@vm/a", "@vm/b"
    return len(node.elts) == 2 and not isinstance(node.elts[1], ast.Constant | ast.List | ast.Set | ast.Tuple)
