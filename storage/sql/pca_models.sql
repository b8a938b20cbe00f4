-- Models of groups of tags that move together.

-- name: lock_pca_models
-- One new version at a time.
SELECT pg_advisory_xact_lock(1212438092, 6);

-- name: add_pca_model
-- The next version of a group.
INSERT INTO pca_model (node, version, enterprise, learnt_from, learnt_to, learnt_at, learnt_by, members, tags, kept, scans,
                       independent, explained, alarmed, alarms, digest, body)
SELECT %(node)s, coalesce(max(version), 0) + 1, %(enterprise)s, %(since)s, %(until)s, %(at)s, %(by)s, %(members)s,
       %(tags)s, %(kept)s, %(scans)s, %(independent)s, %(explained)s, %(alarmed)s, %(alarms)s, %(digest)s, %(body)s::json
FROM pca_model WHERE node = %(node)s
RETURNING version;

-- name: has_pca_model
-- Whether a version of a group is there.
SELECT EXISTS (SELECT FROM pca_model WHERE node = %(node)s AND version = %(version)s);

-- name: active_pca_version
-- The version in force of a group; no row or NULL: none.
SELECT version FROM pca_activation WHERE node = %(node)s ORDER BY no DESC LIMIT 1;

-- name: add_pca_activation
-- What a person decided; NULL: no model from now on.
INSERT INTO pca_activation (node, version, at, by, reason)
VALUES (%(node)s, %(version)s, %(at)s, %(by)s, %(reason)s);

-- name: tell_pca_activation
-- On the channel of the site: the worker looks for a new version of what it watches.
SELECT pg_notify('hazwatch_site', 'pca ' || %(node)s::text);

-- name: pca_activations
-- Rises with every commit; a number from a sequence might become visible out of order.
SELECT count(*) FROM pca_activation;

-- name: active_pca_models
-- The model in force of each present group.
SELECT m.node, m.version, m.members, m.tags, m.digest, m.body::text
FROM (SELECT DISTINCT ON (node) node, version FROM pca_activation ORDER BY node, no DESC) a
JOIN pca_model m ON m.node = a.node AND m.version = a.version
JOIN node n ON n.id = m.node AND n.removed_at IS NULL
ORDER BY m.node;

-- name: pca_samples
-- Good samples of a tag that were measured in [from, to), packed into one row; a time that could not be trusted is the
-- received one, by which it was judged.
SELECT string_agg(timestamptz_send(at) || float8send(value), ''::bytea ORDER BY at)
FROM (
    SELECT CASE WHEN flags & %(at_received)s <> 0 THEN received_at ELSE time END AS at, value
    FROM sample
    WHERE tag_id = %(tag)s AND time >= %(from)s AND time < %(to)s AND quality >= 192
      AND value > '-Infinity' AND value < 'Infinity') AS good;

-- name: pca_extent
-- Good samples of a tag measured in [from, to): how many, and between which values.
SELECT count(*), min(value), max(value)
FROM sample
WHERE tag_id = %(tag)s AND time >= %(from)s AND time < %(to)s AND quality >= 192
  AND value > '-Infinity' AND value < 'Infinity';

-- name: pca_disturbances
-- Occurrences of these tags, or of the group itself, that were active in [from, to): kind, of what, how many.
SELECT a.kind, coalesce(t.name, n.code) AS subject, count(*) AS count
FROM alarm a LEFT JOIN tag t ON t.id = a.tag_id JOIN node n ON n.id = a.node
WHERE (a.tag_id = ANY(%(tags)s) OR (a.tag_id IS NULL AND a.node = %(node)s))
  AND a.onset < %(to)s AND coalesce(a.ended, a.closed, 'infinity') > %(from)s
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2;

-- name: upsert_pca_now
-- What is told of a group. The last word counts, not the latest time: a clock may be set back.
INSERT INTO pca_now (node, enterprise, at, body)
VALUES (%(node)s, %(enterprise)s, %(at)s, %(body)s)
ON CONFLICT (node) DO UPDATE
SET enterprise = excluded.enterprise, at = excluded.at, body = excluded.body;

-- name: list_pca_groups
-- Present groups of kind pca with the version in force, who put it there, and what was last told; NULL enterprises: all.
SELECT n.id, n.code, n.parent AS source, n.enterprise, n.detail -> 'members' AS members, w.at AS told_at, w.body AS told,
       a.version AS active, a.at AS decided_at, a.by AS decided_by, a.reason,
       (SELECT count(*) FROM pca_model m WHERE m.node = n.id) AS models,
       (SELECT coalesce(jsonb_object_agg(t.id, t.name), '{}') FROM tag t WHERE t.enterprise = n.enterprise
          AND t.id IN (SELECT (share ->> 'tag')::int FROM jsonb_array_elements(w.body -> 'shares') share)) AS names
FROM node n
LEFT JOIN pca_now w ON w.node = n.id
LEFT JOIN LATERAL (
    SELECT version, at, by, reason FROM pca_activation WHERE node = n.id ORDER BY no DESC LIMIT 1
) a ON true
WHERE n.kind = 'group' AND n.detail ->> 'kind' = 'pca' AND n.removed_at IS NULL
  AND (%(enterprises)s::int[] IS NULL OR n.enterprise = ANY(%(enterprises)s))
  AND (%(node)s::int IS NULL OR n.id = %(node)s)
ORDER BY n.id;

-- name: list_pca_models
-- All models of a group, the newest first.
SELECT node, version, learnt_from, learnt_to, learnt_at, learnt_by, members, kept, scans, independent, explained, alarmed,
       alarms, digest, (body ->> 'interval_s')::float8 AS interval_s, (body ->> 't2_limit')::float8 AS t2_limit,
       (body ->> 'spe_limit')::float8 AS spe_limit
FROM pca_model WHERE node = %(node)s ORDER BY version DESC;

-- name: list_pca_activations
-- What people decided about a group, the newest first.
SELECT version, at, by, reason FROM pca_activation WHERE node = %(node)s ORDER BY no DESC;
