-- What the graph reads of an event is in the index itself, so that no event is looked up for it: those of one user or one
-- title lie scattered over the whole table. The index on (content_id, user_id) has become a part of one of these.
DROP INDEX IF EXISTS
    viewing_events_content_id_user_id_idx,
    viewing_events_content_id_at_user_id_idx,
    viewing_events_user_id_at_content_id_idx;
CREATE INDEX ON viewing_events (content_id, at DESC NULLS LAST, user_id) INCLUDE (completion_rate);
CREATE INDEX ON viewing_events (user_id, at DESC NULLS LAST, content_id) INCLUDE (completion_rate, rating, dismissed);
