-- Alarm occurrences, their transitions, and what follows from them.

-- name: upsert_alarm
-- What an occurrence is now; an older state never replaces a newer one.
INSERT INTO alarm (
    id, lane, kind, tag_id, node, enterprise, priority, state, onset, effective, ended, closed,
    value, limit_value, worst, acknowledged_by, acknowledged_at, comment, reason, text,
    onset_last, n)
VALUES (
    %(id)s, %(lane)s, %(kind)s, %(tag)s, %(node)s, %(enterprise)s, %(priority)s, %(state)s,
    %(onset)s, %(effective)s, %(ended)s, %(closed)s, %(value)s, %(limit)s, %(worst)s,
    %(acknowledged_by)s, %(acknowledged_at)s, %(comment)s, %(reason)s, %(text)s,
    %(onset_last)s, %(n)s)
ON CONFLICT (id) DO UPDATE
SET priority = excluded.priority, state = excluded.state, effective = excluded.effective,
    ended = excluded.ended, closed = excluded.closed, value = excluded.value,
    limit_value = excluded.limit_value, worst = excluded.worst,
    acknowledged_by = excluded.acknowledged_by, acknowledged_at = excluded.acknowledged_at,
    comment = excluded.comment, reason = excluded.reason, text = excluded.text,
    onset_last = excluded.onset_last, n = excluded.n
WHERE alarm.n < excluded.n;

-- name: insert_alarm_event
-- A transition, once.
INSERT INTO alarm_event (occurrence, n, at, event, from_state, to_state, by, comment, body)
VALUES (%(occurrence)s, %(n)s, %(at)s, %(event)s, %(source)s, %(target)s, %(by)s, %(comment)s, %(body)s)
ON CONFLICT (occurrence, n) DO NOTHING;

-- name: open_alarms
-- Live occurrences of some enterprises, or of all (NULL), that are not NORM.
SELECT id, lane, kind, tag_id, node, enterprise, priority, state, onset, effective, value,
       limit_value, worst, n, ended, closed, acknowledged_by, acknowledged_at, comment, reason, text,
       onset_last
FROM alarm
WHERE state <> 'NORM' AND lane = 0
  AND (%(enterprises)s::int[] IS NULL OR enterprise = ANY(%(enterprises)s))
ORDER BY onset, id;

-- name: known_alarms
-- Live occurrences of some enterprises, or of all (NULL), that are open, or were closed lately.
SELECT id, lane, kind, tag_id, node, enterprise, priority, state, onset, effective, value,
       limit_value, worst, n, ended, closed, acknowledged_by, acknowledged_at, comment, reason, text,
       onset_last
FROM alarm
WHERE lane = 0 AND (%(enterprises)s::int[] IS NULL OR enterprise = ANY(%(enterprises)s))
  AND (state <> 'NORM' OR closed > %(closed_after)s)
ORDER BY onset, id;

-- name: live_spans
-- When live occurrences of a tag were active in a span of time.
SELECT kind, onset, ended FROM alarm
WHERE lane = 0 AND tag_id = %(tag)s AND onset <= %(to)s AND coalesce(ended, %(from)s) >= %(from)s
ORDER BY onset;

-- name: delete_replay_events
-- Forget the transitions of the replay occurrences of a tag that began in a range.
DELETE FROM alarm_event USING alarm
WHERE alarm_event.occurrence = alarm.id AND alarm.lane = 1 AND alarm.tag_id = %(tag)s
  AND alarm.onset BETWEEN %(from)s AND %(to)s;

-- name: delete_replay_alarms
-- Forget the replay occurrences of a tag that began in a range.
DELETE FROM alarm
WHERE lane = 1 AND tag_id = %(tag)s AND onset BETWEEN %(from)s AND %(to)s;
