"""An edge node that others wrote, mqtt-spb-wrapper, run by its own Python: it does what it reads.

    set NAME VALUE   birth   data   drop   bye

`drop` loses one message on the way: its number is counted and nothing is sent.
"""

import sys

from mqtt_spb_wrapper import MqttSpbEntityEdgeNode
from mqtt_spb_wrapper.spb_protobuf import sparkplug_b


def main(host: str, port: str, group: str, name: str, numbers: str) -> None:
    """numbers: `right` mends that its will has another bdSeq than its births; `own` does not."""
    node = MqttSpbEntityEdgeNode(group, name)
    # As it comes it ignores the command: it calls its method instead of keeping it.
    node.commands.set_callback("Node Control/Rebirth", lambda value: value and node.publish_birth())
    assert node.connect(host, int(port), timeout=20), "no connection"
    if numbers == "right":
        sparkplug_b.bdSeq -= 1
    for line in sys.stdin:
        do(node, *line.split())
        sys.stdout.write("done\n")
        sys.stdout.flush()


def do(node: MqttSpbEntityEdgeNode, verb: str, *words: str) -> None:
    """One line."""
    if verb == "set":
        node.data.set_value(words[0], float(words[1]))
    elif verb == "birth":
        node.publish_birth()
    elif verb == "data":
        node.publish_data()
    elif verb == "drop":
        sparkplug_b.getSeqNum()
    elif verb == "bye":
        node.disconnect()


if __name__ == "__main__":
    main(*sys.argv[1:])
