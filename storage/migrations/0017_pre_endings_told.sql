-- Who was told that a warning fell or was closed: those notices have no rung.

CREATE INDEX notice_ending ON notice (occurrence, created)
    WHERE step IS NULL AND body ->> 'reason' IN ('fallen', 'closed');
