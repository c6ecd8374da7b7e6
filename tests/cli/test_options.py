"""Options and arguments that several commands share."""

from __future__ import annotations

import pytest
from commands import mgw

OF_A_USER = ("recommend", "profile", "experiment assign", "adapters list", "adapters show", "token")
AT_A_MOMENT = ("recommend", "similar", "experiment assign", "experiment record")


@pytest.mark.parametrize("command", OF_A_USER)
def test_a_user_without_a_name_is_refused(tmp_path, command):
    code, said, beside = mgw(tmp_path, *command.split(), "")
    assert (code, said) == (2, "")
    assert beside.startswith("error[USAGE_INVALID]: a user's id is not empty\n  hint: ")
    assert not (tmp_path / ".mgw").exists()


@pytest.mark.parametrize("command", AT_A_MOMENT)
def test_help_says_all_that_a_moment_may_be(tmp_path, command):
    code, said, _ = mgw(tmp_path, *command.split(), "--help")
    assert (code, "ISO 8601, or how long ago: 90d, 12h, 30m. Default: now." in " ".join(said.split())) == (0, True)
