"""MovieLens folders: the classic `.dat` files, the `.csv` releases, and gzipped ones with cast and plots beside them.

What a folder says is taken like this: a rating is a finished viewing with that many stars (half a star, below our
scale, counts as one); tags become themes; "Matrix, The (1999)" becomes "The Matrix" of 1999; `directors`, `writers`,
`actors` and `plot` columns are used where there are any. Ratings without timestamps stay without a time. A title that
is rated but not listed is added under its id, so that no rating is lost.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mgw.core.errors import FileUnreadable, SourceInvalid
from mgw.core.progress import SILENT
from mgw.ingest.columns import check_width
from mgw.ingest.content import FIRST_YEAR, LAST_YEAR, ContentParser, ContentRow
from mgw.ingest.events import EventParser, EventRow
from mgw.ingest.faults import Malformed
from mgw.ingest.importing import ImportReport, good_rows
from mgw.ingest.load import analyze, known_content, load_content, load_events
from mgw.ingest.tables import open_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.progress import Progress
    from mgw.ingest.faults import Faults
    from mgw.ingest.tables import Table

_ENDINGS = (".csv", ".csv.gz", ".dat", ".dat.gz")
_DAT_COLUMNS = {
    "ratings": ("userId", "movieId", "rating", "timestamp"),
    "movies": ("movieId", "title", "genres"),
    "tags": ("userId", "movieId", "tag", "timestamp"),
}
_TITLE = re.compile(r"(?P<name>.+?)\s*\((?P<year>\d{4})\)\s*$")
_ARTICLE = re.compile(r"(?P<name>.+), (?P<article>The|A|An|Le|La|Les|L'|Il|El|Los|Las|Der|Die|Das|Un|Une)$")
_NO_GENRES = "(no genres listed)"
_LONGEST_THEME = 64


def import_movielens(
    connection: Connection[TupleRow], folder: Path, faults: Faults, *, progress: Progress = SILENT
) -> ImportReport:
    """Import a MovieLens folder in the connection's transaction.

    Raises:
        SourceInvalid, FileUnreadable: the folder is none of the known layouts, or a file of it cannot be read.
        RowsInvalid: a row cannot be used, and the policy is to stop.
    """
    files = find_files(folder)
    themes = _read_themes(files["tags"], faults, progress) if "tags" in files else None
    with _open(files["movies"], "movies") as table:
        parser = _MovieParser(table, themes)
        content = load_content(connection, good_rows(table, parser, faults, progress))
    faults.raise_if_stopping()
    known = known_content(connection)
    untitled = _rated(files["ratings"]) - known
    load_content(connection, (ContentRow(content_id, f"MovieLens {content_id}") for content_id in sorted(untitled)))
    with _open(files["ratings"], "ratings") as table:
        ratings = _RatingParser(table, known | untitled)
        events = load_events(connection, good_rows(table, ratings, faults, progress))
    faults.raise_if_stopping()
    analyze(connection)
    return ImportReport(content, events, dict(faults.counts), len(untitled))


def find_files(folder: Path) -> dict[str, Path]:
    """Find `movies`, `ratings` and, where there is one, `tags` in a folder.

    Raises:
        FileUnreadable: there is no such folder.
        SourceInvalid: `movies` or `ratings` is missing.
    """
    if not folder.is_dir():
        raise FileUnreadable(f"{folder}: no such folder", hint="name the folder that holds ratings.csv or ratings.dat")
    files = {
        name: path for name in _DAT_COLUMNS for ending in _ENDINGS if (path := folder / f"{name}{ending}").is_file()
    }
    for name in ("movies", "ratings"):
        if name not in files:
            wanted = ", ".join(f"{name}{ending}" for ending in _ENDINGS)
            raise SourceInvalid(f"{folder}: not a MovieLens folder: there is none of {wanted}")
    return files


@contextmanager
def _open(path: Path, name: str) -> Iterator[Table]:
    classic = ".dat" in path.suffixes
    # The classic releases are in Latin-1, but for the 10M one, which is in UTF-8.
    encoding = "latin-1" if classic and not _is_utf8(path) else "utf-8"
    with open_table(path, encoding=encoding, columns=_DAT_COLUMNS[name] if classic else None) as table:
        yield table


def _is_utf8(path: Path) -> bool:
    with open_table(path, columns=()) as table:
        try:
            for _ in table.rows():
                pass
        except UnicodeDecodeError:
            return False
    return True


def _rated(path: Path) -> set[str]:
    """Return the ids of all titles that are rated; the 1M and later releases rate a few that `movies` leaves out."""
    with _open(path, "ratings") as table:
        if "movieId" not in table.columns:
            raise SourceInvalid(f"{path}: no column movieId among: {', '.join(table.columns)}")
        place = table.columns.index("movieId")
        ids = {values[place].strip() for _, values in table.rows() if len(values) > place}
    return {content_id for content_id in ids if content_id and "\0" not in content_id}


class _MovieParser:
    def __init__(self, table: Table, themes: dict[str, list[str]] | None) -> None:
        self._content = ContentParser(table.columns, {"id": "movieId"})
        self._themes = themes

    def parse(self, values: Sequence[str]) -> ContentRow:
        row = self._content.parse(values)
        title, year = split_title(row.title)
        return row._replace(
            title=title,
            year=row.year if row.year is not None else year,
            genres=[genre for genre in row.genres or () if genre != _NO_GENRES],
            themes=self._themes.get(row.content_id, []) if self._themes is not None else row.themes,
        )


class _RatingParser:
    def __init__(self, table: Table, known: frozenset[str]) -> None:
        mapping = {"user": "userId", "content": "movieId"}
        if "timestamp" in table.columns:
            mapping["at"] = "timestamp"
        self._events = EventParser(table.columns, mapping, known_content=known, now=datetime.now(UTC))
        self._rating = table.columns.index("rating") if "rating" in table.columns else None

    def parse(self, values: Sequence[str]) -> EventRow:
        if self._rating is not None and len(values) > self._rating and values[self._rating] == "0.5":
            values = [*values[: self._rating], "1", *values[self._rating + 1 :]]
        return self._events.parse(values)


@dataclass(frozen=True, slots=True)
class _TagParser:
    width: int
    movie: int
    tag: int

    def parse(self, values: Sequence[str]) -> tuple[str, str]:
        check_width(values, self.width)
        theme = " ".join(values[self.tag].casefold().replace("|", " ").split())
        if not theme or "\0" in theme:
            raise Malformed("tag", "bad tag", "the tag is empty or holds a NUL character")
        return values[self.movie], theme[:_LONGEST_THEME].strip()


def _read_themes(path: Path, faults: Faults, progress: Progress) -> dict[str, list[str]]:
    themes: dict[str, dict[str, None]] = {}
    with _open(path, "tags") as table:
        if missing := {"movieId", "tag"} - set(table.columns):
            raise SourceInvalid(f"{path}: no column {min(missing)} among: {', '.join(table.columns)}")
        parser = _TagParser(len(table.columns), table.columns.index("movieId"), table.columns.index("tag"))
        for movie, theme in good_rows(table, parser, faults, progress):
            themes.setdefault(movie, {})[theme] = None
    return {movie: list(found) for movie, found in themes.items()}


def split_title(text: str) -> tuple[str, int | None]:
    """Split a MovieLens title into the name as people write it and the year.

    >>> split_title("Matrix, The (1999)")
    ('The Matrix', 1999)
    >>> split_title("Babylon 5")
    ('Babylon 5', None)
    """
    year = None
    if (match := _TITLE.fullmatch(text)) and FIRST_YEAR <= int(match["year"]) <= LAST_YEAR:
        text, year = match["name"], int(match["year"])
    if match := _ARTICLE.fullmatch(text):
        space = "" if match["article"].endswith("'") else " "
        text = f"{match['article']}{space}{match['name']}"
    return text, year
