-- What plants reported on their alarm topics.

-- name: last_plant_alarms
-- The newest report of each gateway on each tag and kind since an instant, in the order of their coming.
SELECT gateway, id, time, received_at, tag, kind, active, body
FROM (
    SELECT DISTINCT ON (gateway, tag, kind) gateway, id, time, received_at, tag, kind, active, body
    FROM plant_alarm
    WHERE received_at >= %(since)s
    ORDER BY gateway, tag, kind, received_at DESC, time DESC
) newest
ORDER BY received_at, gateway, id;
