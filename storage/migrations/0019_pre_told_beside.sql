-- Who was told of hot work 动火 near gas: those notices of a case have neither a rung nor a reason.

CREATE INDEX notice_hot_work ON notice (occurrence, created)
    WHERE step IS NULL AND body ->> 'role' = 'permit';

-- Who was told of an alarm that its console leaves 确认超时.

CREATE INDEX notice_unacknowledged ON notice (occurrence)
    WHERE step IS NULL AND body ->> 'reason' = 'unacknowledged';
