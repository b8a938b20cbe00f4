-- Whether what a load published is stored, each sample once and as it was.

-- name: prepare_load
-- load_tag: the tags of each part of a message. load_message: one row a message; value: of all its samples,
-- NaN where the rule of the load gives it. The memory is for the joins of this transaction alone.
CREATE TEMPORARY TABLE load_tag (carrier int4, part int4, tag_id int4, start int4);
CREATE TEMPORARY TABLE load_message (
    carrier int4, part int4, time timestamptz, shift int4, value float8, acknowledged bool
);
SET LOCAL work_mem = '512MB';

-- name: copy_load_tag
COPY load_tag FROM STDIN (FORMAT BINARY);

-- name: empty_load
TRUNCATE load_message;

-- name: copy_load_message
COPY load_message FROM STDIN (FORMAT BINARY);

-- name: analyze_load
ANALYZE load_tag, load_message;

-- name: compare_load
-- Published samples against stored ones. Dividing two exact numbers gives the nearest float8, which is
-- what the decimal in the message is read as. The bounds let the planner leave out chunks.
SELECT count(*) AS published,
       count(sample.tag_id) AS stored,
       count(*) FILTER (WHERE sample.tag_id IS NULL AND acknowledged) AS missing,
       count(sample.tag_id) FILTER (WHERE sample.value <> CASE
           WHEN load_message.value <> 'NaN' THEN load_message.value
           ELSE (%(floor)s::int4 + (start + shift) %% %(modulus)s::int4)::float8 / %(scale)s::int4
       END) AS wrong
FROM load_message JOIN load_tag USING (carrier, part)
LEFT JOIN sample ON sample.tag_id = load_tag.tag_id AND sample.time = load_message.time
    AND sample.time BETWEEN %(from)s AND %(to)s;

-- name: count_loaded
-- Everything that is stored of these tags in the time of the load, published or not.
SELECT count(*) FROM sample
WHERE time BETWEEN %(from)s AND %(to)s AND tag_id IN (SELECT tag_id FROM load_tag);

-- name: sum_ingested
-- What became of messages and values of some gateways; committed with them.
SELECT coalesce(sum(messages_received), 0), coalesce(sum(messages_redelivered), 0),
       coalesce(sum(messages_decoded), 0), coalesce(sum(messages_repeated), 0),
       coalesce(sum(messages_quarantined), 0), coalesce(sum(values_decoded), 0),
       coalesce(sum(values_stored), 0), coalesce(sum(values_duplicate), 0),
       coalesce(sum(values_conflict), 0), coalesce(sum(values_quarantined), 0)
FROM ingest_count WHERE gateway = ANY(%(gateways)s);

-- name: count_samples_since
-- Samples of some tags from an instant on; the bound lets the planner leave out chunks.
SELECT count(*) FROM sample WHERE time >= %(since)s AND tag_id = ANY(%(tags)s);

-- name: count_told_since
-- Live occurrences that began, warning cases opened and notices delivered for some enterprises from an instant on.
-- A condition that comes back into its occurrence raises no new one.
SELECT (SELECT count(*) FROM alarm_event e JOIN alarm a ON a.id = e.occurrence
        WHERE e.event = 'raise' AND e.from_state = 'NORM' AND e.at >= %(since)s
          AND a.lane = 0 AND a.enterprise = ANY(%(enterprises)s)),
       (SELECT count(*) FROM warning_case w
        WHERE w.opened >= %(since)s AND w.number > 0 AND w.enterprise = ANY(%(enterprises)s)),
       (SELECT count(*) FROM notice n
        WHERE n.delivered >= %(since)s
          AND (EXISTS (SELECT FROM alarm a
                       WHERE a.id = n.occurrence AND a.enterprise = ANY(%(enterprises)s))
               OR EXISTS (SELECT FROM warning_case w
                          WHERE w.id = n.occurrence AND w.number > 0 AND w.enterprise = ANY(%(enterprises)s))));
