-- When something was watched last; nothing where nobody knows.
-- returns: one
SELECT max(v.at) AS at FROM viewing_events v;
