-- What a profile is made from, so that new events are added to it without reading the others again. Where as_of is null,
-- it has to be made anew.
ALTER TABLE user_profiles
    ADD COLUMN as_of timestamptz, -- the latest event, to which all weights are decayed
    ADD COLUMN preference_length double precision NOT NULL DEFAULT 0, -- of the preference vector before it was scaled
    ADD COLUMN genre_sums double precision[] NOT NULL DEFAULT '{}', -- liked weight of each genre, in the snapshot's order
    ADD COLUMN liked_sum double precision NOT NULL DEFAULT 0, -- liked weight of all events
    ADD COLUMN basis text NOT NULL DEFAULT '', -- the settings that decide the weights
    ADD COLUMN events_stored integer NOT NULL DEFAULT 0; -- events of the user, those on titles that the snapshot lacks too
