"""Finding good parameters of ALS: trials that are chosen by those before them, and given up early where they are poor.

Every trial trains on one part of the events and is measured on another, the validation; the part that `mgw evaluate`
holds out as its test is in neither, so what is measured there afterwards is measured on data that had no say.
The next parameters are chosen by a tree-structured Parzen estimator (Bergstra et al. 2011), and a trial ends early
whose NDCG after some epoch is below the median of the others' (Golovin et al. 2017, section 3.2.1: median stopping).
Trials are kept in a file, one line each, so that a tuning that is cut short goes on.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec.structs import replace

from mgw.core.errors import ExtraMissing, NothingToEvaluate
from mgw.core.progress import SILENT
from mgw.recommend import metrics
from mgw.recommend.als import ALS
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.split import choose_split, seen_matrix

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from optuna import Study, Trial
    from optuna.trial import FrozenTrial
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress
    from mgw.core.settings import AlsSettings
    from mgw.core.settings.schema import EvaluateSettings
    from mgw.recommend.interactions import Events
    from mgw.recommend.split import Split

PATIENCE = 3
"""Epochs without a better NDCG after which a trial ends."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What to learn from and what to find.

    Attributes:
        train: strengths, `(n_users, n_items)`.
        validation: strengths of the pairs to find, `(n_users, n_items)`.
        seen: pairs that are not recommended, `(n_users, n_items)`.
    """

    train: csr_array[np.float32]
    validation: csr_array[np.float32]
    seen: csr_array[Any]

    def fingerprint(self) -> str:
        """Return a name that other data, or the same data split otherwise, does not have."""
        digest = hashlib.sha256()
        for array in (
            self.train.indptr, self.train.indices, self.train.data, self.validation.indptr, self.validation.indices,
        ):  # fmt: skip
            digest.update(np.ascontiguousarray(array).tobytes())
        return f"als-{digest.hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a tuning found.

    Attributes:
        settings: the best parameters, the best number of epochs among them.
        ndcg: of the validation pairs.
        trials: how many there were, those of earlier runs too.
        given_up: how many of them ended early.
    """

    settings: AlsSettings
    ndcg: float
    trials: int
    given_up: int


def split_for_tuning(events: Events, settings: EvaluateSettings) -> tuple[Pairs, str]:
    """Make the pairs of `validation_split`, and a sentence that states how.

    Raises:
        NothingToEvaluate: a split leaves nobody to ask.
    """
    inner = validation_split(events, settings)
    return pairs_of(inner), f"The test is left aside. Of the rest: {inner.description}"


def validation_split(events: Events, settings: EvaluateSettings) -> Split:
    """Split off the test that `evaluate` would take, throw it away, and split what is left once more.

    Raises:
        NothingToEvaluate: a split leaves nobody to ask.
    """
    outer = choose_split(events, settings)
    # Without the users or titles that are new to the test, parameters that suit the others are looked for.
    is_cold = outer.has_new_users or outer.candidates is not None
    return choose_split(outer.train, replace(settings, split="random", known=None) if is_cold else settings)


def pairs_of(split: Split) -> Pairs:
    """Take the pairs of a split whose test is for validation."""
    return Pairs(strength_matrix(split.train), split.test, seen_matrix(split.train))


def tune_als(
    pairs: Pairs,
    settings: AlsSettings,
    *,
    trials: int,
    factors: tuple[int, ...],
    top_k: int,
    journal: Path,
    threads: int = 0,
    progress: Progress = SILENT,
    on_trial: Callable[[int, float, AlsSettings], None] | None = None,
) -> Tuned:
    """Try parameters until there are `trials`, those of earlier runs that asked the same of the same data counted.

    Args:
        pairs: to learn from and to find.
        settings: what is tried first; its epochs are the most that a trial has, its seed is everybody's.
        trials: how many.
        factors: the lengths of vectors to choose from.
        top_k: NDCG is that of lists of this length.
        journal: file that keeps the trials; those of other data, or with other fixed parameters or choices, are not
            looked at.
        threads: how many; 0 means one for each CPU that this process may use.
        progress: told of each trial.
        on_trial: called after each trial with its number, its best NDCG and its parameters.

    Raises:
        ExtraMissing: Optuna is not installed.
    """
    study = _study(journal, _question(pairs.fingerprint(), settings, factors, top_k), settings.seed)
    if not study.trials:
        first = settings.factors if settings.factors in factors else factors[0]
        study.enqueue_trial({key: getattr(settings, key) for key in _SPACE} | {"factors": first})
    done = sum(trial.state.is_finished() for trial in study.trials)
    with progress.stage("tuning ALS", trials) as stage:
        stage.advance(min(done, trials))

        def objective(trial: Trial) -> float:
            tried = replace(settings, **_suggested(trial, factors))
            best, epoch = _best_epoch(pairs, tried, top_k, threads, trial)
            trial.set_user_attr("epochs", epoch)
            if on_trial is not None:
                on_trial(trial.number, best, replace(tried, epochs=epoch))
            stage.advance()
            return best

        study.optimize(objective, n_trials=max(trials - done, 0))
    return _tuned(study, settings)


def _question(name: str, settings: AlsSettings, factors: tuple[int, ...], top_k: int) -> str:
    """Return a name for what a tuning asks: trials that were measured otherwise are no answers to it."""
    fixed = {key: value for key, value in msgspec.to_builtins(settings).items() if key not in {*_SPACE, "factors"}}
    asked = msgspec.json.encode([fixed, sorted(factors), top_k], order="sorted")
    return f"{name}-{hashlib.sha256(asked).hexdigest()[:8]}"


_SPACE: dict[str, tuple[float, float, bool]] = {
    # Parameter: least, most, by its logarithm.
    "regularization": (1e-3, 0.1, True),
    "regularization_exponent": (0.6, 1.2, False),
    "unobserved_weight": (0.02, 1.0, True),
    "activity_exponent": (0.0, 0.6, False),
}


def _suggested(trial: Trial, factors: tuple[int, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {
        key: trial.suggest_float(key, least, most, log=log) for key, (least, most, log) in _SPACE.items()
    }
    return values | {"factors": trial.suggest_categorical("factors", list(factors))}


class _Enough(Exception):
    """More epochs would not help."""


def _best_epoch(pairs: Pairs, settings: AlsSettings, top_k: int, threads: int, trial: Trial) -> tuple[float, int]:
    """Train, and return the best NDCG of all epochs and which epoch that was."""
    best, at = -1.0, 0

    def measure(epoch: int, model: ALS) -> None:
        nonlocal best, at
        found = ndcg(model, pairs, top_k, threads)
        if found > best:
            best, at = found, epoch
        trial.report(found, epoch)
        if trial.should_prune() or epoch >= at + PATIENCE:
            raise _Enough

    with suppress(_Enough):
        ALS.fit(pairs.train, settings, threads=threads, on_epoch=measure)
    return best, at


def ndcg(model: ALS, pairs: Pairs, top_k: int, threads: int = 0) -> float:
    """Return the mean NDCG@`top_k` over the users with something to find.

    Raises:
        NothingToEvaluate: there is no such user.
    """
    users = np.flatnonzero(np.diff(pairs.validation.indptr))
    if not len(users):
        raise NothingToEvaluate("there is no pair to find", hint="import more events, or split otherwise")
    wanted = pairs.validation[users]
    lists, _ = model.recommend(users, top_k, exclude=pairs.seen[users], threads=threads)
    return float(metrics.ndcg(metrics.find_hits(lists, wanted), np.diff(wanted.indptr).astype(np.int64)).mean())


def _study(journal: Path, name: str, seed: int) -> Study:
    try:
        import optuna  # noqa: PLC0415 - an extra
        from optuna.storages import JournalStorage  # noqa: PLC0415
        from optuna.storages.journal import JournalFileBackend  # noqa: PLC0415
    except ImportError as error:
        raise ExtraMissing("tuning needs Optuna", hint="pip install 'mgw[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=name,
        storage=JournalStorage(JournalFileBackend(str(journal))),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=6, n_warmup_steps=2),
        direction="maximize",
        load_if_exists=True,
    )
    # A run that goes on does not draw again what the one before it drew.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), multivariate=True)
    return study


def _tuned(study: Study, settings: AlsSettings) -> Tuned:
    measured = [trial for trial in study.trials if trial.value is not None]
    best: FrozenTrial = max(measured, key=lambda trial: (trial.value or 0.0, -trial.number))
    found = replace(settings, **best.params, epochs=best.user_attrs["epochs"])
    # A trial that ends early has fewer epochs than it could, and not because they stopped helping.
    given_up = sum(
        max(trial.intermediate_values, default=0) < min(settings.epochs, trial.user_attrs["epochs"] + PATIENCE)
        for trial in measured
    )
    return Tuned(found, best.value or 0.0, len(measured), given_up)
