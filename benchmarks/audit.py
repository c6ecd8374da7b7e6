"""A million entries of the audit trail: how fast they come in, are listed by each filter, and are verified."""

from __future__ import annotations

import argparse
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from machine import add_row, print_machine

from mgw.core.audit import Action, Actor, Change, Entry, EntryFilter, page, record, verify, write
from mgw.core.database import Database
from mgw.core.database.embedded import EmbeddedServer

END = datetime(2026, 11, 1, tzinfo=UTC)
BATCH = 5_000
LIMIT = 50


def entries(count: int, rng: random.Random) -> list[Entry]:
    """Return entries as a platform has them: many of few actions, some users who do a lot, ids of all kinds."""
    actions = list(Action)
    weights = [1.0 / (place + 1) for place in range(len(actions))]
    users = [f"user{int(rng.paretovariate(0.8))}@example.org" for _ in range(count)]
    chosen = rng.choices(actions, weights, k=count)
    for place in range(0, count, 5):  # a program that does one thing, all day
        users[place], chosen[place] = "robot@example.org", Action.CACHE_PURGED
    return [
        Entry(
            entry_id=uuid4(),
            at=END - timedelta(seconds=25 * (count - place)),
            action=action,
            resource_type=action.partition(".")[0],
            resource_id=f"{action.partition('.')[0]}-{rng.randrange(50_000)}",
            details={
                "before": rng.randrange(1000),
                "after": rng.randrange(1000),
                "why": rng.choice(WORDS) if rng.random() < 0.99998 else "a zeppelin",
            },
            user_id=user,
            ip=f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}",
            user_agent="Mozilla/5.0",
        )
        for place, (action, user) in enumerate(zip(chosen, users, strict=True))
    ]


WORDS = [f"reason {word}" for word in ("drift", "rollback", "holiday", "legal", "trial", "outage")]


def filters() -> dict[str, EntryFilter]:
    """Return every filter by itself, with frequent values, rare ones and such as nobody has; and some together."""
    return {
        "none": EntryFilter(),
        "a day": EntryFilter(since=END - timedelta(days=100), until=END - timedelta(days=99)),
        "long ago": EntryFilter(until=END - timedelta(days=280)),
        "a busy user": EntryFilter(user_id="user1@example.org"),
        "a rare user": EntryFilter(user_id="user4000@example.org"),
        "nobody": EntryFilter(user_id="nobody"),
        "a frequent action": EntryFilter(action="experiment.created"),
        "a rare action": EntryFilter(action="audit.purged"),
        "a resource type": EntryFilter(resource_type="experiment"),
        "a resource": EntryFilter(resource_id="experiment-77"),
        "type and resource": EntryFilter(resource_type="model", resource_id="model-99"),
        "a frequent word": EntryFilter(text="drift"),
        "a word of a few": EntryFilter(text="zeppelin"),
        "no such word": EntryFilter(text="submarine"),
        "two words": EntryFilter(text="holiday purged"),
        "user and action": EntryFilter(user_id="user3@example.org", action="audit.purged"),
        "user, action, time": EntryFilter(
            user_id="user1@example.org", action="model.deleted", until=END - timedelta(days=200)
        ),
        "user and word": EntryFilter(user_id="user2@example.org", text="legal"),
        "user and rare word": EntryFilter(user_id="user1@example.org", text="zeppelin"),
        "a user, none of an action": EntryFilter(user_id="robot@example.org", action="experiment.created"),
        "a user, none of a word": EntryFilter(user_id="robot@example.org", text="experiment"),
        "a user, before all": EntryFilter(user_id="robot@example.org", until=END - timedelta(days=400)),
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print_machine(("psycopg",), f"seed {asked.seed}, {asked.entries:,} entries, pages of {LIMIT}")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = EmbeddedServer(Path(folder) / "postgres", version=18, bin_dir=None)
        with Database(server, None, None, 10).session() as connection:
            began = time.perf_counter()
            made = 0.0
            for start in range(0, asked.entries, BATCH):
                before = time.perf_counter()
                batch = entries(BATCH, random.Random(f"{asked.seed} {start}"))
                for place, each in enumerate(batch):
                    batch[place] = type(each)(
                        **{
                            **{f: getattr(each, f) for f in each.__struct_fields__},
                            "at": each.at - timedelta(seconds=25 * (asked.entries - BATCH - start)),
                        }
                    )
                made += time.perf_counter() - before
                write(connection, batch)
                connection.commit()
            seconds = time.perf_counter() - began - made
            print(f"written in batches of {BATCH:,}: {asked.entries / seconds:,.0f} a second")
            add_row(f"entries written in batches of {BATCH:,}", asked.entries / seconds, "per s")
            connection.execute("ANALYZE audit_logs")
            connection.commit()
            singles = []
            for _ in range(50):
                before = time.perf_counter()
                record(connection, Actor("a"), Change(Action.CACHE_PURGED, "gateway", "x"))
                connection.commit()
                singles.append(time.perf_counter() - before)
            print(f"one by one, committed: {1e3 * statistics.median(singles):.2f} ms")
            add_row("one entry, committed", 1e3 * statistics.median(singles), "ms")
            print(f"\n{'filter':28}{'found':>7}{'first page ms':>16}{'page 2 ms':>12}")
            worst = 0.0
            for name, wanted in filters().items():
                times, seconds_page = [], []
                for _ in range(7):
                    before = time.perf_counter()
                    found = page(connection, wanted, limit=LIMIT)
                    times.append(time.perf_counter() - before)
                    if found.cursor:
                        before = time.perf_counter()
                        page(connection, wanted, limit=LIMIT, after=found.cursor)
                        seconds_page.append(time.perf_counter() - before)
                first, second = 1e3 * statistics.median(times), 1e3 * statistics.median(seconds_page or [0])
                worst = max(worst, first, second)
                print(f"{name:28}{len(found.entries):>7}{first:>16.1f}{second:>12.1f}")
            print(f"slowest: {worst:.1f} ms")
            add_row("the slowest page of any filter", worst, "ms")
            before = time.perf_counter()
            verdict = verify(connection)
            seconds = time.perf_counter() - before
            print(f"\nverified {verdict.entries:,} entries in {seconds:.1f} s: {verdict.broken or 'whole'}")
            add_row(f"{verdict.entries:,} entries verified", seconds, "s")


if __name__ == "__main__":
    main()
