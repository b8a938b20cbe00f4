"""Ways to reach somebody. A channel has one coroutine, `send`, which returns when the other side
took the notice."""

WEBHOOK, MQTT, LOG, APPRISE = "webhook", "mqtt", "log", "apprise"


def known_channels() -> tuple[str, ...]:
    """The names that a contact may have as its channel."""
    return (WEBHOOK, MQTT, LOG, APPRISE)
