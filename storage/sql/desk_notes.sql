-- What is said of desks and beside their alarms, as the worker writes it and reads it at its start.

-- name: upsert_desk
-- The last word counts, not the latest time: a clock may be set back.
INSERT INTO desk (enterprise, at, flood, suppressed, chattering)
VALUES (%(enterprise)s, %(at)s, %(flood)s, %(suppressed)s, %(chattering)s)
ON CONFLICT (enterprise) DO UPDATE
SET at = excluded.at, flood = excluded.flood, suppressed = excluded.suppressed, chattering = excluded.chattering;

-- name: upsert_desk_flood
-- A flood that has ended is not opened again.
INSERT INTO desk_flood (enterprise, since, until, heard)
VALUES (%(enterprise)s, %(since)s, %(until)s, %(heard)s)
ON CONFLICT (enterprise, since) DO UPDATE
SET until = coalesce(desk_flood.until, excluded.until), heard = greatest(desk_flood.heard, excluded.heard);

-- name: upsert_desk_note
INSERT INTO desk_note (occurrence, enterprise, at, under, suppressed, most, first_out, uncertain, repeats)
VALUES (%(occurrence)s, %(enterprise)s, %(at)s, %(under)s, %(suppressed)s, %(suppressed)s, %(first_out)s, %(uncertain)s,
        %(repeats)s)
ON CONFLICT (occurrence) DO UPDATE
SET at = excluded.at, under = excluded.under, suppressed = excluded.suppressed,
    most = greatest(desk_note.most, excluded.suppressed), first_out = excluded.first_out,
    uncertain = excluded.uncertain, repeats = excluded.repeats;

-- name: told_desks
SELECT enterprise, at, flood, suppressed, chattering FROM desk;

-- name: told_notes
-- Of occurrences that are open.
SELECT n.occurrence, n.enterprise, n.under, n.suppressed, n.first_out, n.uncertain, n.repeats
FROM desk_note n JOIN alarm a ON a.id = n.occurrence
WHERE a.state <> 'NORM';

-- name: heard_changes
-- The newest transitions that desks may have heard: since an instant, of what is open, and of what was first-out lately.
SELECT e.at, e.event, e.from_state, e.to_state, e.body ->> 'onset_last', coalesce(e.body ->> 'priority', a.priority),
       jsonb_typeof(e.body -> 'shelved') = 'object', jsonb_typeof(e.body -> 'suppressed') = 'object',
       jsonb_typeof(e.body -> 'out_of_service') = 'object',
       a.id, a.kind, a.tag_id, a.node, a.enterprise, a.onset, a.effective
FROM alarm a JOIN alarm_event e ON e.occurrence = a.id
WHERE a.lane = 0 AND (e.at >= %(since)s OR a.state <> 'NORM' OR EXISTS (
          SELECT FROM desk_note n WHERE n.occurrence = a.id AND n.first_out AND n.at >= %(first_out_since)s))
  AND e.event NOT IN ('worsen', 'lose', 'find', 'resume', 'hold', 'judge')
ORDER BY e.at DESC, e.occurrence DESC, e.n DESC
LIMIT %(most)s;
