-- Those of some ids that content has.
SELECT external_id FROM content WHERE external_id = ANY(:content_ids);
