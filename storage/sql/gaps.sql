-- The gap ledger 缺失台账. Instants that come as arrays are microseconds since 1970 UTC.

-- name: gap_heads
-- The newest stored time of every tag, and who sends it (0: not known).
SELECT tag_latest.tag_id, tag_latest.time, coalesce(tag_gateway.gateway, 0)
FROM tag_latest LEFT JOIN tag_gateway USING (tag_id);

-- name: gaps_open_now
-- Subjects with an open gap.
SELECT kind, gateway, tag_id, time_from FROM gap WHERE time_to IS NULL;

-- name: end_passed_gaps
-- Gaps that were opened while their tag was heard after all: it came late.
UPDATE gap SET time_to = tag_latest.received_at, remaining = '{}',
    filled_at = tag_latest.received_at, filled_by = 'late'
FROM tag_latest
WHERE gap.time_to IS NULL AND gap.tag_id = tag_latest.tag_id AND tag_latest.time > gap.time_from;

-- name: newest_gateway_gaps
-- The newest closed gap of each gateway; one that was none after all stands for nobody.
SELECT DISTINCT ON (gateway) gateway, time_from, time_to FROM gap
WHERE kind = 'gateway' AND time_to IS NOT NULL AND time_from < time_to AND filled_by IS DISTINCT FROM 'late'
ORDER BY gateway, time_from DESC;

-- name: write_gaps
-- Gaps of tags or gateways; one that is open is closed. `to` NULL: open. What is there and closed stays.
INSERT INTO gap (id, kind, enterprise, gateway, tag_id, time_from, time_to, remaining, tags, cause, seen_at)
SELECT id, %(kind)s, enterprise, gateway, nullif(tag, 0), begun, ended,
       tstzmultirange(tstzrange(begun, ended, '()')), tags, %(kind)s, %(at)s
FROM unnest(
    %(ids)s::text[], %(enterprises)s::int[], %(gateways)s::int[], %(tags)s::int[],
    %(froms)s::timestamptz[], %(tos)s::timestamptz[], %(counts)s::int[])
    AS step (id, enterprise, gateway, tag, begun, ended, tags)
ORDER BY id
ON CONFLICT (id) DO UPDATE
SET time_to = excluded.time_to, remaining = excluded.remaining
WHERE gap.time_to IS NULL AND excluded.time_to IS NOT NULL;

-- name: end_open_gaps
-- What was open has come after all: live, but late.
UPDATE gap SET time_to = greatest(time_from, %(at)s), remaining = '{}', filled_at = %(at)s, filled_by = 'late'
WHERE id = ANY(%(ids)s) AND time_to IS NULL;

-- name: outlive_gap
-- The newest gap of a gateway no longer stands for some tags: they were silent for longer.
UPDATE gap SET tags = greatest(0, tags - %(tags)s)
WHERE id = (
    SELECT id FROM gap WHERE kind = 'gateway' AND gateway = %(gateway)s AND time_to IS NOT NULL
    ORDER BY time_from DESC LIMIT 1);

-- name: set_tag_gateways
-- Who sends these tags.
INSERT INTO tag_gateway (tag_id, gateway)
SELECT * FROM unnest(%(tags)s::int[], %(gateways)s::int[]) AS sent (tag_id, gateway) ORDER BY tag_id
ON CONFLICT (tag_id) DO UPDATE SET gateway = excluded.gateway;

-- name: touch_gaps
-- Samples came below the head of these tags. Only where a gap is there to be filled.
INSERT INTO gap_touched (tag_id, time_from, time_to)
SELECT DISTINCT ON (back.tag_id) back.tag_id, back.begun, back.ended
FROM unnest(%(tags)s::int[], %(froms)s::timestamptz[], %(tos)s::timestamptz[]) AS back (tag_id, begun, ended)
LEFT JOIN tag_gateway USING (tag_id)
WHERE EXISTS (
    SELECT FROM gap WHERE gap.tag_id = back.tag_id AND filled_at IS NULL
      AND time_from < back.ended AND time_to > back.begun)
   OR EXISTS (
    SELECT FROM gap WHERE kind = 'gateway' AND gap.gateway = tag_gateway.gateway AND filled_at IS NULL
      AND time_from < back.ended AND time_to > back.begun)
ON CONFLICT (tag_id) DO UPDATE
SET time_from = least(gap_touched.time_from, excluded.time_from),
    time_to = greatest(gap_touched.time_to, excluded.time_to);

-- name: take_touched
-- Some of the spans that have to be looked at again.
DELETE FROM gap_touched WHERE tag_id IN (SELECT tag_id FROM gap_touched ORDER BY tag_id LIMIT %(most)s)
RETURNING tag_id, time_from, time_to;

-- name: fillable_gaps
-- The closed gaps of a tag, or of its gateway, that a span touches, and what is missing of the tag in them. A
-- gap of the gateway counts unless the tag has one of its own around it.
SELECT gap.id, gap.kind, gap.time_from, gap.time_to, coalesce(gap_part.remaining, gap.remaining)
FROM gap LEFT JOIN gap_part ON gap_part.gap = gap.id AND gap_part.tag_id = %(tag)s
WHERE filled_at IS NULL AND time_to IS NOT NULL AND time_from < %(to)s AND time_to > %(from)s
  AND (gap.tag_id = %(tag)s
       OR gap.kind = 'gateway'
      AND gap.gateway = (SELECT gateway FROM tag_gateway WHERE tag_id = %(tag)s)
      AND NOT EXISTS (
          SELECT FROM gap own
          WHERE own.tag_id = %(tag)s AND own.time_from < gap.time_to
            AND (own.time_to IS NULL OR own.time_to > gap.time_from)))
ORDER BY gap.time_from
FOR UPDATE OF gap;

-- name: samples_in_gap
-- The times at which samples of a tag are stored; of those inside the gap when the last came, and how.
SELECT times, received_at,
       CASE WHEN EXISTS (
            SELECT FROM import_file
            WHERE received_at BETWEEN started_at AND started_at + pieces * interval '1 microsecond') THEN 'import'
            WHEN historical THEN 'backfill' ELSE 'late' END
FROM (
    SELECT array_agg(time ORDER BY time) AS times,
           bool_or(flags & %(historical)s <> 0) FILTER (WHERE time > %(begun)s AND time < %(ended)s) AS historical,
           max(received_at) FILTER (WHERE time > %(begun)s AND time < %(ended)s) AS received_at
    FROM sample WHERE tag_id = %(tag)s AND time BETWEEN %(from)s AND %(to)s) stored;

-- name: fill_gap
-- What is left of a gap of a tag.
UPDATE gap SET remaining = %(remaining)s,
    filled_at = CASE WHEN isempty(%(remaining)s::tstzmultirange) THEN %(at)s::timestamptz END,
    filled_by = %(by)s
WHERE id = %(id)s;

-- name: fill_part
-- What is left for a tag of a gap of its gateway.
INSERT INTO gap_part (gap, tag_id, remaining) VALUES (%(id)s, %(tag)s, %(remaining)s)
ON CONFLICT (gap, tag_id) DO UPDATE SET remaining = excluded.remaining;

-- name: fill_gateway_gap
-- A gap of a gateway is filled once it is for every tag that it stands for.
UPDATE gap SET filled_by = %(by)s,
    filled_at = CASE WHEN whole THEN %(at)s::timestamptz END,
    remaining = CASE WHEN whole THEN '{}' ELSE remaining END
FROM (SELECT count(*) FILTER (WHERE isempty(gap_part.remaining)) >= max(gap.tags) AS whole
      FROM gap_part JOIN gap ON gap.id = gap_part.gap WHERE gap.id = %(id)s) parts
WHERE gap.id = %(id)s
RETURNING whole;

-- name: forget_parts
-- Of a gap that is filled.
DELETE FROM gap_part WHERE gap = %(id)s;

-- name: settle_causes
-- Who a silence was due to: to us, where we did not listen for half of it or more; else, of a
-- gateway that went on to say that it lives, to what is behind it.
WITH due AS (
    SELECT id, kind, gateway, time_from, time_to FROM gap
    WHERE NOT settled AND (time_to IS NOT NULL AND kind <> 'messages' OR kind = 'gateway')
    LIMIT %(most)s),
judged AS (
    SELECT due.id, due.time_to, coalesce(
        (SELECT cause FROM deaf
         WHERE deaf.time_from < coalesce(due.time_to, %(at)s)
           AND coalesce(deaf.time_to, %(at)s) > due.time_from
         GROUP BY cause
         HAVING 2 * sum(least(coalesce(deaf.time_to, %(at)s), coalesce(due.time_to, %(at)s))
                        - greatest(deaf.time_from, due.time_from))
                >= coalesce(due.time_to, %(at)s) - due.time_from
         ORDER BY sum(coalesce(deaf.time_to, %(at)s) - deaf.time_from) DESC LIMIT 1),
        CASE WHEN due.kind = 'gateway' AND due.time_to IS NULL THEN
            CASE WHEN state.online AND state.received_at > %(at)s - %(lost)s::interval
                  AND state.received_at > due.time_from + %(lost)s::interval / 3
                 THEN 'tag' ELSE 'gateway' END
        END) AS cause
    FROM due LEFT JOIN gateway_state state ON state.gateway = due.gateway AND due.kind = 'gateway')
UPDATE gap SET cause = coalesce(judged.cause, gap.cause), settled = judged.time_to IS NOT NULL
FROM judged
WHERE gap.id = judged.id
  AND (judged.time_to IS NOT NULL OR gap.cause IS DISTINCT FROM coalesce(judged.cause, gap.cause));

-- name: end_retired_gaps
-- Who is no longer registered is no longer missed.
UPDATE gap SET time_to = greatest(time_from, %(at)s),
    remaining = remaining * tstzmultirange(tstzrange(NULL, greatest(time_from, %(at)s)))
WHERE time_to IS NULL
  AND (tag_id IS NOT NULL AND EXISTS (SELECT FROM tag WHERE tag.id = gap.tag_id AND removed_at IS NOT NULL)
       OR kind = 'gateway'
      AND EXISTS (SELECT FROM gateway WHERE gateway.id = gap.gateway AND removed_at IS NOT NULL));

-- name: boots_to_look_at
-- Ledgers that have grown since they were looked through.
SELECT l.gateway, l.boot, coalesce(b.highest, l.first_seq - 1), b.newest_time,
       l.seen, greatest(l.first_seq, l.oldest), upper(range_merge(l.seen)) - 1, l.newest_time
FROM gateway_ledger l LEFT JOIN gap_boot b USING (gateway, boot)
WHERE NOT isempty(l.seen) AND l.updated_at >= %(since)s
ORDER BY l.gateway, l.updated_at;

-- name: looked_at_boot
-- It has been looked through up to here.
INSERT INTO gap_boot (gateway, boot, highest, newest_time)
VALUES (%(gateway)s, %(boot)s, %(highest)s, %(newest)s)
ON CONFLICT (gateway, boot) DO UPDATE
SET highest = greatest(gap_boot.highest, excluded.highest), newest_time = excluded.newest_time;

-- name: insert_message_gap
-- Messages that a gateway counted and that did not come.
INSERT INTO gap (
    id, kind, enterprise, gateway, time_from, time_to, remaining, boot, seq_from, seq_to, seq_left,
    cause, settled, seen_at)
SELECT %(id)s, 'messages', enterprise, id, %(begun)s, %(ended)s, '{}', %(boot)s, %(first)s, %(last)s,
       int8multirange(int8range(%(first)s, %(last)s, '[]')), 'gateway', true, %(at)s
FROM gateway WHERE id = %(gateway)s
ON CONFLICT (id) DO NOTHING;

-- name: fill_message_gaps
-- What of the missing messages of a boot has come; what its gateway no longer has is lost.
UPDATE gap SET seq_left = left_over,
    filled_at = CASE WHEN isempty(left_over) THEN %(at)s::timestamptz END,
    filled_by = CASE WHEN left_over <> seq_left THEN 'redelivery' ELSE filled_by END,
    lost_at = CASE WHEN NOT isempty(left_over) AND upper(left_over) <= %(start)s THEN %(at)s::timestamptz END
FROM (SELECT id AS gap_id, seq_left - %(seen)s::int8multirange AS left_over FROM gap
      WHERE kind = 'messages' AND gateway = %(gateway)s AND boot = %(boot)s
        AND filled_at IS NULL AND lost_at IS NULL) found
WHERE gap.id = gap_id
  AND (left_over <> seq_left OR NOT isempty(left_over) AND upper(left_over) <= %(start)s);

-- name: last_alive
-- When a worker of this shard last looked for gaps.
SELECT alive_at FROM gap_watch WHERE shard = %(shard)s;

-- name: set_alive
-- It looks now.
INSERT INTO gap_watch (shard, alive_at) VALUES (%(shard)s, %(at)s)
ON CONFLICT (shard) DO UPDATE SET alive_at = excluded.alive_at;

-- name: begin_deaf
-- From here on we did not listen.
INSERT INTO deaf (shard, cause, time_from, time_to) VALUES (%(shard)s, %(cause)s, %(from)s, %(to)s)
ON CONFLICT (shard, time_from) DO NOTHING;

-- name: end_deaf
-- We listen again, or nobody can say for longer.
UPDATE deaf SET time_to = greatest(time_from, %(at)s) WHERE shard = %(shard)s AND time_to IS NULL;

-- name: join_gaps
-- Where a tag has many closed gaps of one day that are not filled, they become one: what is missing stays exact.
WITH crowded AS (
    SELECT tag_id, time_bucket_day, min(time_from) AS begun, max(time_to) AS ended, array_agg(id) AS ids,
           range_agg(remaining) AS remaining
    FROM (SELECT id, tag_id, time_from, time_to, remaining,
                 date_trunc('day', time_from, 'UTC') AS time_bucket_day
          FROM gap WHERE kind = 'tag' AND filled_at IS NULL AND time_to < %(before)s) closed
    GROUP BY tag_id, time_bucket_day HAVING count(*) > %(most)s LIMIT 100),
gone AS (
    DELETE FROM gap USING crowded
    WHERE gap.id = ANY(crowded.ids) AND gap.time_from > crowded.begun)
UPDATE gap SET time_to = crowded.ended, remaining = crowded.remaining
FROM crowded WHERE gap.id = ANY(crowded.ids) AND gap.time_from = crowded.begun;

-- name: forget_gaps
-- What ended so long ago that nobody asks any more.
DELETE FROM gap WHERE id IN (SELECT id FROM gap WHERE time_to < %(before)s ORDER BY time_from LIMIT 10000);

-- name: forget_deaf
-- The same of our own absence.
DELETE FROM deaf WHERE time_to < %(before)s;

-- name: count_gaps
-- Gaps that are open or not filled, by kind, and the oldest of them.
SELECT kind, count(*) FILTER (WHERE time_to IS NULL), count(*), min(time_from)
FROM gap WHERE filled_at IS NULL AND lost_at IS NULL GROUP BY kind;
