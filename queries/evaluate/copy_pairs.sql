-- Fill the table of pairs.
-- utility
COPY known_pairs (user_id, content_id, until) FROM STDIN;
