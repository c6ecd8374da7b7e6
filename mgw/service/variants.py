"""An answer by the variants that its user is in: their configs laid over the settings, in the order of the experiments.

An interleaved experiment has no variant for a user: both of its rankings are made, and one list is drafted from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from mgw.experiments.interleaving import team_draft
from mgw.experiments.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import DiversitySettings, Settings
    from mgw.recommend.context import Context
    from mgw.recommend.eligibility import Eligibility
    from mgw.recommend.hybrid import Answer, Evidence, Hybrid, Recommended
    from mgw.service.experiments import Part
    from mgw.service.messages import RecommendationsRequest
    from mgw.service.models import Model, Models


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to answer.

    Attributes:
        hybrid: what answers.
        diversity: how its list is made various.
    """

    hybrid: Hybrid
    diversity: DiversitySettings


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answer to a request is made from.

    Attributes:
        parts: of experiments that the user takes part in.
        arms: one, or two that are interleaved.
        evidence: of the user, for each arm.
    """

    parts: tuple[Part, ...]
    arms: tuple[Arm, ...]
    evidence: tuple[Evidence, ...]

    @property
    def interleaved(self) -> Part | None:
        """The experiment whose rankings are interleaved."""
        return next((part for part in self.parts if part.running.definition.interleave), None)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that was made.

    Attributes:
        answer: of the arm, or of the first one.
        recommendations: best first.
        propensities: of each place; none where rankings were interleaved.
        teams: which arm named each title; none where there is one arm.
    """

    answer: Answer
    recommendations: tuple[Recommended, ...]
    propensities: tuple[float, ...]
    teams: tuple[int, ...] = ()


def choose_arms(model: Model, models: Models, parts: Sequence[Part], settings: Settings) -> tuple[Arm, ...]:
    """Lay the configs of variants over the settings."""
    overlays = [
        variant.config
        for part in parts
        if not part.running.definition.interleave and (variant := part.running.variant(part.placement)) is not None
    ]
    shared = reduce(or_, overlays, Overlay())
    interleaved = next((part.running.definition for part in parts if part.running.definition.interleave), None)
    if interleaved is None:
        return (_arm(model, models, shared, settings),)
    return tuple(_arm(model, models, shared | variant.config, settings) for variant in interleaved.variants)


def read_evidence(
    connection: Connection[TupleRow], model: Model, arms: Sequence[Arm], user_id: str
) -> tuple[Evidence, ...]:
    """Read what is known of a user, for each arm."""
    model.hybrid.prepare(connection)
    return tuple(arm.hybrid.read(connection, user_id) for arm in arms)


def make_list(
    asked: Asked, request: RecommendationsRequest, top_k: int, context: Context, eligibility: Eligibility
) -> Listed:
    """Recommend titles."""
    rng = np.random.default_rng()
    answers = [
        arm.hybrid.answer(
            evidence,
            top_k,
            context=context,
            stated_genres=request.genres,
            eligibility=eligibility,
            diversity=_diversity(arm, request),
            rng=rng,
        )
        for arm, evidence in zip(asked.arms, asked.evidence, strict=True)
    ]
    if len(answers) == 1:
        (answer,) = answers
        return Listed(answer, answer.recommendations, tuple(each.propensity for each in answer.recommendations))
    by_id = [{each.content_id: each for each in answer.recommendations} for answer in answers]
    drafted, teams = team_draft(list(by_id[0]), list(by_id[1]), top_k, rng)
    listed = tuple(by_id[team][content_id] for content_id, team in zip(drafted, teams, strict=True))
    return Listed(answers[0], listed, (), tuple(teams))


def labels_of(asked: Asked, made: Listed) -> tuple[str, ...]:
    """Return, for each title, the experiments and variants that it is shown by, `experiment:variant`."""
    shared = [part.label for part in asked.parts if part is not asked.interleaved]
    if asked.interleaved is None:
        return (",".join(shared),) * len(made.recommendations)
    definition = asked.interleaved.running.definition
    own = [f"{definition.name}:{variant.name}" for variant in definition.variants]
    return tuple(",".join([*shared, own[team]]) for team in made.teams)


def _arm(model: Model, models: Models, overlay: Overlay, settings: Settings) -> Arm:
    hybrid = model.hybrid if overlay.model is None else models.hybrid(overlay.model)
    if overlay.blend:
        hybrid = hybrid.with_blend(overlay.blend_over(settings))
    if overlay.adapter is False:
        hybrid = hybrid.with_adapters(None)
    return Arm(hybrid, overlay.diversity_over(settings))


def _diversity(arm: Arm, request: RecommendationsRequest) -> DiversitySettings:
    if request.diversity_threshold is None:
        return arm.diversity
    return msgspec.structs.replace(arm.diversity, threshold=request.diversity_threshold)
