"""`mgw demo`: from nothing to recommendations in one command, on generated data."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from mgw.cli.evaluate import show_evaluation
from mgw.cli.filters import read_eligibility
from mgw.cli.imports import record_import, show_report
from mgw.cli.init import FILE_NAME, write_configuration
from mgw.cli.output import out
from mgw.cli.project import note_change, project_models, project_session, title_shelf
from mgw.cli.recommend import show_recommendations
from mgw.cli.train import show_training
from mgw.core.changes import Action
from mgw.core.settings import load_settings

USER = "u00042"
TITLE = "t0007"


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder of the demonstration's project.")] = Path("mgw-demo"),
    full: Annotated[
        bool,
        typer.Option("--full", help="Go on: adapters, an experiment, a gateway, requests, another model, the end."),
    ] = False,
) -> None:
    """Set up a project with sample data, train, evaluate, recommend.

    Everything lies in the folder, also the database, unless the folder's own mgw.yaml names another; the environment
    does not count. Run again, it goes over the same ground with the same result.
    """
    from mgw.ingest.sample import SampleSize
    from mgw.ingest.sampling import load_sample
    from mgw.recommend.comparison import compare_with_baselines
    from mgw.recommend.context import NO_CONTEXT
    from mgw.recommend.hybrid import Hybrid
    from mgw.recommend.source import read_training_data
    from mgw.recommend.split import choose_split
    from mgw.recommend.training import train_als

    if not (folder / FILE_NAME).exists():
        write_configuration(folder, force=False)
    # The environment may point at somebody's own database, which sample data has no business in.
    loaded = load_settings(config=folder / FILE_NAME, environ={})
    with project_session(loaded) as connection:
        _heading("A catalogue and two years of viewing, in the embedded PostgreSQL")
        with out.progress() as progress:
            report = load_sample(connection, SampleSize(), seed=0, progress=progress)
        record_import(connection, "sample", "seed 0", report)
        connection.commit()
        show_report(report, json=False)

        _heading("Training")
        began = time.perf_counter()
        data = read_training_data(connection)
        with out.progress() as progress:
            shelf = title_shelf(connection, data, loaded, progress)
            features = shelf.catalogue.features if loaded.settings.als.content_features else None
            snapshot = train_als(
                data,
                project_models(loaded),
                loaded.settings.als,
                threads=loaded.settings.threads,
                progress=progress,
                features=features,
                shelf=shelf,
            )
        name = snapshot.manifest.name
        note_change(loaded, Action.MODEL_TRAINED, "model", name, after=name)
        show_training(snapshot, time.perf_counter() - began, json=False)

        _heading("Is it better than recommending what is popular?")
        with out.progress() as progress:
            split = choose_split(data.events, loaded.settings.evaluate)
            evaluation = compare_with_baselines(split, loaded.settings, progress, features)
        show_evaluation(evaluation)

        _heading("Ten titles for one user, and why")
        eligible = read_eligibility(connection, loaded.settings.recommend)
        hybrid = Hybrid(snapshot, loaded.settings)
        show_recommendations(hybrid, connection, USER, loaded.settings, eligible, NO_CONTEXT, json=False)
    if full:
        from mgw.cli.demo_project import prepare
        from mgw.cli.demo_tour import tour
        from mgw.core.listeners import free_ports

        tour(prepare(folder.resolve(), *free_ports(3)))
    _heading("Next")
    for arguments in (f"recommend {USER} --json", f"similar {TITLE}", "doctor"):
        out.print(f"  cd {shlex.quote(str(folder))} && {_program()} {arguments}")


def _heading(text: str) -> None:
    out.print(f"\n== {text} ==\n")


def _program() -> str:
    """Name this program as the user can call it from another folder."""
    called = Path(sys.argv[0])
    on_path = any(Path(folder, "mgw").is_file() for folder in os.get_exec_path())
    return "mgw" if on_path or called.name != "mgw" else shlex.quote(str(called.resolve()))
