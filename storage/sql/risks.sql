-- Dynamic risk of hazard sources, as it was last told.

-- name: upsert_risk
-- What is told of a source. The last word counts, not the latest time: a clock may be set back.
INSERT INTO source_risk (
    source, enterprise, at, colour, unknown, score, maybe_test, floors, reasons, version)
VALUES (
    %(source)s, %(enterprise)s, %(at)s, %(colour)s, %(unknown)s, %(score)s, %(maybe_test)s,
    %(floors)s, %(reasons)s, %(version)s)
ON CONFLICT (source) DO UPDATE
SET enterprise = excluded.enterprise, at = excluded.at, colour = excluded.colour,
    unknown = excluded.unknown, score = excluded.score, maybe_test = excluded.maybe_test,
    floors = excluded.floors, reasons = excluded.reasons, version = excluded.version;
