"""Addresses of people, as others may see them."""

import re

_ADDRESS = re.compile(r"(\w[\w+.-]*://)(?:[^/?#]*@)?([^/?#]*)(.*)", re.DOTALL)


def presentable(address: str) -> str:
    """An address as everybody may read it: many webhooks carry their secret in path or query."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return address
    scheme, server, rest = found.groups()
    return f"{scheme}{server}/…" if rest.strip("/") else f"{scheme}{server}"
