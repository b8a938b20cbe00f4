-- Whether what a load published is stored, each sample once and as it was.

-- name: create_load_tag
-- The tags of each part of a message.
CREATE TEMPORARY TABLE load_tag (carrier int4, part int4, tag_id int4, start int4);

-- name: copy_load_tag
COPY load_tag FROM STDIN (FORMAT BINARY);

-- name: create_load_message
-- One row a message. value: of all its samples; NaN where the rule of the load gives it.
CREATE TEMPORARY TABLE load_message (
    carrier int4, part int4, time timestamptz, shift int4, value float8, acknowledged bool
);

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
