-- Warning cases, their transitions, and the rungs of their ladders.

-- name: upsert_case
-- What a case is now; an older state never replaces a newer one.
INSERT INTO warning_case (
    id, source, number, enterprise, state, colour, worst, opened, seen, unknown, n, left_blue, risen,
    receipts, alarms, released, released_by, closed, loop, closing, closed_by, second_by, reviewed_by)
VALUES (
    %(id)s, %(source)s, %(number)s, %(enterprise)s, %(state)s, %(colour)s, %(worst)s, %(opened)s,
    %(seen)s, %(unknown)s, %(n)s, %(left_blue)s, %(risen)s, %(receipts)s, %(alarms)s, %(released)s,
    %(released_by)s, %(closed)s, %(loop)s, %(closing)s, %(closed_by)s, %(second_by)s, %(reviewed_by)s)
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, colour = excluded.colour, worst = excluded.worst, seen = excluded.seen,
    unknown = excluded.unknown, n = excluded.n, left_blue = excluded.left_blue,
    risen = excluded.risen, receipts = excluded.receipts, alarms = excluded.alarms,
    released = excluded.released, released_by = excluded.released_by, closed = excluded.closed,
    loop = excluded.loop, closing = excluded.closing, closed_by = excluded.closed_by,
    second_by = excluded.second_by, reviewed_by = excluded.reviewed_by
WHERE warning_case.n < excluded.n AND warning_case.closed IS NULL;

-- name: insert_case_event
-- A transition, once.
INSERT INTO case_event (case_id, n, at, event, from_state, to_state, before, by, comment, body)
VALUES (
    %(case)s, %(n)s, %(at)s, %(event)s, %(source)s, %(target)s, %(before)s, %(by)s, %(comment)s,
    %(body)s)
ON CONFLICT (case_id, n) DO NOTHING;

-- name: insert_feedback
-- A feedback of a case, once.
INSERT INTO case_feedback (case_id, n, at, by, level, colour, text, reading, person, files)
VALUES (
    %(case)s, %(n)s, %(at)s, %(by)s, %(level)s, %(colour)s, %(text)s, %(reading)s, %(person)s, %(files)s)
ON CONFLICT (case_id, n) DO NOTHING;

-- name: known_cases
-- Open cases, and of every source the newest that is closed, and the newest drill 演练 (they count from -1 downwards).
SELECT id, source, number, enterprise, state, colour, worst, opened, seen, unknown, n, left_blue, risen,
       receipts, alarms, released, released_by, closed, loop
FROM warning_case
WHERE closed IS NULL OR (source, number) IN (
    SELECT source, max(number) FROM warning_case WHERE closed IS NOT NULL AND number > 0 GROUP BY source
    UNION ALL
    SELECT source, min(number) FROM warning_case WHERE closed IS NOT NULL AND number < 0 GROUP BY source)
ORDER BY source, number;

-- name: upsert_step
-- What a rung is now. A waiting one replaces neither one with an outcome, nor one with less time
-- to go: while a rung waits, its left_s only falls.
INSERT INTO escalation_step (
    case_id, no, n, colour, role, level, after_s, due, left_s, mark_at, mark_elapsed, mark_boot,
    outcome, done, by, clock, since, unnamed, duty)
VALUES (
    %(case)s, %(no)s, %(n)s, %(colour)s, %(role)s, %(level)s, %(after_s)s, %(due)s, %(left_s)s,
    %(mark_at)s, %(mark_elapsed)s, %(mark_boot)s, %(outcome)s, %(done)s, %(by)s, %(clock)s,
    %(since)s, %(unnamed)s, %(duty)s)
ON CONFLICT (case_id, no) DO UPDATE
SET n = excluded.n, colour = excluded.colour, role = excluded.role, level = excluded.level,
    after_s = excluded.after_s, due = excluded.due, left_s = excluded.left_s,
    mark_at = excluded.mark_at, mark_elapsed = excluded.mark_elapsed,
    mark_boot = excluded.mark_boot, outcome = excluded.outcome, done = excluded.done,
    by = excluded.by, clock = excluded.clock, since = excluded.since, unnamed = excluded.unnamed,
    duty = excluded.duty
WHERE excluded.outcome <> 'waiting'
   OR escalation_step.outcome = 'waiting' AND excluded.left_s <= escalation_step.left_s;

-- name: steps_of_cases
-- The rungs of some cases, each ladder from its beginning.
SELECT case_id, no, n, colour, role, level, after_s, due, left_s, mark_at, mark_elapsed, mark_boot,
       outcome, done, by, clock, since, unnamed, duty
FROM escalation_step
WHERE case_id = ANY(%(cases)s)
ORDER BY case_id, no;
