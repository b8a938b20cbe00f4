-- Alarms that late data held 事后发现, and who has been told of them.

-- name: note_found
-- These have to be told, once for all time.
INSERT INTO found_afterwards (occurrence, enterprise, found_at)
SELECT occurrence, %(enterprise)s, %(at)s FROM unnest(%(ids)s::uuid[]) AS found (occurrence)
ON CONFLICT (occurrence) DO NOTHING;

-- name: untold_enterprises
-- Enterprises with alarms to be told: whose late data have all been judged, or that have waited for too long.
SELECT enterprise FROM found_afterwards
WHERE notice IS NULL
GROUP BY enterprise
HAVING min(found_at) <= %(long_ago)s OR NOT EXISTS (
    SELECT FROM dirty_range JOIN tag ON tag.id = dirty_range.tag_id
    WHERE tag.enterprise = found_afterwards.enterprise)
ORDER BY enterprise;

-- name: forget_unfounded
-- What a later judgement has taken back before anybody was told.
DELETE FROM found_afterwards
WHERE enterprise = %(enterprise)s AND notice IS NULL
  AND NOT EXISTS (SELECT FROM alarm WHERE alarm.id = occurrence AND lane = 1);

-- name: untold_alarms
-- The alarms that the notice of an enterprise is about.
SELECT alarm.id, tag_id, priority, onset, ended
FROM found_afterwards JOIN alarm ON alarm.id = occurrence AND lane = 1
WHERE found_afterwards.enterprise = %(enterprise)s AND notice IS NULL
ORDER BY onset, alarm.id
FOR UPDATE OF found_afterwards;

-- name: tell_found
-- They have been told, by this notice.
UPDATE found_afterwards SET notice = %(notice)s WHERE occurrence = ANY(%(ids)s) AND notice IS NULL;
