-- The regions that windows of availability name.
SELECT DISTINCT region FROM content_availability WHERE region IS NOT NULL ORDER BY region;
