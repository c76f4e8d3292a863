"""The `zerotoil` command. Subcommands are imported when they are called, so that --help answers at once."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from typing import Any, NoReturn

import click

from zerotoil import __version__
from zerotoil.error_codes import Code
from zerotoil.errors import LabError, coded

_COMMANDS = {
    "adopt": ("zerotoil.cli.adopt", "Write the inventory of a lab that exists; changes nothing."),
    "apply": ("zerotoil.cli.apply", "Show the plan, ask once, make it so."),
    "check": ("zerotoil.cli.check", "What is wrong with an inventory, without a lab in reach."),
    "delete-data": ("zerotoil.cli.delete_data", "Delete a volume of a host for good; asks for its name."),
    "destroy": ("zerotoil.cli.destroy", "Remove a host's VM; its data stays on the NAS."),
    "doctor": ("zerotoil.cli.doctor", "What is missing here and on the servers, and the command that fixes each."),
    "explain": ("zerotoil.cli.explain", "What a code in square brackets means, and what to do about it."),
    "image": ("zerotoil.cli.image", "The hosts' OS as an image of your own: build, push, compare."),
    "init": ("zerotoil.cli.init", "Write a first inventory, from flags or answers."),
    "k3s": ("zerotoil.cli.k3s", "A cluster: its nodes, Plans and jobs; its kubeconfig."),
    "lab": ("zerotoil.cli.lab", "The embedded lab: up, status, down, reset, console."),
    "migrate": ("zerotoil.cli.migrate", "Give a host another OS under the same data, or go back."),
    "notify": ("zerotoil.cli.notify", "Send a test message by every path that is declared."),
    "os": ("zerotoil.cli.os_updates", "A host's OS: its deployments, updates, and the way back."),
    "plan": ("zerotoil.cli.plan", "What a deploy would change, field by field. Writes nothing."),
    "rebuild": ("zerotoil.cli.rebuild", "Give a host a new OS disk; its data stays."),
    "release": ("zerotoil.cli.release", "Let an app's images move again that were put back after an update."),
    "restore": ("zerotoil.cli.restore", "Look at a snapshot of a host's data beside its data."),
    "snapshot": ("zerotoil.cli.snapshot", "Take a snapshot of a host's data now."),
    "snapshots": ("zerotoil.cli.snapshots", "A host's snapshots: age, size, where each comes from."),
    "ssh": ("zerotoil.cli.ssh", "Log in to a host with the keys and addresses of the deploy."),
    "status": ("zerotoil.cli.status", "What runs where, in one table."),
    "timeline": ("zerotoil.cli.timeline", "What happened to a host, newest first: snapshots, updates, reboots."),
    "undo": ("zerotoil.cli.undo", "Take a host's data and its images back to a snapshot; the present is kept."),
    "updates": ("zerotoil.cli.updates", "What is outdated, and why it has not moved."),
}


class _Lazy(click.Group):
    """Lists commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[name][0]), name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in sorted(_COMMANDS)])


@click.command(cls=_Lazy)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """A homelab that needs no Sundays: one pyinfra inventory declares it, `pyinfra … deploys/full.py` keeps it so."""
    global _debug
    _debug = debug


_debug = False
INTERRUPTED = 130  # what a shell reports for Ctrl-C


def main(arguments: list[str] | None = None) -> Any:
    """Entry point: an expected failure is one line and exit 1, a wrong line too (a plan's 2 means changes), Ctrl-C is 130."""
    gc.set_threshold(50_000, 20, 20)  # a short life with many objects: collecting after each 700 took a tenth of a plan
    try:
        sys.exit(cli.main(arguments, prog_name="zerotoil", standalone_mode=False))
    except (click.ClickException, click.Abort) as error:
        _end(error)
    except LabError as error:
        if _debug:
            raise
        click.echo(error.shown, err=True)
        sys.exit(1)
    except SystemExit:
        gc.freeze()  # nothing is left to do, and going through all objects once more takes a while
        raise
    except Exception as error:  # ours to mend, but nobody should have to read a traceback to say so
        if _debug:
            raise
        said = f"zerotoil failed ({type(error).__name__}: {error}): run again with --debug and report what it prints"
        click.echo(coded(said, Code.INTERNAL), err=True)
        sys.exit(1)


def _end(error: click.ClickException | click.Abort) -> NoReturn:
    """Of a line that cannot be understood, of a question that was answered with no, and of Ctrl-C."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
    elif isinstance(error, click.ClickException):
        if isinstance(error, click.UsageError) and error.ctx:
            click.echo(error.ctx.get_usage(), err=True)
        click.echo(coded(error.format_message(), Code.WRONG_OPTION), err=True)
    elif isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        try:
            atexit._run_exitfuncs()  # connections are closed and their folder goes
            sys.stdout.flush()
        finally:
            os._exit(INTERRUPTED)  # at once: a server that does not answer would hold up the end of the threads that ask it
    else:
        click.echo("stopped", err=True)
    sys.exit(1)
