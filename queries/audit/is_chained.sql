-- Whether there is a trail that an entry can be added to.
SELECT to_regclass('audit_ends') IS NOT NULL AS is_chained;
