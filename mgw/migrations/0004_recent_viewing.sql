-- What the graph reads of a title and of a user is their latest events: indexes in that order, so that it reads no others.
CREATE INDEX ON viewing_events (content_id, at DESC NULLS LAST, user_id);
CREATE INDEX ON viewing_events (user_id, at DESC NULLS LAST, content_id);
