"""The work behind `hazwatch load --verify`: a truth file against the registry and the samples."""

import asyncio

import numpy as np

from domain.plant import Registry
from simulators import swarm as rules
from simulators.swarm import Swarm, canary_name
from simulators.swarm_truth import Truth
from storage.database import DatabaseOptions, connect
from storage.proof import MESSAGE, TAG, Proof, Rule, prove
from storage.registry import read_registry
from storage.rows import Rows

STATEMENT_S = 900.0


class UnknownTagsError(Exception):
    """The registry does not hold the tags of the load."""


def verify(truth: Truth, database_url: str) -> Proof:
    """Compare in the database; raises `UnknownTagsError`, and `psycopg.OperationalError` where the
    database is away."""
    return asyncio.run(compare(truth, database_url))


async def compare(truth: Truth, database_url: str) -> Proof:
    """As `verify`, inside a loop."""
    options = DatabaseOptions(database_url, statement_s=STATEMENT_S, answer_s=STATEMENT_S)
    async with await connect(options) as conn:
        tags = _tags(truth.swarm, await read_registry(conn))
        rule = Rule(rules.FLOOR, rules.MODULUS, rules.SCALE)
        if not len(truth.messages):
            return Proof(0, 0, 0, 0, 0)
        return await prove(conn, tags, _messages(truth), rule)


def _tags(swarm: Swarm, registry: Registry) -> Rows:
    nodes = registry.nodes
    ids = {(nodes[tag.enterprise].code, tag.name): tag.id for tag in registry.tags.values()}
    parts = [
        (n, part, swarm.part(n, part))
        for n in range(swarm.enterprises)
        for part in range(swarm.parts)
    ]
    try:
        rows = [
            (n, part, ids[swarm.code(n), swarm.name(number)], rules.start(number))
            for n, part, numbers in parts
            for number in numbers
        ]
        rows += [
            (swarm.enterprises, number, ids[swarm.code(0), canary_name(number)], 0)
            for number in range(swarm.canaries)
        ]
    except KeyError as error:
        raise UnknownTagsError(f"the registry has no tag {' '.join(error.args[0])}") from None
    return np.array(rows, TAG)


def _messages(truth: Truth) -> Rows:
    carrier, seq, part, time = truth.messages.T
    rows = np.empty(len(truth.messages), MESSAGE)
    rows["carrier"], rows["part"], rows["time"] = carrier, part, time
    rows["shift"] = rules.shifts(time)
    canary = np.where(seq % 2 == 0, rules.BREACH, rules.CALM)
    rows["value"] = np.where(carrier == truth.swarm.enterprises, canary, np.nan)
    rows["acknowledged"] = truth.acknowledged
    return rows
