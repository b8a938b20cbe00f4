-- Alarm occurrences, their transitions, and what follows from them.

-- name: upsert_alarms
-- What occurrences are now, each once; an older state never replaces a newer one.
INSERT INTO alarm (
    id, lane, kind, tag_id, node, enterprise, priority, state, onset, effective, ended, closed,
    value, limit_value, worst, acknowledged_by, acknowledged_at, comment, reason, text,
    onset_last, n, latching, stale, shelved, suppressed, out_of_service, shelves, re_alarm,
    re_alarms, chatter, answered_s, seen, eased)
SELECT
    id, lane, kind, tag_id, node, enterprise, priority, state, onset, effective, ended, closed,
    value, limit_value, worst, acknowledged_by, acknowledged_at, comment, reason, text,
    onset_last, n, latching, stale, shelved, suppressed, out_of_service, shelves, re_alarm,
    re_alarms, chatter, answered_s, seen, eased
FROM json_populate_recordset(NULL::alarm, %(rows)s)
ON CONFLICT (id) DO UPDATE
SET priority = excluded.priority, state = excluded.state, effective = excluded.effective,
    ended = excluded.ended, closed = excluded.closed, value = excluded.value,
    limit_value = excluded.limit_value, worst = excluded.worst,
    acknowledged_by = excluded.acknowledged_by, acknowledged_at = excluded.acknowledged_at,
    comment = excluded.comment, reason = excluded.reason, text = excluded.text,
    onset_last = excluded.onset_last, n = excluded.n, latching = excluded.latching,
    stale = excluded.stale, shelved = excluded.shelved, suppressed = excluded.suppressed,
    out_of_service = excluded.out_of_service, shelves = excluded.shelves,
    re_alarm = excluded.re_alarm, re_alarms = excluded.re_alarms, chatter = excluded.chatter,
    answered_s = excluded.answered_s, seen = excluded.seen, eased = excluded.eased
WHERE alarm.n < excluded.n;

-- name: insert_alarm_events
-- Transitions, each once.
INSERT INTO alarm_event (occurrence, n, at, event, from_state, to_state, by, comment, body)
SELECT occurrence, n, at, event, from_state, to_state, by, comment, body
FROM json_populate_recordset(NULL::alarm_event, %(rows)s)
ON CONFLICT (occurrence, n) DO NOTHING;

-- name: open_alarms
-- Live occurrences of some enterprises, or of all (NULL), that are not NORM.
SELECT id, lane, kind, tag_id, node, enterprise, priority, state, onset, effective, value,
       limit_value, worst, n, ended, closed, acknowledged_by, acknowledged_at, comment, reason, text,
       onset_last, latching, stale, shelved, suppressed, out_of_service, shelves, re_alarm, re_alarms, chatter,
       answered_s, seen, eased
FROM alarm
WHERE state <> 'NORM' AND lane = 0
  AND (%(enterprises)s::int[] IS NULL OR enterprise = ANY(%(enterprises)s))
ORDER BY onset, id;

-- name: known_alarms
-- Live occurrences of some enterprises, or of all (NULL), that are open, were closed lately, or still have a shelf or
-- were shelved within a day.
SELECT id, lane, kind, tag_id, node, enterprise, priority, state, onset, effective, value,
       limit_value, worst, n, ended, closed, acknowledged_by, acknowledged_at, comment, reason, text,
       onset_last, latching, stale, shelved, suppressed, out_of_service, shelves, re_alarm, re_alarms, chatter,
       answered_s, seen, eased
FROM alarm
WHERE lane = 0 AND (%(enterprises)s::int[] IS NULL OR enterprise = ANY(%(enterprises)s))
  AND (state <> 'NORM' OR closed > %(closed_after)s OR shelved IS NOT NULL
       OR (shelves <> '{}' AND shelves[cardinality(shelves)] > %(shelved_after)s))
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
