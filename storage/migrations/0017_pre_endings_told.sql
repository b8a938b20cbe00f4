-- Who was told that a warning rose, fell or was closed, beside its rungs: those notices have no rung.

CREATE INDEX notice_ending ON notice (occurrence, created)
    WHERE step IS NULL AND body ->> 'reason' IN ('risen', 'fallen', 'closed');
