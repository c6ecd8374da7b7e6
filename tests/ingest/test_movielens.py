"""MovieLens folders: every release's way of writing things, in small, and two of them as they are."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mgw
from mgw.core.errors import FileUnreadable, RowsInvalid, SourceInvalid
from mgw.ingest.faults import Faults
from mgw.ingest.movielens import find_files, import_movielens, split_title

MOVIES = """movieId,title,genres
1,Toy Story (1995),Animation|Children
2571,"Matrix, The (1999)",Action|Sci-Fi
3,Nameless,(no genres listed)
"""
RATINGS = """userId,movieId,rating,timestamp
1,1,4.0,964982703
1,2571,0.5,964981247
2,999,5.0,964981248
"""
TAGS = """userId,movieId,tag,timestamp
1,2571,  Based on   a DREAM ,1445714994
2,2571,based on a dream,1445714995
2,2571,red|blue,1445714996
2,999,lost,1445714997
"""


def folder_with(folder: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("_", ".")
        raw = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return folder


def run(connection, folder, on_error="stop"):
    with Faults(on_error) as faults:
        report = import_movielens(connection, folder, faults)
    connection.commit()
    return report


def test_a_csv_release(tmp_path, database, contents):
    report = run(database, folder_with(tmp_path, movies_csv=MOVIES, ratings_csv=RATINGS, tags_csv=TAGS))
    assert (report.content.new, report.events.new, report.events.users_new, report.untitled) == (3, 3, 2, 1)
    found = contents()
    assert [row[:4] for row in found["content"]] == [
        ("1", "Toy Story", "film", 1995), ("2571", "The Matrix", "film", 1999), ("3", "Nameless", "film", None),
        ("999", "MovieLens 999", "film", None),
    ]  # fmt: skip
    assert found["genres"] == [("1", "Animation"), ("1", "Children"), ("2571", "Action"), ("2571", "Sci-Fi")]
    assert found["themes"] == [("2571", "based on a dream"), ("2571", "red blue"), ("999", "lost")]
    assert [row[:5] for row in found["events"]] == [
        ("1", "1", datetime.fromtimestamp(964982703, UTC), 1.0, 4.0),
        ("1", "2571", datetime.fromtimestamp(964981247, UTC), 1.0, 1.0),
        ("2", "999", datetime.fromtimestamp(964981248, UTC), 1.0, 5.0),
    ]


def test_twice_changes_nothing(tmp_path, database, contents):
    folder = folder_with(tmp_path, movies_csv=MOVIES, ratings_csv=RATINGS, tags_csv=TAGS)
    run(database, folder)
    before = contents()
    report = run(database, folder)
    assert (report.content.unchanged, report.events.already_there, report.untitled) == (3, 3, 0)
    assert (report.content.new, report.content.changed, report.events.new, report.events.users_new) == (0, 0, 0, 0)
    assert contents() == before


def test_the_classic_release_in_latin_1(tmp_path, database, contents):
    movies = "73::Misérables, Les (1995)::Drama|Musical\r\n"
    run(
        database,
        folder_with(
            tmp_path, movies_dat=movies.encode("latin-1"), ratings_dat="1::73::5::978300760\r\n", users_dat="1::F"
        ),
    )
    assert contents()["content"] == [("73", "Les Misérables", "film", 1995, None, None)]
    assert contents()["genres"] == [("73", "Drama"), ("73", "Musical")]
    assert contents()["events"][0][:5] == ("1", "73", datetime.fromtimestamp(978300760, UTC), 1.0, 5.0)


def test_the_10m_release_in_utf_8_with_tags_and_half_stars(tmp_path, database, contents):
    run(
        database,
        folder_with(
            tmp_path,
            movies_dat="73::Misérables, Les (1995)::Drama\n74::Star Wars: Episode IV (1977)::Sci-Fi\n",
            ratings_dat="1::73::0.5::978300760\n1::74::3.5::978300761\n",
            tags_dat="15::73::Révolution!::1215184630\n",
        ),
    )
    assert [row[1] for row in contents()["content"]] == ["Les Misérables", "Star Wars: Episode IV"]
    assert contents()["themes"] == [("73", "révolution!")]
    assert [row[4] for row in contents()["events"]] == [1.0, 3.5]


def test_gzipped_files_with_cast_and_plot_and_without_times(tmp_path, database, contents):
    movies = (
        "movieId,title,year,genres,directors,writers,actors,plot\n"
        '1,Toy Story (1995),1995,Animation,John Lasseter,Joss Whedon|Joel Cohen,Tom Hanks|Tim Allen,"A ""boy""."\n'
    )
    folder_with(tmp_path, movies_csv_gz=movies, ratings_csv_gz="userId,movieId,rating\n1,1,5\n")
    run(database, tmp_path)
    found = contents()
    assert found["content"] == [("1", "Toy Story", "film", 1995, None, 'A "boy".')]
    assert found["credits"] == [
        ("1", "actor", 1, "Tom Hanks"), ("1", "actor", 2, "Tim Allen"), ("1", "director", 1, "John Lasseter"),
        ("1", "writer", 1, "Joss Whedon"), ("1", "writer", 2, "Joel Cohen"),
    ]  # fmt: skip
    assert found["events"] == [("1", "1", None, 1.0, 5.0, False, False, None)]


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("movies", ("1,Toy Story (1995)", "1,"), "movies.csv, line 2, column title: the title is empty"),
        ("movies", ("3,", "1,"), "movies.csv, line 4, column movieId: content '1' stood in the file before"),
        ("ratings", ("4.0", "6"), "ratings.csv, line 2, column rating: rating '6' is not between 1 and 5"),
        ("ratings", ("5.0", "0"), "ratings.csv, line 4, column rating: rating '0' is not between 1 and 5"),
        ("ratings", ("964981247", "later"), "ratings.csv, line 3, column timestamp: 'later' is neither"),
        ("ratings", ("1,1,4.0", "1,1"), "ratings.csv, line 2, column timestamp: expected 4 values, found 3"),
        ("tags", ("red|blue", ""), "tags.csv, line 4, column tag: the tag is empty"),
    ],
)
def test_a_malformed_row_stops_the_import_or_is_left_out(tmp_path, database, contents, *, name, change, complaint):
    files = {"movies": MOVIES, "ratings": RATINGS, "tags": TAGS}
    files[name] = files[name].replace(*change, 1)
    folder_with(tmp_path, **{f"{key}_csv": value for key, value in files.items()})
    before = contents()
    with pytest.raises(RowsInvalid) as caught:
        run(database, tmp_path)
    database.rollback()
    assert complaint in caught.value.message
    assert contents() == before
    assert sum(run(database, tmp_path, "skip").left_out.values()) == 1


def test_what_is_no_movielens_folder(tmp_path):
    with pytest.raises(FileUnreadable, match="no such folder"):
        find_files(tmp_path / "missing")
    with pytest.raises(FileUnreadable, match="File name too long"):
        find_files(tmp_path / ("x" * 300))
    with pytest.raises(SourceInvalid, match="there is none of movies"):
        find_files(tmp_path)
    folder_with(tmp_path, movies_csv=MOVIES)
    with pytest.raises(SourceInvalid, match="there is none of ratings"):
        find_files(tmp_path)
    folder_with(tmp_path, ratings_dat="1::1::1::1", ratings_csv=RATINGS)
    assert {name: path.name for name, path in find_files(tmp_path).items()} == {
        "movies": "movies.csv",
        "ratings": "ratings.csv",
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("movies_csv", "movie,title\n1,x\n"),
        ("ratings_csv", "userId,rating\n1,5\n"),
        ("tags_csv", "movieId,word\n1,x\n"),
    ],
)
def test_a_file_without_a_column_that_is_needed(tmp_path, database, name, content):
    folder_with(tmp_path, **({"movies_csv": MOVIES, "ratings_csv": RATINGS} | {name: content}))
    with pytest.raises(SourceInvalid, match=rf"{name.replace('_', '.')}: no column (movieId|tag) among: "):
        run(database, tmp_path)


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Toy Story (1995)", "Toy Story", 1995),
        ("Matrix, The (1999)", "The Matrix", 1999),
        ("Misérables, Les (1995)", "Les Misérables", 1995),
        ("American in Paris, An (1951)", "An American in Paris", 1951),
        ("Avventura, L' (1960)", "L'Avventura", 1960),
        ("Seven (a.k.a. Se7en) (1995)", "Seven (a.k.a. Se7en)", 1995),
        ("Postman, The (Postino, Il) (1994)", "The Postman (Il Postino)", 1994),
        ("Thing, The (a.k.a. Blob, The) (1982)", "The Thing (a.k.a. The Blob)", 1982),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("Babylon 5", "Babylon 5", None),
        ("Movie (0000)", "Movie (0000)", None),
        ("(1999)", "(1999)", None),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly", 1966),
        ("I, The Jury", "I, The Jury", None),
    ],
)
def test_titles_as_people_write_them(text, title, year):
    assert split_title(text) == (title, year)


# The data sets themselves; they may not be redistributed, so they are not part of the repository.


def data_set(name: str) -> Path:
    shared = Path(mgw.__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MOVIELENS_DATA", shared)) / name
    if not folder.is_dir():
        pytest.skip(f"no MovieLens data in {folder}: set MOVIELENS_DATA to the folder that holds {name}")
    return folder


def test_the_small_data_set_as_it_is(database, contents):
    report = run(database, data_set("ml-latest-small"))
    assert (report.content.new, report.events.new, report.events.users_new) == (9742, 100_836, 610)
    assert (report.untitled, report.left_out) == (0, {})
    before = contents()
    assert ("79132", "Inception", "film", 2010, None, None) in before["content"]
    assert [row[1] for row in before["content"] if ", The (" in row[1] or row[1].endswith(", The")] == []
    again = run(database, data_set("ml-latest-small"))
    assert (again.content.unchanged, again.events.already_there, again.events.new) == (9742, 100_836, 0)
    assert contents() == before


@pytest.mark.nightly
def test_a_million_ratings_as_they_are(database):
    report = run(database, data_set("ml-1m"))
    assert (report.content.new, report.events.new, report.events.users_new) == (3881, 1_000_209, 6040)
    assert (report.untitled, report.left_out) == (2, {})
    assert database.execute("SELECT count(DISTINCT content_id) FROM viewing_events").fetchone() == (3706,)
    again = run(database, data_set("ml-1m"))
    assert (again.content.unchanged, again.events.already_there, again.events.conflicting) == (3881, 1_000_209, 0)
