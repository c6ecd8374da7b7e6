-- Every viewing event as PostgreSQL's binary form of its values, one behind the other, a row for each user.
--
-- All values are of fixed width, so a row is an array as it stands (see mgw.recommend.source), and a million events
-- come in as many rows as there are users.
-- returns: copy
-- scan viewing_events: training reads all of them
SELECT
    string_agg(
        int8send(user_id)
        || int8send(content_id)
        || float8send(coalesce(extract(epoch FROM at)::float8, 'NaN'))
        || float4send(completion_rate)
        || float4send(coalesce(rating, 'NaN'))
        || boolsend(is_rewatch)
        || boolsend(dismissed),
        ''
    ) AS events
FROM viewing_events
GROUP BY user_id;
