"""A training that was cut short goes on, and ends as if nothing had happened."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from mgw.core.artifacts import ModelStore
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings
from mgw.recommend.als import ALS
from mgw.recommend.als.solver import Begun
from mgw.recommend.checkpoint import Checkpoint
from mgw.recommend.source import read_training_data
from mgw.recommend.training import fit_resumably, train_als

from .als.test_model import random_matrix

SETTINGS = AlsSettings(factors=6, epochs=9)


class CutShort(Exception):
    pass


def checkpoint(folder, **changes):
    kept = {"settings": SETTINGS, "fingerprint": "sha256:1", "interval_s": 0.0, **changes}
    return Checkpoint(folder / "checkpoints", **kept)


seen_from = []


def fit(folder, *, resume, until=None):
    """Fit with a checkpoint after every epoch, and fail after epoch `until`."""
    kept = checkpoint(folder)
    seen = []

    class Failing(Checkpoint):
        def note(self, begun):
            super().note(begun)
            seen.append(begun.epoch)
            if begun.epoch == until:
                raise CutShort

    failing = Failing(kept.folder, kept.settings, kept.fingerprint, 0.0)
    told = seen_from.append if resume else None
    return fit_resumably(random_matrix(), failing, on_resumed=told, threads=1, progress=SILENT), seen


def test_it_ends_with_the_same_bits(tmp_path):
    whole = ALS.fit(random_matrix(), SETTINGS)
    with pytest.raises(CutShort):
        fit(tmp_path, resume=False, until=4)
    assert checkpoint(tmp_path).read().epoch == 4
    assert len(ModelStore(tmp_path / "checkpoints").names()) == 1  # those before it are gone
    resumed, epochs = fit(tmp_path, resume=True)
    assert (seen_from[-1], epochs) == (4, [5, 6, 7, 8, 9])
    assert resumed.user_factors.tobytes() == whole.user_factors.tobytes()
    assert resumed.item_factors.tobytes() == whole.item_factors.tobytes()


def test_without_resume_it_begins_anew(tmp_path):
    with pytest.raises(CutShort):
        fit(tmp_path, resume=False, until=2)
    assert fit(tmp_path, resume=False)[1] == list(range(1, 10))


def test_nothing_kept_or_of_another_training_or_damaged_begins_anew(tmp_path):
    assert checkpoint(tmp_path).read() is None
    with pytest.raises(CutShort):
        fit(tmp_path, resume=False, until=2)
    assert checkpoint(tmp_path, fingerprint="sha256:2").read() is None
    assert checkpoint(tmp_path, settings=replace(SETTINGS, factors=7)).read() is None
    assert checkpoint(tmp_path, settings=replace(SETTINGS, epochs=50)).read().epoch == 2
    name = ModelStore(tmp_path / "checkpoints").current_name()
    (tmp_path / "checkpoints" / name / "item_factors.npy").write_bytes(b"nothing")
    assert checkpoint(tmp_path).read() is None


def test_more_epochs_than_before_go_on_from_there(tmp_path):
    with pytest.raises(CutShort):
        fit(tmp_path, resume=False, until=9)
    more = checkpoint(tmp_path, settings=replace(SETTINGS, epochs=12))
    resumed = fit_resumably(random_matrix(), more, on_resumed=seen_from.append, threads=1, progress=SILENT)
    assert resumed.item_factors.tobytes() == ALS.fit(random_matrix(), more.settings).item_factors.tobytes()


def test_a_checkpoint_is_not_written_more_often_than_it_should(tmp_path):
    rare = checkpoint(tmp_path, interval_s=3600.0)
    rare.note(Begun(1, np.zeros((2, 6), np.float32), np.zeros((3, 6), np.float32)))
    assert not (tmp_path / "checkpoints").exists()


def test_another_training_may_take_the_checkpoints_away(tmp_path):
    mine = checkpoint(tmp_path)
    factors = np.ones((2, 6), np.float32), np.ones((3, 6), np.float32)
    mine.note(Begun(1, *factors))
    checkpoint(tmp_path).clear()
    mine.note(Begun(2, *factors))
    assert mine.read().epoch == 2


def test_nothing_to_go_on_from_is_said(tmp_path):
    fit(tmp_path, resume=True)
    assert seen_from[-1] == 0


def test_a_published_model_leaves_no_checkpoint(platform, tmp_path):
    data = read_training_data(platform)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    train_als(data, ModelStore(tmp_path / "models"), SETTINGS, threads=0, progress=SILENT, checkpoints=folder)
    assert not folder.exists()


def test_a_killed_process_leaves_a_checkpoint_that_is_whole(tmp_path):
    program = f"""
import pathlib, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from als.test_model import random_matrix
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings
from mgw.recommend.checkpoint import Checkpoint
from mgw.recommend.training import fit_resumably
settings = AlsSettings(factors=6, epochs=100000)
kept = Checkpoint(pathlib.Path({str(tmp_path / "checkpoints")!r}), settings, "sha256:1", 0.0)
fit_resumably(random_matrix(), kept, on_resumed=None, threads=1, progress=SILENT)
"""
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        deadline = time.monotonic() + 60
        while ModelStore(tmp_path / "checkpoints").current_name() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    found = checkpoint(tmp_path, settings=AlsSettings(factors=6, epochs=100000)).read()
    assert found is not None
    assert found.epoch >= 1
