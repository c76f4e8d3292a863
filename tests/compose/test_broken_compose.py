"""A corpus of broken compose files, one each, and the exact lines that are said about them.

The first comments of a case are its expectation: `# expect: LINE`, where FILE is its path in a project, FILE:here the line that
ends with `# <- here` (any word will do) and line:here its number. `# NAME: LINE` after them is a line of another file of the app.
"""

import re
from pathlib import Path

import pytest

from zerotoil.error_codes import Code
from zerotoil.model.compose import AppProblems, check, lint, parse

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
FILE = "apps/app/compose.yaml"


def read(case: Path) -> tuple[str, list[str], dict[str, str]]:
    """The text, the lines that are expected, and the app's other files."""
    text = case.read_text()
    marks = {mark[1]: number for number, line in enumerate(text.splitlines(), 1) if (mark := re.search(r"# <- (\w+)$", line))}
    want, files = [], {}
    for line in text.splitlines():
        if line.startswith("# expect: "):
            line = re.sub(r"FILE:(\w+)", lambda found: f"{FILE}:{marks.get(found[1], found[1])}", line.removeprefix("# expect: "))
            want.append(re.sub(r"line:(\w+)", lambda found: f"line {marks[found[1]]}", line))
        elif other := re.match(r"# ([\w.]+): (.*)", line):
            files[other[1]] = files.get(other[1], "") + other[2] + "\n"
        else:
            break
    return text, want, files


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_broken_compose_file_is_told_what_would_be_right(case: Path) -> None:
    text, want, files = read(case)
    assert want, "a case begins with # expect: lines"
    _, found = check("app", text, files=files)
    said = [finding.shown for finding in found]
    assert said == want, "\n".join(["said:", *said, "expected:", *want])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_nobody_gets_past_parse_and_lint(case: Path) -> None:
    """What cannot be read is refused by parse; what may not be, by lint; together they say the same."""
    text, want, files = read(case)
    try:
        found = lint(parse("app", text, files=files))
    except AppProblems as error:
        found = error.found
        assert error.shown == "\n".join(finding.shown for finding in found)
        assert error.code is found[0].code
    assert found
    assert {finding.shown for finding in found} <= set(want)


def test_the_corpus_is_large_and_every_code_of_one_app_is_in_it() -> None:
    assert len(CASES) >= 100
    said = " ".join(line for case in CASES for line in read(case)[1])
    for code in Code:
        if "ZT130" <= code <= "ZT135":
            assert f"[{code}]" in said, code


def test_a_secret_is_never_repeated() -> None:
    for case in CASES:
        text, _, files = read(case)
        for finding in check("app", text, files=files)[1]:
            for secret in ("hunter2", "s3cr3t", "5ca1ab1e", "ghp_", "abcdef"):
                assert secret not in str(finding)
