-- The regions that windows of availability name; there are as many as a platform serves.
-- mgw: noqa[MGWQ009]
SELECT DISTINCT region FROM content_availability WHERE region IS NOT NULL ORDER BY region;
