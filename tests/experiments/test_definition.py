"""Definitions: what is refused, with the line, and what a ramp lets in."""

from __future__ import annotations

import pytest

from mgw.core.errors import ExperimentInvalid, FileUnreadable
from mgw.core.settings import Settings
from mgw.experiments.definition import check
from mgw.experiments.files import read_definition

GOOD = """\
name: blend
variants:
  - {name: control, weight: 0.5}
  - name: more
    weight: 0.5
    config: {blend: {content: 0.4}, adapter: false}
metrics:
  - {name: watched, kind: count, event: viewing.titles}
namespace: {name: home, from: 0, to: 0.5}
"""


def read(tmp_path, text):
    path = tmp_path / "e.yaml"
    path.write_text(text, encoding="utf-8")
    return read_definition(path)


def test_a_file_is_read(tmp_path):
    found = read(tmp_path, GOOD)
    assert (found.weights, found.events, found.traffic_after(0)) == ([0.5, 0.5], {"viewing.titles"}, 1.0)
    assert found.part.places.end == 0.5
    config = found.variants[1].config
    assert config.blend_over(Settings()).content == 0.4
    assert config.blend_over(Settings()).graph == Settings().blend.graph


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "weight: 0.5\n    config",
            "weight: half\n    config",
            r"e\.yaml:5:5: variants\[1\]\.weight: Expected a number, got text",
        ),
        ("weight: 0.5}", "weight: 0.4}", "sum to 0.9"),
        ("kind: count", "kind: counts", r"e\.yaml:8:21: metrics\[0\]\.kind: Invalid enum value 'counts'"),
        ("name: more", "name: control", "two variants of the name"),
        ("from: 0, to: 0.5", "from: 0.5, to: 0.5", "ends before it begins"),
        ("event: viewing.titles", "event: viewing.hours", "not read from viewing"),
        ("content: 0.4", "contents: 0.4", "unknown field `contents`"),
        ("content: 0.4", "content: -1", "Expected a number >= 0"),
        (
            "adapter: false",
            "adapters: false",
            r"6:37: variants\[1\]\.config\.adapters: there is no such key; did you mean adapter\?",
        ),
        ("kind: count", "kind: ratio", "`per` is what a ratio takes"),
        ("kind: count", "kind: quantile", "`quantile` is what a quantile takes"),
        ("kind: count", "kind: binary, winsorize: 0.9", "not winsorized"),
        ("kind: count", "guardrail: true", "the one that decides first|is a guardrail"),
        ("kind: count", "margin: 0.1", "`margin` is what a guardrail takes"),
        ("namespace:", "targeting: {country: DE}\nnamespace:", "targeting.country: nobody knows that"),
        ("namespace:", "forced: {ann: most}\nnamespace:", "there is no variant 'most'"),
        ("namespace:", "analysis: {method: fixed}\nnamespace:", "takes the number of users"),
        ("namespace:", "ramp: [{after_days: 1, traffic: 1}, {after_days: 2, traffic: 0.5}]\nnamespace:", "each step"),
        ("name: blend", "name: blend\nname: again", "already set on line 1"),
        (GOOD, "- a\n", "must be a mapping"),
        (GOOD, "", "name: this key is missing"),
        ("variants:", "variants: [\n", "e.yaml"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(ExperimentInvalid, match=said) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert "e.yaml" in caught.value.message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FileUnreadable, match=r"none\.yaml"):
        read_definition(tmp_path / "none.yaml")
    with pytest.raises(FileUnreadable):
        read_definition(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: é".encode("latin-1"))
    with pytest.raises(ExperimentInvalid, match="UTF-8"):
        read_definition(tmp_path / "latin.yaml")


def test_a_ramp_lets_more_in_step_by_step(define):
    ramp = [{"after_days": 1, "traffic": 0.1}, {"after_days": 3, "traffic": 1.0}]
    found = define(ramp=ramp)
    check(found)
    assert [found.traffic_after(86_400 * days) for days in (0.0, 1.0, 2.9, 3.0, 90.0)] == [0.0, 0.1, 0.1, 1.0, 1.0]


def test_interleaving_takes_two_equal_variants(define):
    check(define(interleave=True))
    three = [{"name": name, "weight": 1 / 3} for name in "abc"]
    with pytest.raises(ExperimentInvalid, match="interleave"):
        check(define(interleave=True, variants=three))
