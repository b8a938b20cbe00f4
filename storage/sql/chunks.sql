-- Where the rows of a table that is split by time lie.

-- name: chunks_timescale
-- Chunks of a hypertable: table, bounds and bytes, the oldest first.
SELECT format('%%I.%%I', chunk_schema, chunk_name), range_start, range_end,
       pg_total_relation_size(format('%%I.%%I', chunk_schema, chunk_name)::regclass)
FROM timescaledb_information.chunks
WHERE hypertable_name = %(table)s
ORDER BY range_start;

-- name: chunks_plain
-- Partitions of a table: name, bounds and bytes, the oldest first.
SELECT pg_class.oid::regclass::text, said[1]::timestamptz, said[2]::timestamptz, pg_total_relation_size(pg_class.oid)
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid,
     regexp_match(pg_get_expr(relpartbound, pg_class.oid), $$FROM \('(.*)'\) TO \('(.*)'\)$$) AS said
WHERE inhparent = to_regclass(%(table)s)
ORDER BY 2;

-- name: lock_chunk
-- Nobody reads or writes it until this transaction ends; waits two seconds at most. Parents come first, as for writers.
SET LOCAL lock_timeout = '2s'; LOCK TABLE {parent} {chunk} IN ACCESS EXCLUSIVE MODE;

-- name: drop_chunk_timescale
SELECT drop_chunks(%(table)s::regclass, older_than => %(end)s::timestamptz, newer_than => %(begin)s::timestamptz);

-- name: drop_chunk_plain
DROP TABLE {chunk};

-- name: compression_on
-- Rows of a tag lie together in a compressed chunk, the newest first.
ALTER TABLE {table} SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'tag_id', timescaledb.compress_orderby = 'time DESC');

-- name: compressed_chunks
SELECT format('%%I.%%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks
WHERE hypertable_name = %(table)s AND is_compressed;

-- name: compress_chunk
SELECT compress_chunk(%(chunk)s::regclass, if_not_compressed => true);

-- name: rewrite_chunk
-- Give back what deleted rows took, and lay the rows of a tag together.
SET LOCAL lock_timeout = '2s'; CLUSTER {chunk} USING {index};

-- name: index_of_chunk
-- The index of a chunk by tag and time.
SELECT quote_ident(i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = %(chunk)s::regclass AND x.indisunique;
