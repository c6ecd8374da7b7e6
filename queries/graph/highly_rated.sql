-- What each of some users, in their latest events, watched to the end or rated highly, the most certain first, for all
-- users at once.
SELECT u.user_id, best.content_id, best.completion_rate, best.rating
FROM unnest(:user_ids::bigint[]) AS u (user_id)
CROSS JOIN LATERAL (
    SELECT e.content_id, max(e.completion_rate) AS completion_rate, max(e.rating) AS rating
    FROM (
        SELECT l.content_id, l.completion_rate, l.rating, l.dismissed, l.at
        FROM viewing_events l
        WHERE l.user_id = u.user_id
        ORDER BY l.at DESC NULLS LAST, l.content_id
        LIMIT :events_per_user
    ) AS e
    GROUP BY e.content_id
    HAVING max(e.completion_rate) >= :minimum_completion::real AND NOT bool_or(e.dismissed)
    ORDER BY rating DESC NULLS LAST, completion_rate DESC, max(e.at) DESC NULLS LAST, e.content_id
    LIMIT :per_user
) AS best;
