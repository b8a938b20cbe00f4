"""Ways to reach somebody. A channel has one coroutine, `send`, which returns when the other side
took the notice."""
