-- May triggers be left out? Only with the privilege, and where foreign keys are all that they do.
SELECT
    has_parameter_privilege('session_replication_role', 'SET')
    AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'viewing_events'::regclass AND NOT tgisinternal) AS permitted;
