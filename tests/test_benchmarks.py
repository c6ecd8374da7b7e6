"""Tests of the driver of the benchmarks: nothing is left out, and what goes wrong is told."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "benchmarks"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the benchmarks are not part of this distribution")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("mgw_benchmarks_all", FOLDER / "all.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    for name in ("datasets", "machine"):  # what it imports goes with it
        monkeypatch.delitem(sys.modules, name, raising=False)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "busy_share", lambda: 0.0)
    yield module
    for name in ("datasets", "machine"):
        sys.modules.pop(name, None)


@pytest.fixture
def say(driver: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let every benchmark be a program of one's own."""

    def replace(program: str) -> None:
        monkeypatch.setattr(driver, "command", lambda _benchmark, **_given: [sys.executable, "-c", program])

    return replace


def test_every_benchmark_is_in_the_table(driver: Any) -> None:
    files = {f"benchmarks/{path.name}" for path in FOLDER.glob("*.py") if path.name not in driver.HELPERS}
    assert files == {each.path for each in driver.TABLE}
    assert len({each.name for each in driver.TABLE}) == len(driver.TABLE)


def test_all_of_them_take_about_half_an_hour(driver: Any) -> None:
    assert sum(each.minutes for each in driver.TABLE) <= 35


def test_a_small_one_runs_and_has_a_section_with_figures(driver: Any, tmp_path: Path) -> None:
    to = tmp_path / "found.md"
    assert driver.main(["--quick", "--only", "audit", "--out", str(to)]) == 0
    text = to.read_text(encoding="utf-8")
    assert "## audit" in text
    assert "**Ran** on" in text
    assert "$ python benchmarks/audit.py --entries 5000" in text
    assert "| the slowest page of any filter |" in text
    assert "seed 0" in text
    assert str(FOLDER.parent) not in text
    assert "| journey | not run yet |" in text


def test_one_that_fails_is_told_and_the_exit_code_says_so(driver: Any, say: Any, tmp_path: Path) -> None:
    say("print('so far'); raise SystemExit('nothing listens')")
    to = tmp_path / "found.md"
    assert driver.main(["--quick", "--only", "sql", "lint", "--out", str(to)]) == 1
    text = to.read_text(encoding="utf-8")
    assert text.count("**Failed** on") == 2
    assert "min: nothing listens." in text
    assert "so far" in text


@pytest.mark.parametrize(
    ("program", "result", "reason"),
    [
        ("import sys; print('SKIPPED: no data', file=sys.stderr)", "Skipped", "no data"),
        ("import sys; print('SKIPPED: no data', file=sys.stderr); print('7')", "Ran in part", "no data"),
        ("import a_peer_that_is_not_there", "Skipped", "a_peer_that_is_not_there is not installed"),
        ("import mgw.not_there", "Failed", "ModuleNotFoundError"),
        ("import sys; print('FAILED: 3 wrong\\nlater', file=sys.stderr); sys.exit(1)", "Failed", "3 wrong"),
    ],
)
def test_the_reason_is_told(driver: Any, say: Any, program: str, result: str, reason: str) -> None:
    say(program)
    found = driver.run(driver.TABLE[0], quick=True)
    assert found.result == result
    assert reason in found.reason


def test_one_that_hangs_is_ended_and_told(driver: Any, say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    say("import time; time.sleep(100)")
    monkeypatch.setattr(driver, "limit", lambda _benchmark: 0.005)
    found = driver.run(driver.TABLE[0], quick=True)
    assert (found.result, found.reason) == ("Failed", "it was not done after 0.005 minutes")


def test_sections_that_were_not_run_stay_and_have_the_order_of_the_table(driver: Any, say: Any, tmp_path: Path) -> None:
    to = tmp_path / "found.md"
    say("print('the last')")
    driver.main(["--quick", "--only", "audit", "--out", str(to)])
    audit = driver.read_sections(to)["audit"]
    say("print('the first')")
    driver.main(["--quick", "--only", "journey", "--out", str(to)])
    text = to.read_text(encoding="utf-8")
    assert audit in text
    assert text.index("the first") < text.index("the last")


def test_a_table_has_ratios_and_the_overview_their_range(driver: Any) -> None:
    rows = [
        {"what": what, "ours": 1.0, "unit": "s", "peer": "slow", "theirs": ratio, "ratio": ratio}
        for what, ratio in (("a", 2.0), ("b", 3.5))
    ]
    text = driver.table(rows)
    assert "| b | 1 s | slow | 3.50 s | 3.50 |" in text
    assert driver.beside_peers(text) == "slow 2.00 to 3.50"


def test_a_target_that_was_not_reached_is_told(driver: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import machine  # noqa: PLC0415 - of the benchmarks' folder

    monkeypatch.setenv(machine.ROWS, str(tmp_path / "rows"))
    machine.add_row("to the loss", float("nan"), "s", peer="other", theirs=2.0)
    row = json.loads((tmp_path / "rows").read_text(encoding="utf-8"))
    assert "| to the loss | not reached | other | 2 s |  |" in driver.table([row])


def test_quick_figures_do_not_go_where_real_ones_are(driver: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        driver.main(["--quick"])
    assert "--out FILE" in capsys.readouterr().err
