"""`mgw recommend` and `mgw similar`: the answers of the model in use."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from mgw.cli.filters import Never, Only, Region, Where, note_short, read_eligibility
from mgw.cli.options import AnyUser, At, Json, TopK
from mgw.cli.output import out
from mgw.cli.project import current_project, project_hybrid, project_models, project_session
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import LoadedSettings, Settings
    from mgw.experiments.overlay import Overlay
    from mgw.recommend.context import Context
    from mgw.recommend.eligibility import Eligibility
    from mgw.recommend.hybrid import Answer, Hybrid, Recommended
    from mgw.recommend.titles import Title

_BECAUSE = "because you watched"

Mood: TypeAlias = Literal[
    "happy", "sad", "relaxed", "excited", "scared", "thoughtful", "adventurous", "romantic"
]  # fmt: skip
TimeOfDay: TypeAlias = Literal["night", "morning", "afternoon", "evening"]
Device: TypeAlias = Literal["tv", "phone", "tablet", "desktop"]


class Company(StrEnum):
    """Who watches too; all four are as `mgw.recommend.context` has them, and a test holds them together."""

    CHILDREN = "children"
    FAMILY = "family"
    PARTNER = "partner"
    FRIENDS = "friends"


def recommend(
    ctx: typer.Context,
    user: AnyUser = None,
    everyone: Annotated[bool, typer.Option("--all", help="For every user, into the file that --out names.")] = False,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="With --all: file to write, .parquet, .csv or .jsonl.")
    ] = None,
    top_k: TopK = None,
    exclude_watched: Annotated[
        bool | None,
        typer.Option(
            "--exclude-watched/--include-watched",
            help="Titles that the user has met. [recommend.exclude_watched]",
            show_default=False,
        ),
    ] = None,
    only: Only = None,
    never: Never = None,
    where: Where = None,
    region: Region = None,
    at: At = None,
    mood: Annotated[Mood | None, typer.Option(help="What the user is in the mood for.")] = None,
    time_of_day: Annotated[TimeOfDay | None, typer.Option(help="When it is for the user.")] = None,
    device: Annotated[Device | None, typer.Option(help="What the user watches on.")] = None,
    company: Annotated[list[Company] | None, typer.Option("--with", help="Who watches too; may be repeated.")] = None,
    genres: Annotated[
        list[str] | None, typer.Option("--genre", help="What a new user says to like; may be repeated.")
    ] = None,
    diversity_threshold: Annotated[
        float | None, typer.Option(help="0 ranks by score alone, 1 by unlikeness. [diversity.threshold]")
    ] = None,
    adapter: Annotated[
        bool | None,
        typer.Option("--adapter/--no-adapter", help="The user's adapter. [lora.strength]", show_default=False),
    ] = None,
    variant: Annotated[
        str | None, typer.Option(help="As a variant of an experiment would, EXPERIMENT:VARIANT; nothing is logged.")
    ] = None,
    json: Json = False,
) -> None:
    """Recommend titles to a user, with the watched titles that speak for each; or to everybody, into a file.

    For a user all sources are asked: what people with the same titles watch, what is like the titles watched, shared
    genres and people and similar users, the moment, and the user's adapter. A user of whom nothing is known gets what
    is watched these days, and the output says so. Titles that are not available are left out. --all is by the ALS model
    alone.
    """
    from mgw.recommend.context import Context

    loaded = current_project(
        ctx,
        recommend__top_k=top_k,
        recommend__exclude_watched=exclude_watched,
        recommend__where=where,
        recommend__region=region,
        diversity__threshold=diversity_threshold,
        lora__strength=0.0 if adapter is False else None,
    )

    def eligibility(connection: Connection[TupleRow]) -> Eligibility:
        return read_eligibility(connection, loaded.settings.recommend, only=only, never=never, at=at)

    if everyone or to is not None:
        if user is not None or not everyone or to is None:
            raise UsageInvalid("--all and --out belong together, without a user", hint="--all --out recs.parquet")
        if mood or time_of_day or device or company or genres or (diversity_threshold, adapter, variant) != (None,) * 3:
            raise UsageInvalid(
                "--all takes no moment, no diversity, no adapter and no variant", hint="name a user for these"
            )
        _recommend_everyone(loaded, to, eligibility, json=json)
        return
    if user is None:
        raise UsageInvalid("a user is missing", hint="name one, or all with --all --out recs.parquet")
    context = Context(time_of_day, device, mood, tuple(str(each) for each in company or ()))
    with project_session(loaded) as connection:
        config = _variant_config(connection, variant)
        loaded = replace(loaded, settings=config.over(loaded.settings))
        hybrid = project_hybrid(loaded, config.model)
        eligible = eligibility(connection)
        show_recommendations(hybrid, connection, user, loaded.settings, eligible, context, genres or [], json=json)


def _variant_config(connection: Connection[TupleRow], variant: str | None) -> Overlay:
    """Find what a variant lays over the settings; nothing where there is none.

    Raises:
        ExperimentUnknown: there is no such experiment, or no such variant of it.
    """
    from mgw.core.errors import ExperimentUnknown
    from mgw.experiments.overlay import Overlay
    from mgw.experiments.store import load_experiment

    if variant is None:
        return Overlay()
    experiment, _, name = variant.partition(":")
    definition = load_experiment(connection, experiment).definition
    position = definition.position(name)
    if position is None:
        names = ", ".join(f"{experiment}:{each.name}" for each in definition.variants)
        raise ExperimentUnknown(f"{experiment} has no variant {name!r}", hint=f"one of {names}")
    return definition.variants[position].config


def _recommend_everyone(
    loaded: LoadedSettings, path: Path, eligibility: Callable[[Connection[TupleRow]], Eligibility], *, json: bool
) -> None:
    from mgw.recommend.everyone import recommend_everyone
    from mgw.recommend.listing import require_format, write_lists
    from mgw.recommend.source import read_training_data

    require_format(path)
    snapshot = project_models(loaded).current()
    began = time.perf_counter()
    with project_session(loaded) as connection:
        eligible = eligibility(connection)
        connection.commit()
        data = read_training_data(connection)
    settings = loaded.settings
    with out.progress() as progress:
        lists = recommend_everyone(
            data,
            snapshot,
            settings.recommend.top_k,
            eligibility=eligible,
            threads=settings.threads,
            progress=progress,
        )
        rows = write_lists(path, lists)
    seconds, users, name = time.perf_counter() - began, len(data.user_ids), snapshot.manifest.name
    if json:
        out.json({"file": str(path), "users": users, "rows": rows, "model": name, "duration_s": seconds})
    else:
        out.print(f"{path}: {rows:,} recommendations to {users:,} users, by {name}, in {seconds:.1f} s")


def show_recommendations(
    hybrid: Hybrid,
    connection: Connection[TupleRow],
    user: str,
    settings: Settings,
    eligibility: Eligibility,
    context: Context,
    stated_genres: Sequence[str] = (),
    *,
    json: bool,
) -> None:
    """Ask the pipeline for a user and print its answer."""
    import numpy as np

    from mgw.recommend.titles import read_titles

    top_k = settings.recommend.top_k
    answer = hybrid.recommend(
        connection, user, top_k, context=context, stated_genres=stated_genres, eligibility=eligibility,
        rng=np.random.default_rng(),
    )  # fmt: skip
    found = answer.recommendations
    titles = read_titles(connection, [entry.content_id for entry in found])
    if json:
        out.json(
            {
                "user_id": user,
                "known_user": answer.known_user,
                "recommendations": [_entry(entry, titles.get(entry.content_id)) for entry in found],
                "intra_list_similarity": answer.similarity,
                "generated_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "model": answer.model,
            }
        )
        return
    if cold := _why_cold(user, answer):
        out.note(cold)
    note_short(len(found), top_k)
    why = _BECAUSE if all(entry.based_on for entry in found) else "why"
    rows = [
        (place, entry.content_id, _name(titles.get(entry.content_id), entry.content_id),
         _genres(titles.get(entry.content_id)), f"{entry.confidence:.3f}", entry.explanation.removeprefix(why).strip())
        for place, entry in enumerate(found, start=1)
    ]  # fmt: skip
    out.table(f"For user {user}, by {answer.model}", [">", "id", "title", "genres", ">score", why], rows)


def similar(
    ctx: typer.Context,
    content: Annotated[str, typer.Argument(help="Id of the title, as it was imported.")],
    top_k: TopK = None,
    only: Only = None,
    never: Never = None,
    where: Where = None,
    region: Region = None,
    at: At = None,
    json: Json = False,
) -> None:
    """Show the titles whose viewers are most like those of another."""
    from mgw.recommend.recommender import Recommender
    from mgw.recommend.titles import nearest_titles, read_titles

    loaded = current_project(ctx, recommend__top_k=top_k, recommend__where=where, recommend__region=region)
    recommender = Recommender(project_models(loaded).current())
    with project_session(loaded) as connection:
        if content not in read_titles(connection, [content]):
            raise nearest_titles(connection, content)
        eligible = read_eligibility(connection, loaded.settings.recommend, only=only, never=never, at=at)
        found = recommender.similar(content, loaded.settings.recommend.top_k, eligibility=eligible)
        titles = read_titles(connection, [content, *(entry.content_id for entry in found)])
    if json:
        out.json(
            {
                "content_id": content,
                "similar_content": [
                    {**_title(titles.get(entry.content_id), entry.content_id), "similarity": entry.similarity}
                    for entry in found
                ],
                "model": recommender.snapshot.manifest.name,
            }
        )
        return
    note_short(len(found), loaded.settings.recommend.top_k)
    rows = [
        (place, entry.content_id, _name(titles.get(entry.content_id), entry.content_id),
         _genres(titles.get(entry.content_id)), f"{entry.similarity:.3f}")
        for place, entry in enumerate(found, start=1)
    ]  # fmt: skip
    heading = f"Like {_name(titles.get(content), content)}, by {recommender.snapshot.manifest.name}"
    out.table(heading, [">", "id", "title", "genres", ">similarity"], rows)


def _why_cold(user: str, answer: Answer) -> str | None:
    if not answer.known_user:
        return f"there is no user {user}: these are the titles that are watched these days"
    if answer.recommendations and answer.recommendations[0].type == "cold_start":
        return f"too little is known of user {user}: these are the titles that are watched these days"
    return None


def _entry(entry: Recommended, title: Title | None) -> dict[str, Any]:
    return {
        **_title(title, entry.content_id),
        "confidence_score": entry.confidence,
        "recommendation_type": str(entry.type),
        "based_on": list(entry.based_on),
        "explanation": entry.explanation,
        "components": dict(entry.components),
        "propensity": entry.propensity,
    }


def _title(title: Title | None, content_id: str) -> dict[str, Any]:
    return {
        "content_id": content_id,
        "title": title.title if title else None,
        "year": title.year if title else None,
        "genres": list(title.genres) if title else [],
    }


def _name(title: Title | None, content_id: str) -> str:
    if title is None:
        return f"{content_id} (no longer in the catalogue)"
    return f"{title.title} ({title.year})" if title.year else title.title


def _genres(title: Title | None) -> str:
    return ", ".join(title.genres) if title else ""
