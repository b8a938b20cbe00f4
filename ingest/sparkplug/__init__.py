"""The Sparkplug B 3.0 host: edge nodes in, the same messages out as from every other gateway.

`wire` reads payloads, `session` follows one edge node through births, sequence numbers and death,
`desk` keeps the sessions, `host` is the connection to the broker. Only `host` and `metrics` are not
pure.

A session puts messages in their `order`, or finds them `overtaken` or `repeats`; `contents` takes
them, `reader` makes metrics readings, `pending` keeps those that no birth explains yet; `stale`,
`reports` and `rebirths` are what is said and asked.
"""
