-- How many different windows there are to bring in, and of how many titles.
-- needs: ingest/stage_availability
SELECT count(DISTINCT (content_id, region, starts_at, ends_at)) AS windows, count(DISTINCT content_id) AS titles
FROM staged_availability;
