"""The self-test's pace by default, and a tree that its canary stands beside."""

from domain.plant import Node, Registry
from domain.self_test import NODE_KIND, Pace

PACE = Pace(60, 10)
TREE = Registry(
    1,
    {
        1: Node(1, None, NODE_KIND, "hazwatch-self-test", "自检"),
        2: Node(2, 1, NODE_KIND, "canary", "自检", enterprise=2),
        3: Node(3, None, "province", "gansu", "甘肃省"),
        4: Node(4, 3, "park", "p1", "园区"),
    },
    (),
    {},
)
