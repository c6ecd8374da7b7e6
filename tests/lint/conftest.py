"""A project made from a half of a case file."""

from __future__ import annotations

import pytest

from .case_files import write_project


@pytest.fixture
def project(tmp_path):
    def make(case):
        return write_project(tmp_path, case)

    return make
