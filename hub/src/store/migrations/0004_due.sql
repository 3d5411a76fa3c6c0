-- When the window of a visit that waits or is expected will have passed, Unix seconds; null where nobody waits for it
-- any more, and 0 where it was never asked.
ALTER TABLE visit ADD COLUMN due INTEGER DEFAULT 0;
CREATE INDEX visit_due ON visit (organisation, due) WHERE due IS NOT NULL;
