"""`mgw config`: what applies, where it comes from, and whether it is fine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project
from mgw.core.settings import keys, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.core.settings import LoadedSettings, Source

app = typer.Typer(help="Show and check the configuration.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def show(
    ctx: typer.Context,
    json: Json = False,
) -> None:
    """Show every setting, its value and where it comes from.

    Passwords are not shown.
    """
    loaded = current_project(ctx)
    if json:
        out.json(_document(loaded))
        return
    rows = [(name, _text(value), _origin(source)) for name, value, source in _shown(loaded)]
    out.table(f"Settings of the project {loaded.project}", ["key", "value", "from"], rows)


@app.command()
def check(ctx: typer.Context) -> None:
    """Check the configuration and list every fault.

    The exit code is 0 if there is none, and 2 otherwise.
    """
    loaded = current_project(ctx)
    out.print(f"{loaded.file}: fine" if loaded.file else "no configuration file; the defaults apply: fine")


def _shown(loaded: LoadedSettings) -> Iterator[tuple[str, object, Source]]:
    settings = redacted(loaded.settings)
    for name, key in keys().items():
        yield name, key.get(settings), loaded.sources[name]


def _document(loaded: LoadedSettings) -> dict[str, Any]:
    settings = {
        name: {"value": value, "source": source.kind, "where": source.where or None}
        for name, value, source in _shown(loaded)
    }
    return {
        "project": str(loaded.project),
        "file": str(loaded.file) if loaded.file else None,
        "settings": settings,
        "warnings": list(loaded.warnings),
    }


def _text(value: object) -> str:
    """Write a value as it would stand in the file, and nothing where it is not set."""
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _origin(source: Source) -> str:
    return source.where or source.kind
