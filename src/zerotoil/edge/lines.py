"""Where in a person's files a key was written: the inventory, or group_data. Reads files; never runs them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.model.inventory import Problem


def located(problem: Problem, inventory: Path) -> Problem:
    """The problem with FILE:LINE in its source, where the key can be found."""
    for path, line in _places(problem, inventory):
        return replace(problem, source=f"{problem.source}, {path}:{line}")
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
    lines = _shared(problem.key, _tree(inventory))
    if len(lines) == 1:
        yield inventory, lines.pop()


def _shared(key: str, tree: ast.AST) -> set[int]:
    """Lines where the key stands in a dict that is no host's own: in a variable, a function, a loop."""
    own = {id(node.elts[-1]) for node in ast.walk(tree) if isinstance(node, ast.Tuple) and _host_of(node)}
    dicts = [node for node in ast.walk(tree) if isinstance(node, ast.Dict) and id(node) not in own]
    return {name.lineno for found in dicts for name in found.keys if isinstance(name, ast.Constant) and name.value == key}


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
    for group in _groups(inventory):
        if name := _host_of(group.value):
            given = ast.unparse(group.targets[0])
            return f"{inventory}:{group.lineno}: {given} is one host, not a list", f'write {given} = [("{name}", {{…}})]'
    for node in ast.walk(_tree(inventory)):
        if isinstance(node, ast.Tuple) and _host_of(node) and not _has_data(node):
            name = _host_of(node)
            return f"{inventory}:{node.lineno}: the data of {name} is no dict", f'write ("{name}", {{"KEY": value}})'
    return None


def repeated(inventory: Path) -> Iterator[Problem]:
    """Hosts with data in two places, and keys twice in one dict: Python and pyinfra silently take the last."""
    seen: dict[str, int] = {}
    for host, line, data in _hosts(inventory):
        first = seen.setdefault(host, line)
        if first != line:
            what = f"declared twice, first in line {first}; the data of both would be mixed, so give each its own name"
            yield Problem(host, "host", f"{inventory}:{line}", what, code=Code.WRITTEN_TWICE)
        lines: dict[str, int] = {}
        for key in data.keys:
            if isinstance(key, ast.Constant) and lines.setdefault(str(key.value), key.lineno) != key.lineno:
                what = f"written twice, first in line {lines[str(key.value)]}; the last would win, so remove one"
                yield Problem(host, str(key.value), f"host data, {inventory}:{key.lineno}", what, code=Code.WRITTEN_TWICE)


def left_out(inventory: Path, known: Iterable[str]) -> Iterator[Problem]:
    """Hosts with data that the inventory does not have: where there is an `all`, pyinfra takes only its hosts."""
    names = set(known)
    for host, line, _data in _hosts(inventory):
        if host not in names:
            yield Problem(
                host,
                "host",
                f"{inventory}:{line}",
                f'declared, but missing from `all`; add "@vm/{host}" there',
                code=Code.INVENTORY_MISREAD,
            )


def _groups(inventory: Path) -> list[ast.Assign]:
    """What pyinfra reads as groups: names of the module itself; those that start with "_" are the owner's."""
    body = getattr(_tree(inventory), "body", [])
    return [node for node in body if isinstance(node, ast.Assign) and not ast.unparse(node.targets[0]).startswith("_")]


def _hosts(inventory: Path) -> Iterator[tuple[str, int, ast.Dict]]:
    """(host, line, data) of every `("@vm/HOST", {…})` in a group."""
    for group in _groups(inventory):
        for node in ast.walk(group.value):
            if isinstance(node, ast.Tuple) and (name := _host_of(node)) and isinstance(node.elts[-1], ast.Dict):
                yield name.rpartition("/")[2], node.lineno, node.elts[-1]


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
