"""What must never be true of risk, warning cases, ladders and notices in a database."""

import psycopg

BROKEN = {
    "cases of a source are not numbered 1, 2, 3 …": """
        SELECT source FROM warning_case GROUP BY source HAVING count(*) <> max(number)""",
    "a source has more than one open case": """
        SELECT source FROM warning_case WHERE closed IS NULL GROUP BY source HAVING count(*) > 1""",
    "the journal of a case has a gap": """
        SELECT c.id FROM warning_case c LEFT JOIN case_event e ON e.case_id = c.id
        GROUP BY c.id, c.n HAVING count(e.n) <> c.n OR max(e.n) <> c.n""",
    "a rung of a case is missing": """
        SELECT case_id FROM escalation_step GROUP BY case_id HAVING count(*) <> max(no)""",
    "a rung was told without a notice, or a notice is of a rung that was not told": """
        SELECT s.case_id FROM escalation_step s
        LEFT JOIN notice n ON n.occurrence = s.case_id AND n.step = s.no
        WHERE (s.outcome = 'told') <> (n.id IS NOT NULL)""",
    "risk and case disagree on the colour": """
        SELECT r.source FROM source_risk r
        LEFT JOIN warning_case c ON c.source = r.source AND c.closed IS NULL
        WHERE r.colour <> coalesce(c.colour, 0)""",
}


def broken_warnings(url: str) -> list[str]:
    """The sentences of `BROKEN` that are true of this database."""
    with psycopg.connect(url) as conn:
        return [said for said, query in BROKEN.items() if conn.execute(query).fetchall()]
