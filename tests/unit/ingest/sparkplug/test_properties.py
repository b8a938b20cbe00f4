"""Any order, loss and repetition of what an edge node says."""

from dataclasses import dataclass, field
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.batch import Raw
from ingest.sparkplug.life import Phase
from tests.support.gateway_line import us
from tests.support.sparkplug import GROUP, Node, bdseq, payload, reading
from tests.unit.ingest.sparkplug.test_wire import mutated

NAMES = ("A", "B", "C")


@dataclass
class Edge:
    """An edge node that keeps the rules; each value that it sends is another number. meant: which
    tag a number is of."""

    b: int = 255
    seq: int = 0
    aliases: tuple[int, ...] = (1, 2, 3)
    values: dict[str, float] = field(default_factory=dict)
    meant: dict[float, str] = field(default_factory=dict)
    numbers: count = field(default_factory=lambda: count(1))

    def connect(self, aliases: tuple[int, ...]) -> None:
        self.b, self.aliases = (self.b + 1) % 256, aliases

    def birth(self, at: float) -> tuple[str, bytes]:
        self.seq = 0
        born = [self._reading(name, alias, named=True) for name, alias in self._pairs()]
        return "NBIRTH", payload(bdseq(self.b), *born, seq=0, time=at)

    def data(self, at: float, which: int) -> tuple[str, bytes]:
        self.seq = (self.seq + 1) % 256
        name, alias = self._pairs()[which]
        return "NDATA", payload(self._reading(name, alias, named=False), seq=self.seq, time=at)

    def death(self) -> tuple[str, bytes]:
        return "NDEATH", payload(bdseq(self.b))

    def _pairs(self) -> list[tuple[str, int]]:
        return list(zip(NAMES, self.aliases, strict=True))

    def _reading(self, name: str, alias: int, *, named: bool) -> bytes:
        value = float(next(self.numbers))
        self.values[name], self.meant[value] = value, name
        return reading(name if named else None, value, alias=alias)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["data", "data", "data", "data", "rebirth", "restart", "quiet"]),
        st.sampled_from(["sent", "sent", "sent", "lost", "twice", "late"]),
        st.integers(0, 2),
        st.permutations([1, 2, 3]),
    ),
    max_size=60,
)


def give(node: Node, at: float, said: tuple[str, bytes]) -> None:
    kind, body = said
    node.take(Raw(f"spBv1.0/{GROUP}/{kind}/G1", body, arrived=us(at)))


def played(steps, *, faults: bool) -> tuple[Node, Edge]:
    """A node's life, a step every 0.2 s; it answers requests for births at once.

    Wills arrive; what is late comes behind the next message, or the will. A birth is not lost where
    the numbers go on as if there had been none, nor is the message behind a lost birth, which shows
    that they do not: no host can know.
    """
    node, edge, at, unheard = Node(), Edge(), 0.0, False
    late: list[tuple[str, bytes]] = []
    edge.connect((1, 2, 3))
    give(node, at, edge.birth(at))
    for what, fate, which, aliases in steps:
        at += 0.2
        if what in ("quiet", "restart"):
            if what == "restart":
                give(node, at, edge.death())
            for one in late:
                give(node, at + 0.01, one)
            late.clear()
            at += 20.0 if what == "quiet" else 1.0
            node.time(at)
        hidden = what == "rebirth" and 0 in (edge.seq, node.session._order.expected - 1)
        hidden |= what == "data" and unheard
        said = []
        if what == "restart":
            edge.connect(tuple(aliases))
        if what in ("restart", "rebirth"):
            said.append(edge.birth(at))
        elif what == "data":
            said.append(edge.data(at, which))
        if what != "quiet":
            unheard = what == "rebirth" and fate == "lost" and faults and not hidden
        for one in said:
            if fate == "late" and faults and not hidden:
                late.append(one)
            elif fate != "lost" or not faults or hidden:
                give(node, at, one)
                if fate == "twice" and faults:
                    give(node, at, one)
        while late and fate != "late":
            give(node, at, late.pop(0))
        node.time(at)
        if node.asked():
            at += 0.05
            give(node, at, edge.birth(at))
    for one in late:
        give(node, at, one)
    for _ in range(4):
        at += 11.0
        give(node, at, edge.data(at, 0))
        node.time(at + 5)
        if node.asked():
            give(node, at + 5.1, edge.birth(at + 5.1))
    return node, edge


@settings(max_examples=60)
@given(STEPS)
def test_no_value_is_ever_taken_for_that_of_another_metric(steps):
    node, edge = played(steps, faults=True)
    wrong = [row for row in node.rows() if row[2] is not None and edge.meant[row[2]] != row[0]]
    assert wrong == []


@settings(max_examples=60)
@given(STEPS)
def test_whatever_was_lost_the_node_ends_online_and_its_newest_values_are_known(steps):
    node, edge = played(steps, faults=True)
    assert node.phase is Phase.ALIVE
    assert node.session.stale == set()
    newest = {name: max(row[1:3] for row in node.rows() if row[0] == name) for name in NAMES}
    assert {name: value for name, (_, value) in newest.items()} == edge.values


@settings(max_examples=40)
@given(STEPS)
def test_what_comes_in_order_is_stored_to_the_last_sample(steps):
    node, edge = played(steps, faults=False)
    stored = sorted(row[2] for row in node.rows() if row[2] is not None)
    assert stored == sorted(edge.meant)
    assert (node.desk.tally.gaps, node.refused()) == (0, [])


@settings(max_examples=40)
@given(STEPS, st.integers(0, 10_000))
def test_every_message_and_value_is_accounted_for(steps, seed):
    node, _ = played(steps, faults=True)
    give(node, 5000.0, ("NDATA", mutated(seed)))
    give(node, 5000.1, ("NBIRTH", mutated(seed + 1)))
    node.time(6000.0)
    total = node.count
    assert total("messages_received") == total("messages_decoded") + total(
        "messages_repeated"
    ) + total("messages_quarantined")
    assert total("values_decoded") == len(node.rows()) + total("values_quarantined")
    assert len({one.id for batch in node.batches for one in batch.quarantined}) == len(
        node.refused()
    )
