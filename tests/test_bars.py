"""The bars that a library's user draws, on a console that keeps what it was told."""

import io

from rich.console import Console

from mgw.bars import bars
from mgw.core.settings import AlsSettings
from mgw.recommend import ALS

from .recommend.als.test_model import random_matrix


def drawn(**options):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system=None, width=80)
    with bars(console, **options) as progress:
        ALS.fit(random_matrix(), AlsSettings(factors=4, epochs=3), progress=progress)
    return screen.getvalue()


def test_a_training_is_drawn_to_its_end():
    bar = [line for line in drawn().splitlines() if "training ALS" in line][-1]
    assert "100%" in bar


def test_nothing_is_drawn_where_it_is_not_wanted():
    assert "training" not in drawn(disable=True)


def test_a_stage_without_an_end_is_full_when_it_has_ended():
    screen = io.StringIO()
    with bars(Console(file=screen, force_terminal=True, color_system=None, width=80)) as progress:
        with progress.stage("reading") as stage:
            stage.advance(7)
        with progress.stage("nothing to do", 0):
            pass
    assert screen.getvalue().count("100%") >= 2
