"""`mgw config`: what applies, where it comes from, and whether it is fine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from msgspec import Struct

from mgw.cli.options import Json, OutFile
from mgw.cli.output import out
from mgw.cli.project import current_project
from mgw.core.settings import keys, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.core.settings import LoadedSettings, Source

app = typer.Typer(help="Show and check the configuration.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def show(ctx: typer.Context, json: Json = False) -> None:
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
def check(ctx: typer.Context, json: Json = False) -> None:
    """Check the configuration and list every fault.

    Exit code 2 if there is any.
    """
    loaded = current_project(ctx)
    if json:
        out.json({"file": str(loaded.file) if loaded.file else None, "warnings": list(loaded.warnings)})
        return
    out.print(f"{loaded.file}: fine" if loaded.file else "no configuration file; the defaults apply: fine")


@app.command(short_help="Write a JSON Schema, with which editors complete keys.")
def schema(
    kind: Annotated[Literal["settings", "gateway", "experiment"], typer.Argument(help="Of which file.")] = "settings",
    to: OutFile = None,
) -> None:
    """Write a JSON Schema, with which editors complete keys and say what each is for.

    An editor that knows the YAML language server takes it from the first line of a file:
    `# yaml-language-server: $schema=mgw.schema.json`.
    """
    import json

    from mgw.core.files import write_atomic

    text = json.dumps(json_schema(kind), indent=2, ensure_ascii=False)
    if to is None:
        out.print(text)
        return
    write_atomic(to, f"{text}\n".encode())
    out.print(f"{to} written")


def json_schema(kind: Literal["settings", "gateway", "experiment"]) -> dict[str, Any]:
    """Return the schema of a kind of file."""
    from mgw.core.settings.json_schema import schema_of
    from mgw.core.settings.schema import Settings
    from mgw.experiments.definition import Definition
    from mgw.gateway.definition import Gateway

    structs: dict[str, tuple[type[Struct], str]] = {
        "settings": (Settings, "mgw.yaml"),
        "gateway": (Gateway, "gateway.yaml"),
        "experiment": (Definition, "an experiment of mgw"),
    }
    return schema_of(*structs[kind])


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
