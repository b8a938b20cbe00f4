-- People, sessions and what they may see.

-- name: find_person
-- The password hash of somebody who may log in.
SELECT name, password FROM person WHERE name = %(name)s AND removed_at IS NULL

-- name: open_session
-- A new session; sessions that have run out go with the same statement.
WITH swept AS (DELETE FROM session WHERE expires <= %(at)s)
INSERT INTO session (token, person, created, expires)
VALUES (%(token)s, %(person)s, %(at)s, %(expires)s)

-- name: close_session
DELETE FROM session WHERE token = %(token)s

-- name: find_session
-- A living session with its person's grants, the enterprises it may see, the areas an operator oversees, and the
-- nodes above them. An enterprise grant reaches its own enterprise only, wherever it was put.
WITH RECURSIVE mine AS (
    SELECT s.person, s.expires
    FROM session s JOIN person p ON p.name = s.person AND p.removed_at IS NULL
    WHERE s.token = %(token)s AND s.expires > %(at)s
), granted AS (
    SELECT g.role, n.id, n.parent, n.enterprise, n.kind, n.name, n.code
    FROM mine m JOIN role_grant g ON g.person = m.person JOIN node n ON n.id = g.node
), below AS (
    SELECT id, enterprise, role FROM granted
    UNION
    SELECT n.id, n.enterprise, b.role
    FROM below b JOIN node n ON n.parent = b.id
    WHERE b.role = 'operator' AND b.enterprise IS NULL
), above AS (
    SELECT id, parent FROM granted
    UNION
    SELECT n.id, n.parent FROM above a JOIN node n ON n.id = a.parent
)
SELECT m.person, m.expires,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('role', role, 'node', id::text, 'kind', kind, 'name', name,
                                                     'code', code) ORDER BY role, id), '[]') FROM granted) AS roles,
       ARRAY(SELECT DISTINCT id FROM below WHERE enterprise = id) AS enterprises,
       ARRAY(SELECT DISTINCT id FROM below WHERE enterprise IS NULL AND role = 'operator') AS areas,
       ARRAY(SELECT DISTINCT id FROM above) AS context,
       EXISTS (SELECT FROM granted WHERE role = 'operator') AS operator
FROM mine m

-- name: grants_of_person
-- Name and grants of somebody who may log in.
SELECT p.name, coalesce(jsonb_agg(jsonb_build_object(
           'role', g.role, 'node', n.id::text, 'kind', n.kind, 'name', n.name, 'code', n.code) ORDER BY g.role, n.id)
       FILTER (WHERE n.id IS NOT NULL), '[]') AS roles
FROM person p
LEFT JOIN role_grant g ON g.person = p.name
LEFT JOIN node n ON n.id = g.node
WHERE p.name = %(name)s AND p.removed_at IS NULL
GROUP BY p.name

-- name: own_enterprises
-- Park and code of every enterprise for which the person of a living session has the role enterprise.
SELECT coalesce(jsonb_agg(jsonb_build_array(p.code, n.code)) FILTER (WHERE n.id IS NOT NULL), '[]') AS places
FROM session s
JOIN person o ON o.name = s.person AND o.removed_at IS NULL
LEFT JOIN role_grant g ON g.person = s.person AND g.role = 'enterprise'
LEFT JOIN node n ON n.id = g.node AND n.kind = 'enterprise' AND n.removed_at IS NULL
LEFT JOIN node p ON p.id = n.parent
WHERE s.token = %(token)s AND s.expires > %(at)s
GROUP BY s.token

-- name: add_person
-- A new person; one who was removed comes back with the new password only. No row: the name is taken.
INSERT INTO person (name, password, created) VALUES (%(name)s, %(password)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET password = excluded.password, created = excluded.created, removed_at = NULL
WHERE person.removed_at IS NOT NULL
RETURNING name

-- name: grant_role
INSERT INTO role_grant (person, role, node) VALUES (%(person)s, %(role)s, %(node)s) ON CONFLICT DO NOTHING

-- name: list_people
SELECT p.name, p.created,
       coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'node', n.code) ORDER BY g.role, n.code)
                FILTER (WHERE n.id IS NOT NULL), '[]') AS roles
FROM person p LEFT JOIN role_grant g ON g.person = p.name LEFT JOIN node n ON n.id = g.node
WHERE p.removed_at IS NULL
GROUP BY p.name ORDER BY p.name

-- name: remove_person
-- Grants and sessions go at once; the name stays, for the journal speaks of it.
WITH sessions AS (DELETE FROM session WHERE person = %(name)s),
     grants AS (DELETE FROM role_grant WHERE person = %(name)s)
UPDATE person SET removed_at = %(at)s WHERE name = %(name)s AND removed_at IS NULL RETURNING name

-- name: node_paths
-- Every place (no groups, no rules, not the self-test's) with the codes from the root down to it.
WITH RECURSIVE path AS (
    SELECT id, kind, enterprise, ARRAY[code] AS codes FROM node
    WHERE parent IS NULL AND removed_at IS NULL AND kind <> 'self_test'
    UNION ALL
    SELECT n.id, n.kind, n.enterprise, p.codes || n.code
    FROM path p JOIN node n ON n.parent = p.id
    WHERE n.removed_at IS NULL AND n.kind NOT IN ('group', 'rule')
)
SELECT id, kind, enterprise, codes FROM path ORDER BY codes
