-- Every viewing event in columns of fixed width, so that a binary COPY of it is one array (see mgw.recommend.source).
-- returns: copy
SELECT
    user_id,
    content_id,
    coalesce(extract(epoch FROM at)::float8, 'NaN') AS at,
    completion_rate,
    coalesce(rating, 'NaN') AS rating,
    is_rewatch,
    dismissed
FROM viewing_events;
