-- Fresh statistics, so that the first queries after an import are planned well.
-- utility
ANALYZE content_availability;
