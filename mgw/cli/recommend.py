"""`mgw recommend` and `mgw similar`: the answers of the model in use."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgw.cli.filters import At, Never, Only, Region, Where, note_short, read_eligibility
from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_models, project_session
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import LoadedSettings, RecommendSettings
    from mgw.recommend.catalogue import Title
    from mgw.recommend.eligibility import Eligibility
    from mgw.recommend.history import History
    from mgw.recommend.recommender import Recommendation, Recommender

_BECAUSE = "because you watched"

TopK = Annotated[int | None, typer.Option("--top-k", "-k", min=1, help="How many titles. [recommend.top_k]")]


def recommend(
    ctx: typer.Context,
    user: Annotated[str | None, typer.Argument(help="Id of the user, as it was imported.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="For every user, into the file that --out names.")] = False,
    to: Annotated[
        Path | None, typer.Option("--out", help="With --all: a file that ends in .parquet, .csv or .jsonl.")
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
    json: Json = False,
) -> None:
    """Recommend titles to a user, with the watched titles that speak for each; or to everybody, into a file.

    A user of whom nothing is known gets what most people watch, and the output says so. Titles that are not available
    are left out.
    """
    from mgw.recommend.recommender import Recommender

    loaded = current_project(
        ctx,
        recommend__top_k=top_k,
        recommend__exclude_watched=exclude_watched,
        recommend__where=where,
        recommend__region=region,
    )

    def eligibility(connection: Connection[TupleRow]) -> Eligibility:
        return read_eligibility(connection, loaded.settings.recommend, only=only, never=never, at=at)

    if everyone or to is not None:
        if user is not None or not everyone or to is None:
            raise UsageInvalid("--all and --out belong together, without a user", hint="--all --out recs.parquet")
        _recommend_everyone(loaded, to, eligibility, json=json)
        return
    if user is None:
        raise UsageInvalid("a user is missing", hint="name one, or all with --all --out recs.parquet")
    recommender = Recommender(project_models(loaded).current())
    with project_session(loaded) as connection:
        eligible = eligibility(connection)
        show_recommendations(recommender, connection, user, loaded.settings.recommend, eligible, json=json)


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
        out.json({"file": str(path), "users": users, "rows": rows, "model": name, "seconds": seconds})
    else:
        out.print(f"{path}: {rows:,} recommendations to {users:,} users, by {name}, in {seconds:.1f} s")


def show_recommendations(
    recommender: Recommender,
    connection: Connection[TupleRow],
    user: str,
    settings: RecommendSettings,
    eligibility: Eligibility,
    *,
    json: bool,
) -> None:
    """Ask the recommender for a user and print its answer."""
    from mgw.recommend.catalogue import read_titles
    from mgw.recommend.history import read_history

    history = read_history(connection, user)
    found = recommender.recommend(history, settings.top_k, reasons=settings.reasons, eligibility=eligibility)
    titles = read_titles(connection, [recommendation.content_id for recommendation in found])
    model = recommender.snapshot.manifest.name
    explained = [(entry, titles.get(entry.content_id), _explanation(entry, history)) for entry in found]
    if json:
        out.json(
            {
                "user_id": user,
                "known_user": history.user_exists,
                "recommendations": [_entry(*row) for row in explained],
                "generated_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "model": model,
            }
        )
        return
    if cold := _why_cold(user, history, found):
        out.note(cold)
    note_short(len(found), settings.top_k)
    why = _BECAUSE if any(entry.based_on for entry in found) else "why"
    rows = [
        (place, entry.content_id, _name(title, entry.content_id), _genres(title), f"{entry.score:.3f}",
         explanation.removeprefix(why).strip())
        for place, (entry, title, explanation) in enumerate(explained, start=1)
    ]  # fmt: skip
    out.table(f"For user {user}, by {model}", [">", "id", "title", "genres", ">score", why], rows)


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
    from mgw.recommend.catalogue import nearest_titles, read_titles
    from mgw.recommend.recommender import Recommender

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


def _why_cold(user: str, history: History, found: list[Recommendation]) -> str | None:
    if not history.user_exists:
        return f"there is no user {user}: these are the titles that most people watch"
    if not found or any(entry.based_on for entry in found):
        return None
    return f"too little is known of user {user}: these are the titles that most people watch"


def _explanation(entry: Recommendation, history: History) -> str:
    if not entry.based_on:
        return f"watched by {entry.score:.0%} of users"
    names = [history.titles[content_id] for content_id in entry.based_on]
    return f"{_BECAUSE} {' and '.join(names)}"


def _entry(entry: Recommendation, title: Title | None, explanation: str) -> dict[str, Any]:
    return {
        **_title(title, entry.content_id),
        "confidence_score": min(max(entry.score, 0.0), 1.0),
        "recommendation_type": str(entry.type),
        "based_on": list(entry.based_on),
        "explanation": explanation,
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
