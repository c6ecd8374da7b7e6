"""Titles that nobody has watched and users of whom nothing is known, by their features: ours beside irspack's iALS.

On MovieLens 1M a fifth of the titles (users) is not learned from. For titles, each user ranks these alone; for users,
each of these ranks all titles. Features of titles are year, decade, genres and people; of users sex, age, occupation.
The regularization of either's feature weights is chosen on a fifth of the titles (users) that are left, drawn the same
way. The popularity of the held-out titles themselves, which nobody can know beforehand, is there for scale.

    python benchmarks/cold.py [--seeds 3]
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import gzip
import io
import sys
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sps
from datasets import ROOT
from machine import add_row, print_machine
from msgspec.structs import replace
from scipy.sparse import csr_array

from mgw.recommend import ALS, AlsSettings, metrics
from mgw.recommend.title_features import feature_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SHARE, K, THREADS = 0.2, 20, 2
SETTINGS = AlsSettings(factors=64, epochs=12, activity_exponent=0.0)  # the peer has none
OURS = (1.0, 3.0, 10.0, 30.0, 100.0)
THEIRS = tuple((weight, warmup) for weight in (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0) for warmup in (0, 4))
Scores = "NDArray[np.float32]"


def main() -> int:
    """Print a table for titles and one for users."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    folder = ROOT / "ml-1m"
    if not folder.is_dir():
        print(f"SKIPPED: no {folder}; MOVIELENS_DATA names the folder that holds ml-1m", file=sys.stderr)
        return 0
    print_machine(("mgw", "irspack", "numpy", "scipy"), f"seeds {list(seeds)}, {SETTINGS.factors} factors")
    matrix, titles, users = _read(folder)
    print(f"\n{matrix.shape[0]:,} users, {titles.shape[1]:,} features of {matrix.shape[1]:,} titles")
    heading = "titles that nobody watched, ranked among themselves"
    _compare(heading, csr_array(matrix.T), titles, seeds, among_themselves=True)
    print(f"\n{users.shape[1]} features of users")
    _compare("users without a history, ranking all titles", matrix, users, seeds, among_themselves=False)
    return 0


def _compare(heading: str, rows: csr_array, features: csr_array, seeds: range, *, among_themselves: bool) -> None:
    """Hold out rows, and score each held-out row with every column from its features alone."""
    found: dict[str, list[tuple[float, float]]] = {}
    chosen: dict[str, list[object]] = {"mgw": [], "irspack": []}
    for seed in seeds:
        cold = _drawn(rows, np.arange(rows.shape[0]), seed)
        rest = np.setdiff1d(np.arange(rows.shape[0]), cold)
        inner = _drawn(rows, rest, seed + 100)

        def quality(
            fit: Callable[[NDArray[np.int64], NDArray[np.int64]], Scores],
            learned: NDArray[np.int64],
            asked: NDArray[np.int64],
        ) -> tuple[float, float]:
            return _quality(fit(learned, asked), rows, learned, asked, among_themselves=among_themselves)

        learned = np.setdiff1d(rest, inner)
        ours = max(OURS, key=lambda phi: quality(_ours(rows, features, phi), learned, inner)[0])
        theirs = max(THEIRS, key=lambda pair: quality(_theirs(rows, features, *pair), learned, inner)[0])
        chosen["mgw"].append(ours)
        chosen["irspack"].append(theirs)
        models = {
            "popularity": lambda known, asked: _popularity(rows, known, asked),
            "irspack, feature-aware iALS": _theirs(rows, features, *theirs),
            "mgw": _ours(rows, features, ours),
        }
        if among_themselves:
            models["(their own popularity)"] = lambda _, asked: _popularity(rows, asked, asked, own=True)
        for name, fit in models.items():
            found.setdefault(name, []).append(quality(fit, rest, cold))
    print(f"\n{heading}; mean of {len(seeds)} seeds{'':14} NDCG@{K}  Recall@{K}")
    for name, values in found.items():
        ndcg, recall = np.mean(values, axis=0)
        print(f"  {name:60} {ndcg:8.4f}  {recall:8.4f}")
    print(f"  chosen on validation: {chosen}")
    for place, metric in enumerate((f"NDCG@{K}", f"Recall@{K}")):
        ours, theirs = (np.mean(found[name], axis=0)[place] for name in ("mgw", "irspack, feature-aware iALS"))
        add_row(f"{heading}: {metric}", ours, peer="irspack", theirs=theirs, more_is_better=True)


def _drawn(rows: csr_array, among: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    watched = among[np.diff(rows.indptr)[among] > 0]
    return np.sort(np.random.default_rng(seed).permutation(watched)[: int(len(watched) * SHARE)])


def _ours(rows: csr_array, features: csr_array, phi: float) -> Callable[..., Scores]:
    def fit(learned: NDArray[np.int64], asked: NDArray[np.int64]) -> Scores:
        # Rows are users here, whatever they are: the model is the same seen from either side.
        model = ALS.fit(rows[learned], replace(SETTINGS, feature_regularization=phi), threads=THREADS)
        return model.map_users(features[learned], rows[learned]).factors(features[asked]) @ model.item_factors.T

    return fit


def _theirs(rows: csr_array, features: csr_array, weight: float, warmup: int) -> Callable[..., Scores]:
    from irspack.recommenders import IALSRecommender  # noqa: PLC0415 - a peer, which this alone needs

    def fit(learned: NDArray[np.int64], asked: NDArray[np.int64]) -> Scores:
        known = sps.csr_matrix(rows[learned])
        with _quiet():
            model = IALSRecommender(
                known, n_components=SETTINGS.factors, alpha0=SETTINGS.unobserved_weight, reg=SETTINGS.regularization,
                nu=SETTINGS.regularization_exponent, train_epochs=SETTINGS.epochs, n_threads=THREADS,
                user_features=sps.csr_matrix(features[learned]), lambda_user_feature=weight,
                feature_warmup_epochs=warmup,
            )  # fmt: skip
            try:
                model.learn()
            except RuntimeError:  # its Cholesky fails where there is too little regularization
                return np.zeros((len(asked), rows.shape[1]), dtype=np.float32)
        users = model.compute_user_embedding_from_features(sps.csr_matrix(features[asked]))
        return users @ model.get_item_embedding().T

    return fit


def _popularity(rows: csr_array, learned: NDArray[np.int64], asked: NDArray[np.int64], *, own: bool = False) -> Scores:
    """Score columns by their interactions with what was learned from; or rows by their own."""
    if own:
        return np.repeat(np.diff(rows[asked].indptr)[:, None], rows.shape[1], axis=1).astype(np.float32)
    viewers = np.bincount(rows[learned].indices, minlength=rows.shape[1]).astype(np.float32)
    return np.tile(viewers, (len(asked), 1))


def _quality(
    scores: Scores, rows: csr_array, learned: NDArray[np.int64], asked: NDArray[np.int64], *, among_themselves: bool
) -> tuple[float, float]:
    """Return NDCG and recall of the columns, which rank the asked rows, or the other way around."""
    wanted = rows[asked]
    if among_themselves:
        scores, wanted = np.ascontiguousarray(scores.T), csr_array(wanted.T)
        has_history = np.bincount(rows[learned].indices, minlength=rows.shape[1]) > 0
        audience = np.flatnonzero((np.diff(wanted.indptr) > 0) & has_history)
    else:
        audience = np.flatnonzero(np.diff(wanted.indptr) > 0)
    wanted = wanted[audience]
    hits = metrics.find_hits(metrics.top_columns(scores[audience].astype(np.float32), None, K), wanted)
    n_relevant = np.diff(wanted.indptr).astype(np.int64)
    return float(metrics.ndcg(hits, n_relevant).mean()), float(metrics.recall(hits, n_relevant).mean())


def _read(folder) -> tuple[csr_array, csr_array, csr_array]:  # noqa: ANN001 - a Path
    """Return the pairs with two stars and more, users by titles, and the features of titles and of users."""

    def table(name: str) -> list[dict[str, str]]:
        with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    movies, people, ratings = table("movies"), table("users"), table("ratings")
    column = {movie["movieId"]: place for place, movie in enumerate(movies)}
    row = {person["userId"]: place for place, person in enumerate(people)}
    liked = [each for each in ratings if float(each["rating"]) >= 2 and each["movieId"] in column]
    places = [row[each["userId"]] for each in liked], [column[each["movieId"]] for each in liked]
    matrix = csr_array((np.ones(len(liked), dtype=np.float32), places), shape=(len(row), len(column)))
    titles = feature_matrix([list(_words(movie)) for movie in movies])
    users = feature_matrix(
        [["everybody", *(f"{key} {person[key]}" for key in ("gender", "age", "occupation"))] for person in people]
    )
    return matrix, titles, users


def _words(movie: dict[str, str]) -> Iterator[str]:
    yield "every title"
    if movie["year"]:
        yield f"year {movie['year']}"
        yield f"decade {int(movie['year']) // 10}"
    for key in ("genres", "directors", "writers", "actors"):
        yield from (f"{key} {name}" for name in dict.fromkeys(movie[key].split("|")) if name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the peer's progress bar, which is drawn on stdout and stderr, out of the table."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        yield


if __name__ == "__main__":
    sys.exit(main())
