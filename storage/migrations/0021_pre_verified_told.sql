-- Who was told that a red is verified 核实: those notices have no rung, like those of 0017.

CREATE INDEX notice_verified ON notice (occurrence, created)
    WHERE step IS NULL AND body ->> 'reason' = 'verified';

COMMENT ON COLUMN escalation_step.duty IS
    'what the rung waits for: receive 签收, feedback 反馈, close 销警, explain, verify 核实';
