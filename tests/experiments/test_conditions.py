"""Conditions: the published cases, and what is refused before it is ever asked."""

from __future__ import annotations

import json
import re

import pytest

from mgw.core.errors import ExperimentInvalid
from mgw.experiments.conditions import check_condition, holds, names_of

# Version numbers and saved groups are left out, and so are attributes whose names begin as operators do.
LEFT_OUT = re.compile(r'"\$(v[a-z]+|inGroup|notInGroup|groups)"')


def test_published_conditions(growthbook_cases):
    evaluated = 0
    for name, condition, attributes, expected, *_ in growthbook_cases["evalCondition"]:
        if LEFT_OUT.search(json.dumps(condition)):
            continue
        try:
            check_condition(condition)
        except ExperimentInvalid:
            assert not expected, name  # what is refused here is never true there
            continue
        assert holds(condition, attributes) == expected, name
        evaluated += 1
    assert evaluated > 130


def test_what_the_recommender_knows_can_be_asked_for():
    condition = {"device_type": {"$in": ["tv", "tablet"]}, "titles_seen": {"$gte": 20}}
    assert holds(condition, {"device_type": "tv", "titles_seen": 20})
    assert not holds(condition, {"device_type": "phone", "titles_seen": 20})
    assert not holds(condition, {"device_type": "tv"})
    assert holds({}, {})
    assert names_of({"$or": [{"a": 1}, {"$not": {"b.c": {"$gt": 2}}}]}) == {"a", "b.c"}


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"a": {"$like": "x"}}, r"targeting\.a\.\$like: there is no such operator"),
        ({"$xor": []}, r"targeting\.\$xor"),
        ({"$or": {"a": 1}}, "list of conditions"),
        ({"$not": [1]}, "takes a condition"),
        ({"a": {"$in": "x"}}, "takes a list"),
        ({"a": {"$regex": "("}}, "no regular expression"),
        ({"$and": [{"a": {"$not": {"$in": 3}}}]}, r"\$and\.a\.\$not\.\$in: takes a list"),
        ({"a": {"$elemMatch": 3}}, "takes a condition"),
    ],
)
def test_a_condition_that_can_never_be_asked_is_refused(condition, said):
    with pytest.raises(ExperimentInvalid, match=said):
        check_condition(condition)
