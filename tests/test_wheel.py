"""The wheel in an environment far from the checkout: queries, configuration and migrations travel inside it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The path of `mgw` in a new environment that holds the built wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = built("wheel", ROOT, folder)
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    run([sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", "-q", str(wheel)])
    site = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
    # A line in a .pth file is a folder to import from; .pth files inside it, our editable install's, do not count.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "venv" / "bin" / "mgw"


def built(kind, source, folder):
    """Build one kind of distribution from a folder."""
    run([sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)], cwd=source)
    return list(folder.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def run(command, **options):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MGW_", "PYTHON"))}
    finished = subprocess.run(command, env=clean, capture_output=True, text=True, check=False, **options)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_installed_program_is_the_wheel_and_not_the_checkout(installed, tmp_path):
    where = run([str(installed.with_name("python")), "-c", "import mgw; print(mgw.__file__)"], cwd=tmp_path)
    assert where.startswith(str(installed.parents[1]))


def test_init_sample_train_and_recommend_work_from_the_wheel(installed, tmp_path):
    for arguments in (
        ["init"],
        ["sample", "--users", "100", "--titles", "80", "--events", "3000"],
        ["train", "als", "--factors", "8"],
    ):
        run([str(installed), *arguments], cwd=tmp_path)
    found = json.loads(run([str(installed), "recommend", "u00007", "--json"], cwd=tmp_path))
    assert len(found["recommendations"]) == 10
    assert (tmp_path / "mgw.yaml").read_bytes() == (ROOT / "configs" / "mgw.yaml").read_bytes()


def test_the_queries_of_an_installed_program_are_proved_too(installed, tmp_path):
    said = run([str(installed), "check"], cwd=tmp_path)
    assert re.fullmatch(r"1\d\d queries: everything is current\n", said)


def test_a_distribution_is_the_same_bytes_wherever_and_from_whatever_it_is_built(tmp_path):
    (sdist,) = built("sdist", ROOT, tmp_path / "a")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    (folder,) = (tmp_path / "out").iterdir()
    (again,) = built("sdist", folder, tmp_path / "b")
    (wheel,) = built("wheel", ROOT, tmp_path / "c")
    (from_sdist,) = built("wheel", folder, tmp_path / "d")
    assert again.read_bytes() == sdist.read_bytes()
    assert from_sdist.read_bytes() == wheel.read_bytes()
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".orig"))]
    assert not [name for name in names if not name.startswith(("mgw/", "mgw-"))]
