"""`mgw`: the commands, the options that all of them share, and the edge at which every error becomes an exit code.

Exit codes: 0 yes · 1 the answer is no · 2 usage, configuration or an unreachable service · 3 a fault of ours ·
130 interrupted · 141 the reader of our output went away.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mgw import __version__
from mgw.cli.config import app as config_app
from mgw.cli.db import app as db_app
from mgw.cli.demo import demo
from mgw.cli.doctor import doctor
from mgw.cli.evaluate import evaluate
from mgw.cli.imports import app as imports_app
from mgw.cli.init import init
from mgw.cli.models import app as models_app
from mgw.cli.output import out
from mgw.cli.project import RootOptions
from mgw.cli.recommend import recommend, similar
from mgw.cli.sample import sample
from mgw.cli.train import app as train_app
from mgw.core.errors import MgwError

INTERRUPTED = 130
BROKEN_PIPE = 141
FAULT_OF_OURS = 3

app = typer.Typer(
    name="mgw",
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
        Path | None, typer.Option("--config", help="Configuration file. Default: mgw.yaml here or in a parent folder.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    ctx.obj = RootOptions(config=config)


app.command()(demo)
app.command()(init)
app.add_typer(config_app, name="config")
app.add_typer(db_app, name="db")
app.command()(sample)
app.add_typer(imports_app, name="import")
app.add_typer(train_app, name="train")
app.command()(evaluate)
app.command()(recommend)
app.command()(similar)
app.add_typer(models_app, name="models")
app.command()(doctor)


def main() -> None:
    """Run the command line and exit; the outermost edge, where errors become messages and exit codes."""
    try:
        app()
    except MgwError as error:
        out.error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        out.note("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone: nothing more can be printed, not even by the interpreter when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except Exception:
        out.bug()
        sys.exit(FAULT_OF_OURS)
