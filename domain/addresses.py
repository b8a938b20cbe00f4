"""Addresses of people, as others may see them."""

import re

_ADDRESS = re.compile(r"(\w[\w+.-]*)://(?:[^/?#]*@)?([^/?#]*)(.*)", re.DOTALL)
_SERVER = re.compile(r"[\w.-]*(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")
NAMES_A_SERVER = frozenset({"http", "https", "mqtt", "mqtts"})
"""Schemes whose addresses have a server where that of others has a key: `wecombot://KEY`."""


def presentable(address: str) -> str:
    """An address as everybody may read it: many webhooks carry their secret in path or query, and
    those of bots have nothing else; of these only the scheme is shown."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return address
    scheme, server, rest = found.groups()
    if scheme.lower() not in NAMES_A_SERVER or not _SERVER.fullmatch(server):
        return f"{scheme}://…"
    return f"{scheme}://{server}/…" if rest.strip("/") else f"{scheme}://{server}"
