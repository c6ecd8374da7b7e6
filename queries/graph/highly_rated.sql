-- What some users watched to the end and did not rate low, each user's latest, with the votes of all of them: a user's
-- vote on a title is what the caller weighs the user with, times how far they watched it.
-- pipelined
-- column vote: not null
SELECT watched.content_id, sum(watched.vote) AS vote
FROM (
    SELECT best.content_id, max(u.weight * best.completion_rate) AS vote
    FROM unnest(:user_ids::bigint[], :user_weights::double precision[]) AS u (user_id, weight)
    CROSS JOIN LATERAL (
        SELECT e.content_id, e.completion_rate
        FROM viewing_events e
        WHERE e.user_id = u.user_id
            AND e.completion_rate >= :minimum_completion::real
            AND NOT e.dismissed
            AND (e.rating IS NULL OR e.rating >= :minimum_rating::real)
        ORDER BY e.at DESC NULLS LAST, e.content_id
        LIMIT :per_user
    ) AS best
    GROUP BY u.user_id, best.content_id
) AS watched
GROUP BY watched.content_id
ORDER BY vote DESC, watched.content_id
LIMIT :top_k;
