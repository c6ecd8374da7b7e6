"""What is read from the database for training against the same rows read one by one."""

import math

import numpy as np
import pytest

from mgw.core.errors import NoEvents
from mgw.recommend.engagement import engagement
from mgw.recommend.source import read_training_data


def test_every_event_is_read_with_its_user_title_time_and_label(platform):
    rows = platform.execute(
        "SELECT u.external_id, c.external_id, extract(epoch FROM at)::float8, completion_rate, rating, is_rewatch,"
        " dismissed FROM viewing_events e JOIN users u ON u.id = user_id JOIN content c ON c.id = content_id"
    ).fetchall()
    platform.commit()
    expected = set()
    for user, content, at, completion, rating, is_rewatch, dismissed in rows:
        one = [np.array([value], dtype=np.float32) for value in (completion, math.nan if rating is None else rating)]
        label = engagement(*one, np.array([is_rewatch]), np.array([dismissed]))
        expected.add((user, content, at, float(label[0])))

    data = read_training_data(platform)
    found = {
        (data.user_ids[user].decode(), data.content_ids[item].decode(), at, float(label))
        for user, item, at, label in zip(
            data.events.users, data.events.items, data.events.at, data.events.engagement, strict=True
        )
    }
    assert len(data.events) == len(rows) == 2400
    assert found == expected


def test_titles_nobody_watched_are_columns_and_users_without_events_are_no_rows(platform):
    platform.execute("INSERT INTO content (external_id, title) VALUES ('new', 'New')")
    platform.execute("INSERT INTO users (external_id) VALUES ('idle')")
    platform.commit()
    data = read_training_data(platform)
    assert b"new" in data.content_ids
    assert b"idle" not in data.user_ids
    assert (data.events.n_users, data.events.n_items) == (60, 81)


def test_an_event_without_a_time_has_none(platform):
    platform.execute("UPDATE viewing_events SET at = NULL WHERE (user_id, content_id, at) = "
                     "(SELECT user_id, content_id, at FROM viewing_events LIMIT 1)")  # fmt: skip
    platform.commit()
    assert np.isnan(read_training_data(platform).events.at).sum() == 1


def test_ids_that_are_not_ascii_survive(platform):
    platform.execute("UPDATE users SET external_id = 'пользователь-é' WHERE external_id = 'u00001'")
    platform.commit()
    assert "пользователь-é" in {name.decode() for name in read_training_data(platform).user_ids}


def test_a_database_without_events_is_an_answer_not_a_crash(database):
    with pytest.raises(NoEvents, match="no viewing events"):
        read_training_data(database)
