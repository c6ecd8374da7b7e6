"""The files that travel with the program are found in a wheel and in a checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mgw.core import resources
from mgw.core.errors import FileUnreadable
from mgw.core.resources import resource

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "mgw"
    package.mkdir()
    return package


def test_this_checkout_has_all_of_them():
    assert (resource("configs") / "mgw.yaml").is_file()
    assert next(resource("queries").rglob("*.sql"))
    assert next(resource("migrations").glob("*.sql"))


def test_in_a_wheel_they_are_inside_the_package(package):
    (package / "_resources" / "queries").mkdir(parents=True)
    (package / "migrations").mkdir()
    assert resources._find("queries", package) == package / "_resources" / "queries"
    assert resources._find("migrations", package) == package / "migrations"


def test_in_a_checkout_they_are_beside_the_package(package):
    (package.parent / "pyproject.toml").touch()
    (package.parent / "queries").mkdir()
    assert resources._find("queries", package) == package.parent / "queries"


def test_the_inside_comes_first(package):
    (package.parent / "pyproject.toml").touch()
    (package.parent / "queries").mkdir()
    (package / "_resources" / "queries").mkdir(parents=True)
    assert resources._find("queries", package) == package / "_resources" / "queries"


def test_a_folder_beside_an_installed_package_is_not_ours(package):
    (package.parent / "queries").mkdir()
    with pytest.raises(FileUnreadable, match=r"_resources/queries of this installation is missing") as caught:
        resources._find("queries", package)
    assert caught.value.hint == "install mgw again"
