"""MovieLens folders: the classic `.dat` files, the `.csv` releases, and gzipped ones with cast and plots beside them.

What a folder says is taken like this: a rating is a finished viewing with that many stars (half a star, below our
scale, counts as one); tags become themes; "Matrix, The (1999)" becomes "The Matrix" of 1999; `directors`, `writers`,
`actors` and `plot` columns are used where there are any. Ratings without timestamps stay without a time. A title that
is rated but not listed is added under its id, so that no rating is lost.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mgw.core.errors import FileUnreadable, SourceInvalid
from mgw.core.progress import SILENT
from mgw.ingest.columns import check_width
from mgw.ingest.content import FIRST_YEAR, LAST_YEAR, ContentParser, ContentRow
from mgw.ingest.events import EventParser, star_rating
from mgw.ingest.faults import Malformed
from mgw.ingest.importing import ImportReport, good_rows
from mgw.ingest.load import load_content, merge_events, stage_events, staged_strangers
from mgw.ingest.tables import open_table, reading_errors
from mgw.ingest.values import Unusable, check_name, is_text, listed, number

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
_NEEDED = {"ratings": ("userId", "movieId"), "movies": ("movieId", "title"), "tags": ("movieId", "tag")}
_TITLE = re.compile(r"(?P<name>.+?)\s*\((?P<year>\d{4})\)")
# "City of Lost Children, The (Cité des enfants perdus, La)": behind each name its article.
_ARTICLE = re.compile(
    r"(?P<start>^|\((?:a\.k\.a\. )?)(?P<name>[^()]+), "
    r"(?P<article>The|A|An|Le|La|Les|L'|Lo|Il|I|Gli|El|Los|Las|Der|Die|Das|Den|Det|Un|Une|Una|O|Os)(?=\)| \(|$)"
)
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
    for path in files.values():
        faults.read_from(path)
    themes = _read_themes(files["tags"], faults, progress) if "tags" in files else None
    with _open(files["movies"], "movies") as table:
        parser = _MovieParser(table, themes)
        content = load_content(connection, good_rows(table, parser, faults, progress))
    with _open(files["ratings"], "ratings") as table:
        staged = stage_events(connection, good_rows(table, _rating_parser(table), faults, progress))
    unlisted = staged_strangers(connection)
    load_content(connection, [_untitled(content_id, themes) for content_id in unlisted])
    events = merge_events(connection, staged)
    return ImportReport(content, events, left_out=dict(faults.counts), untitled=len(unlisted))


def find_files(folder: Path) -> dict[str, Path]:
    """Find `movies`, `ratings` and, where there is one, `tags` in a folder.

    Raises:
        FileUnreadable: there is no such folder.
        SourceInvalid: `movies` or `ratings` is missing.
    """
    hint = "name the folder that holds movies and ratings, as .csv, .csv.gz or .dat"
    with reading_errors(folder):
        if not folder.is_dir():
            raise FileUnreadable(f"{folder}: no such folder", hint=hint)
        found = {
            name: [path for ending in _ENDINGS if (path := folder / f"{name}{ending}").is_file()]
            for name in _DAT_COLUMNS
        }
    for name in ("movies", "ratings"):
        if not found[name]:
            wanted = ", ".join(f"{name}{ending}" for ending in _ENDINGS)
            raise SourceInvalid(f"{folder}: not a MovieLens folder: there is none of {wanted}", hint=hint)
    return {name: paths[0] for name, paths in found.items() if paths}


@contextmanager
def _open(path: Path, name: str) -> Iterator[Table]:
    classic = ".dat" in path.suffixes
    # The classic releases are in Latin-1, but for the 10M one, which is in UTF-8. Ratings are numbers in all of them.
    encoding = "latin-1" if classic and (name == "ratings" or not _is_utf8(path)) else "utf-8"
    with open_table(path, encoding=encoding, columns=_DAT_COLUMNS[name] if classic else None) as table:
        if missing := [column for column in _NEEDED[name] if column not in table.columns]:
            raise SourceInvalid(
                f"{path}: no column {missing[0]} among: {listed(table.columns)}",
                hint="is it a MovieLens file? other tables come in with `mgw import content` and `mgw import events`",
            )
        yield table


def _is_utf8(path: Path) -> bool:
    with open_table(path, columns=()) as table:
        return all(value.isascii() or is_text(value) for _, values in table.rows() for value in values)


class _Everything:
    """Holds every title: a few that are rated are not listed, in the 1M and later releases."""

    def __contains__(self, content_id: object) -> bool:
        return True


def _untitled(content_id: str, themes: dict[str, list[str]] | None) -> ContentRow:
    return ContentRow(content_id, f"MovieLens {content_id}", themes=(themes or {}).get(content_id))


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


def _rating_parser(table: Table) -> EventParser:
    names = {"user": "userId", "content": "movieId", "at": "timestamp"}
    mapping = {field: column for field, column in names.items() if column in table.columns}
    return EventParser(table.columns, mapping, known_content=_Everything(), now=datetime.now(UTC), rating=_stars)


def _stars(text: str) -> float:
    """Read a rating from half a star to five; half a star is below our scale and counts as one."""
    stars = number(text, "rating")
    return 1.0 if stars == 0.5 else star_rating(text)


class _TagParser:
    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._movie, self._tag = columns.index("movieId"), columns.index("tag")

    def parse(self, values: Sequence[str]) -> tuple[str, str]:
        check_width(values, self._columns)
        theme = " ".join(values[self._tag].casefold().replace("|", " ").split())[:_LONGEST_THEME].strip()
        try:
            check_name(theme, "tag")
        except Unusable as fault:
            raise Malformed("tag", fault.kind, fault.reason) from fault
        return values[self._movie].strip(), theme


def _read_themes(path: Path, faults: Faults, progress: Progress) -> dict[str, list[str]]:
    themes: dict[str, dict[str, None]] = {}
    with _open(path, "tags") as table:
        for movie, theme in good_rows(table, _TagParser(table.columns), faults, progress):
            themes.setdefault(movie, {})[theme] = None
    return {movie: list(found) for movie, found in themes.items()}


def split_title(text: str) -> tuple[str, int | None]:
    """Split a MovieLens title into the name as people write it and the year.

    >>> split_title("Matrix, The (1999)")
    ('The Matrix', 1999)
    >>> split_title("City of Lost Children, The (Cité des enfants perdus, La) (1995)")
    ('The City of Lost Children (La Cité des enfants perdus)', 1995)
    >>> split_title("Babylon 5")
    ('Babylon 5', None)
    """
    year = None
    if (match := _TITLE.fullmatch(text)) and FIRST_YEAR <= int(match["year"]) <= LAST_YEAR:
        text, year = match["name"], int(match["year"])
    return _ARTICLE.sub(_article_first, text), year


def _article_first(match: re.Match[str]) -> str:
    space = "" if match["article"].endswith("'") else " "
    return f"{match['start']}{match['article']}{space}{match['name']}"
