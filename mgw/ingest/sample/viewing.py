"""The viewing events of the sample, block of users by block of users, so that memory does not grow with their number.

A block's size follows from the catalogue alone and each block has a random stream of its own: how blocks are put
together into chunks changes nothing about the events.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.errors import ParametersInvalid
from mgw.core.progress import SILENT
from mgw.ingest.sample.audience import Headcount, Viewers, draw_communities
from mgw.ingest.sample.catalogue import Catalogue
from mgw.ingest.sample.choice import choose
from mgw.ingest.sample.response import respond
from mgw.ingest.sample.sittings import DEVICES, gather, start_times
from mgw.ingest.sample.size import Purpose, SampleSize, stream
from mgw.ingest.sample.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from mgw.core.progress import Progress

_BLOCK_USERS = 64
_BLOCK_SCORES = 4_000_000
"""Users times titles of one block: 64 MB at the peak."""


@dataclass(frozen=True, slots=True)
class EventChunk:
    """Viewing events of some users, by user and time, one array per field.

    Attributes:
        user: index of the user; `SampleSize.user_id` names it, `(n,)`.
        title: index into the catalogue, `(n,)`.
        at: whole seconds since 1970 in UTC, when the viewing began, `(n,)`.
        completion_rate: share of the title that was watched, 0 to 1, `(n,)`.
        rating: whole stars, 1 to 5, NaN where the viewer did not rate, `(n,)`.
        is_rewatch: whether the user had watched the title before, `(n,)`.
        dismissed: whether the user said "not interested", `(n,)`.
        device: number in DEVICES, `(n,)`.
    """

    user: NDArray[np.int32]
    title: NDArray[np.int32]
    at: NDArray[np.float64]
    completion_rate: NDArray[np.float32]
    rating: NDArray[np.float32]
    is_rewatch: NDArray[np.bool_]
    dismissed: NDArray[np.bool_]
    device: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.user)


def generate_events(
    size: SampleSize, *, seed: int, until: datetime, progress: Progress = SILENT, chunk_events: int = 65_536
) -> Iterator[EventChunk]:
    """Draw the viewing events of a sample; the same size, seed and `until` give the same events to the last bit.

    Args:
        size: how many users, titles and events there are.
        seed: a whole number from 0 upwards, the same as for the catalogue.
        until: when the sample ends, with a time zone; every event begins before.
        progress: is told of events as they are drawn.
        chunk_events: a chunk is handed over once it has this many events; it changes nothing else.

    Yields:
        Chunks of whole users, users in rising order; `size.events` events in all, (user, title, at) unique.

    Raises:
        ParametersInvalid: if the seed is negative or `until` has no time zone.
    """
    if until.tzinfo is None:
        raise ParametersInvalid(
            f"the end of a sample is {until.isoformat()}, without a time zone", hint="add one, as in 2026-01-01T00:00Z"
        )
    blocks = _blocks(size, seed, int(until.timestamp()))
    with progress.stage("viewing events", size.events) as stage:
        waiting: list[EventChunk] = []
        for block in blocks:
            waiting.append(block)
            stage.advance(len(block))
            if sum(map(len, waiting)) >= chunk_events:
                yield _joined(waiting)
                waiting = []
        if waiting:
            yield _joined(waiting)


def _joined(chunks: list[EventChunk]) -> EventChunk:
    return EventChunk(
        *(np.concatenate([getattr(chunk, field.name) for chunk in chunks]) for field in fields(EventChunk))
    )


def _blocks(size: SampleSize, seed: int, until_s: int) -> Iterator[EventChunk]:
    catalogue = Catalogue.drawn(size, seed=seed)
    headcount = Headcount.drawn(size, seed=seed)
    communities = draw_communities(World.drawn(seed), seed=seed)
    n_block = max(1, min(_BLOCK_USERS, _BLOCK_SCORES // size.titles))
    for number, first in enumerate(range(0, size.users, n_block)):
        rng = stream(seed, Purpose.VIEWING, number)
        counts = headcount.events[first : first + n_block]
        viewers = Viewers.drawn(rng, communities, len(counts), len(DEVICES))
        days = headcount.membership_days[first : first + n_block]
        yield _block(rng, catalogue, viewers, counts, membership_days=days, first=first, until_s=until_s)


def _block(
    rng: np.random.Generator,
    catalogue: Catalogue,
    viewers: Viewers,
    counts: NDArray[np.int64],
    *,
    membership_days: NDArray[np.float64],
    first: int,
    until_s: int,
) -> EventChunk:
    """Draw the events of one block of users: what they choose, when they watch it, and how they take it."""
    choices = choose(rng, catalogue, viewers, counts, membership_days)
    sittings = gather(rng, catalogue, viewers, choices, until_s)
    users, titles = choices.users[sittings.order], choices.titles[sittings.order]
    responses = respond(
        rng,
        catalogue,
        viewers,
        users=users,
        titles=titles,
        match=choices.match[sittings.order],
        is_kept=choices.is_kept[sittings.order],
        device=sittings.device,
    )
    duration_s = (catalogue.runtime_minutes[titles] * responses.completion_rate * 60).astype(np.int64)
    return EventChunk(
        user=(first + users).astype(np.int32),
        title=titles.astype(np.int32),
        at=start_times(users, sittings.starts, duration_s, until_s).astype(np.float64),
        completion_rate=responses.completion_rate,
        rating=responses.rating,
        is_rewatch=_seen_before(users, titles),
        dismissed=responses.dismissed,
        device=sittings.device,
    )


def _seen_before(users: NDArray[np.int64], titles: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the events whose user and title stood together in an earlier row, `(n,)`."""
    order = np.lexsort((np.arange(len(users)), titles, users))
    again = (np.diff(users[order], prepend=-1) == 0) & (np.diff(titles[order], prepend=-1) == 0)
    seen = np.empty(len(users), dtype=np.bool_)
    seen[order] = again
    return seen
