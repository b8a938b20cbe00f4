-- Photographs and files that feedback of warning cases names.

-- name: add_case_file
-- Keep a file, once for each content; no row where the case has as many as it may have.
WITH known AS (
    SELECT id FROM case_file WHERE case_id = %(case)s AND sha256 = %(sha256)s LIMIT 1
), added AS (
    INSERT INTO case_file (id, case_id, enterprise, name, type, size, sha256, content, by, at)
    SELECT %(id)s, %(case)s, %(enterprise)s, %(name)s, %(type)s, %(size)s, %(sha256)s, %(content)s, %(by)s, %(at)s
    WHERE NOT EXISTS (SELECT FROM known)
      AND (SELECT count(*) FROM case_file WHERE case_id = %(case)s) < %(most)s
    RETURNING id
)
SELECT id FROM known UNION ALL SELECT id FROM added

-- name: case_files
-- What is known of some files of a case, in the order in which they were asked for.
SELECT f.id, f.name, f.type, f.size, f.sha256
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS asked (id, place)
JOIN case_file f ON f.id = asked.id
WHERE f.case_id = %(case)s AND f.enterprise = ANY(%(enterprises)s)
ORDER BY asked.place

-- name: case_file
SELECT name, type, content FROM case_file
WHERE id = %(id)s AND case_id = %(case)s AND enterprise = ANY(%(enterprises)s)
