-- Where the chain ends, and where it begins behind what was purged.
-- returns: one
SELECT position, hash, purged_position, purged_hash FROM audit_ends;
