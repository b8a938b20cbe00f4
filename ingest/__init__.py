"""MQTT in: topics, decoding, per-sample quality, gateway clocks, batching, ledger.

`intake` is the pure heart (messages in, `Batch` out). `mqtt` is the broker as the worker sees it,
`connection` the one module that knows its library.
"""
