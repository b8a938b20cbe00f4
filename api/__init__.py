"""REST, live stream, login and the dashboard: what people and programs see of the plant.

Reads through `storage`, applies nothing: what a person decides is recorded, the worker applies it.
`app.create_app` composes, `serve.serve` runs it, `routes/` holds one noun a file. Every reading
takes a `Scope`; every error is a problem of RFC 9457.
"""
