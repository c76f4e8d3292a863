"""`zerotoil init`: a first inventory, from flags or answers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from zerotoil.setup.questions import QUESTIONS, Answers, Question


def _flags(command: Callable[..., Any]) -> Callable[..., Any]:
    for question in reversed(QUESTIONS):
        command = click.option(question.flag, question.name, help=question.text + ".")(command)
    return command


@click.command()
@click.option(
    "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Where to write; default: here."
)
@_flags
def init(directory: Path, **given: str | None) -> None:
    """Write a first inventory that validates, and the deploy that makes it true.

    A terminal is asked for what no flag says. Nothing that exists is overwritten.
    """
    from zerotoil.setup import Declaration, complete, write

    answers = complete(given, _ask if sys.stdin.isatty() else None)
    declaration = Declaration.of(answers)
    declaration.check()
    for name in write(declaration, directory):
        click.echo(f"written: {directory / name}")
    click.echo("\nNext:")
    if directory != Path():
        click.echo(f"  cd {shlex.quote(str(directory))}")
    click.echo("  zerotoil check inventory/lab.py     is it right?")
    click.echo("  zerotoil doctor inventory/lab.py    what is missing, here and on the servers")
    click.echo("  zerotoil plan inventory/lab.py      what a deploy would do")


def _ask(question: Question, default: str | None, answers: Answers) -> str:
    """Ask until the answer is right by itself and with the answers before it."""
    from zerotoil.setup.declaration import wrong

    def judged(text: str) -> str:
        if problem := wrong({**answers, question.name: text.strip()}, question.key):
            raise click.BadParameter(problem)
        return text.strip()

    answer: str = click.prompt(question.text, default=default, value_proc=judged, show_default=bool(default))
    return answer
