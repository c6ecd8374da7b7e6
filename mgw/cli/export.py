"""`mgw export`: models for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_models

app = typer.Typer(help="Write models for other programs.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def export() -> None:
    """Write models for other programs."""


@app.command(short_help="Write the scoring graph of the model in use for ONNX Runtime.")
def onnx(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write, for example scoring.onnx.", dir_okay=False)],
    json: Json = False,
) -> None:
    """Write the scoring graph of the model in use, with adapters as inputs, for ONNX Runtime.

    Without an adapter it gives the base scores back. A user's adapter is written by `mgw adapters export`, as a file
    that ends in .onnx_adapter. docs/lora.md has the inputs, and a program that runs it.
    """
    from mgw.recommend.lora.scoring_graph import write_scoring_graph

    snapshot = project_models(current_project(ctx)).current()
    write_scoring_graph(file, snapshot)
    size = file.stat().st_size
    if json:
        out.json({"file": str(file), "model": snapshot.manifest.name, "size_bytes": size})
    else:
        out.print(f"{file}: the scoring graph of {snapshot.manifest.name}, {size / 1e6:.1f} MB")
