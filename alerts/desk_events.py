"""What floods and notes look like on the wire: `desk` events, and one `system` event each for the
beginning and the end of a flood. Pure."""

from collections.abc import Iterator
from uuid import uuid5

from domain.alarm_noise import noise_rules
from domain.alarms import NAMESPACE, OutboxEvent
from domain.desk_now import DeskNow, FloodSpan
from domain.instant import micros, rfc3339
from domain.plant import Registry

NOTES_AT_ONCE = 500
"""Notes in one event of the stream; what is more comes with the next."""


def desk_events(now: DeskNow) -> Iterator[OutboxEvent]:
    """The desk as the stream has it; more notes than fit come with further events."""
    flood = None if now.flood is None else now.flood.body()
    head: dict[str, object] = {"enterprise": str(now.enterprise), "flood": flood}
    head |= {"suppressed": now.suppressed, "chattering": now.chattering}
    for n in range(0, max(1, len(now.notes)), NOTES_AT_ONCE):
        some = now.notes[n : n + NOTES_AT_ONCE]
        notes = {str(id): None if note is None else note.body() for id, note in some}
        yield _event("desk", now, f"{micros(now.at)}/{n}", {**head, "notes": notes})


def flood_events(registry: Registry, before: DeskNow, now: DeskNow) -> Iterator[OutboxEvent]:
    """One event for the end of a flood, and one for the beginning of the next."""
    node = registry.nodes.get(now.enterprise)
    name = str(now.enterprise) if node is None else node.name
    for span in now.spans:
        if span.until is not None:
            what, text = "flood ended", _over(name, span)
        elif before.flood is None or before.flood.since != span.since:
            what, text = "flood began", _began(name)
        else:
            continue
        told: dict[str, object] = {"what": what, "enterprise": str(now.enterprise), "text": text}
        yield _event("system", now, f"{what}/{micros(span.since)}", told)


def _began(name: str) -> str:
    rules = noise_rules().flood
    return (
        f"报警泛滥 {name}: at least {rules.begin} alarms in {rules.window_s / 60:g} min; those of "
        "one cause fold under its first, P1, gas, fire, HH and LL stand by themselves"
    )


def _over(name: str, span: FloodSpan) -> str:
    until = "" if span.until is None else f" to {rfc3339(span.until)}"
    return f"报警泛滥结束 {name}: {span.heard} alarms from {rfc3339(span.since)}{until}"


def _event(type: str, now: DeskNow, name: str, told: dict[str, object]) -> OutboxEvent:
    id = uuid5(NAMESPACE, f"{type}/desk/{now.enterprise}/{name}")
    body: dict[str, object] = {
        "id": str(id),
        "type": type,
        "at": rfc3339(now.at),
        "node": str(now.enterprise),
        "tag": None,
        "transition": None,
        type: told,
    }
    return OutboxEvent(id, type, now.at, now.enterprise, now.enterprise, None, body)
