"""`mgw`: the commands, the options that all of them share, and the edge at which every error becomes an exit code.

Exit codes: 0 yes · 1 the answer is no · 2 usage, configuration or an unreachable service · 3 a fault of ours ·
130 interrupted · 141 the reader of our output went away.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mgw import __version__
from mgw.cli.adapters import app as adapters_app
from mgw.cli.audit import app as audit_app
from mgw.cli.check import check
from mgw.cli.config import app as config_app
from mgw.cli.db import app as db_app
from mgw.cli.demo import demo
from mgw.cli.doctor import doctor
from mgw.cli.evaluate import evaluate
from mgw.cli.experiment import app as experiment_app
from mgw.cli.explain import explain
from mgw.cli.explain_error import explain_error
from mgw.cli.export import app as export_app
from mgw.cli.gateway import app as gateway_app
from mgw.cli.gateway import token
from mgw.cli.grouped_help import GroupedCommands
from mgw.cli.imports import app as imports_app
from mgw.cli.init import init
from mgw.cli.lint import lint
from mgw.cli.metrics import app as metrics_app
from mgw.cli.models import app as models_app
from mgw.cli.output import out
from mgw.cli.prepare import prepare
from mgw.cli.profile import profile
from mgw.cli.project import RootOptions
from mgw.cli.recommend import recommend, similar
from mgw.cli.sample import sample
from mgw.cli.serve import serve
from mgw.cli.status import status
from mgw.cli.train import app as train_app
from mgw.cli.tune import app as tune_app
from mgw.cli.watch import watch
from mgw.core.errors import DiskFull, MgwError, UsageInvalid

INTERRUPTED = 130
BROKEN_PIPE = 141
FAULT_OF_OURS = 3

# Typer has no public name for the base of its errors, which was click's until Typer took click in.
_UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="mgw",
    cls=GroupedCommands,
    help="A toolkit for a film and television platform: its data, its recommendations, and what keeps them honest.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"mgw {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Configuration file. Default: mgw.yaml here or in a parent folder."
        ),
    ] = None,
    _wants_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    ctx.obj = RootOptions(config=config)


app.command(short_help="Sample data, a model, and what it recommends.")(demo)
app.command(short_help="Write mgw.yaml, with every key and its default.")(init)
app.add_typer(config_app, name="config")
app.add_typer(db_app, name="db")
app.command()(sample)
app.add_typer(imports_app, name="import")
app.add_typer(train_app, name="train")
app.add_typer(tune_app, name="tune")
app.command()(evaluate)
app.command(short_help="Recommend titles to a user, with reasons.")(recommend)
app.command(short_help="Show titles that are watched by the same users.")(similar)
app.command(short_help="Show what is made of a user's events.")(profile)
app.add_typer(models_app, name="models")
app.add_typer(adapters_app, name="adapters")
app.add_typer(export_app, name="export")
app.add_typer(experiment_app, name="experiment", short_help="Compare variants of the recommendations.")
app.add_typer(gateway_app, name="gateway")
app.command(short_help="Make a token for development.")(token)
app.command(short_help="Answer over HTTP, behind a gateway.")(serve)
app.add_typer(audit_app, name="audit")
app.add_typer(metrics_app, name="metrics")
app.command(short_help="Describe every query, and keep the descriptions.")(prepare)
app.command(short_help="Prove that queries and accessors are current.")(check)
app.command(short_help="Find faults in SQL, callers, routes, experiments.")(lint)
app.command(short_help="Show what a query takes and gives, and why.")(explain)
app.command(short_help="Describe each query when it is saved.")(watch)
app.command("explain-error")(explain_error)
app.command(short_help="Show how everything stands, on one screen.")(status)
app.command(short_help="Say how to mend what is wrong.")(doctor)


def main() -> None:
    """Run the command line and exit; the outermost edge, where errors become messages and exit codes."""
    _let_any_text_through()
    try:
        code = _run()
        sys.stdout.flush()  # here, where a reader that went away can still be told apart
    except MgwError as error:
        out.error(error)
        code = error.exit_code
    except KeyboardInterrupt:
        out.note("interrupted")
        code = INTERRUPTED
    except BrokenPipeError:
        _give_up_stdout()
        code = BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the outermost edge
        code = _unforeseen(error)
    sys.exit(code)


def _unforeseen(error: Exception) -> int:
    """Tell of an error that nobody translated: a fault of ours, unless it is stdout that has no room left."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
        _give_up_stdout()
        full = DiskFull("no space left to write the output", hint="free some space, or write it elsewhere")
        out.error(full)
        return full.exit_code
    out.bug()
    return FAULT_OF_OURS


def _give_up_stdout() -> None:
    """Let nobody, not even the interpreter when it flushes at exit, write to where nothing can be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run() -> int:
    """Run the command and return its exit code.

    Not by `app()`, which has answers of its own to Ctrl-C, to a broken pipe and to wrong usage.

    Raises:
        UsageInvalid: there is no such command or option, or a value does not fit.
    """
    if "_MGW_COMPLETE" in os.environ:  # the shell asks what could stand behind the cursor
        app(prog_name="mgw")
    command = typer.main.get_command(app)
    try:
        with command.make_context("mgw", sys.argv[1:]) as ctx:
            command.invoke(ctx)
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # the help, on stderr: nothing was asked
            return UsageInvalid.exit_code
        path = error.ctx.command_path if error.ctx is not None else "mgw"
        raise UsageInvalid(error.format_message(), hint=f"`{path} --help` shows what it takes") from error
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        return INTERRUPTED
    return 0


def _let_any_text_through() -> None:
    """Print what the terminal's encoding lacks as `?`: a title in Greek is no reason to fail in a C locale."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
