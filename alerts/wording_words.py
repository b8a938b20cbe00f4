"""The words that templates of notices may use, out of the bodies of notices. Pure.

Bodies are the public contract (docs/notices.md); members that an older or a shorter body lacks are
absent words, never errors.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from string import Template

from alerts.asking import UNACKNOWLEDGED
from alerts.drill import MARK, REAL_MARK, is_drill
from alerts.text import number
from alerts.wording_values import (
    Body,
    Lexicon,
    LocalTime,
    duration,
    instant,
    items,
    lasting,
    line,
    minutes,
    part,
)
from domain.alarms import OF_NODES

ALARM_EVENTS = {
    "raise": "alarm_raised",
    "worsen": "alarm_worse",
    "rejoin": "alarm_again",
    "re_alarm": "alarm_again",
    "unshelve": "alarm_again",
    "upgrade": "alarm_again",
    "return": "alarm_returned",
}
"""Events of an occurrence to their templates; all others are `alarm_closed`."""
WARNING_REASONS = {
    "opened": "warning_opened",
    "risen": "warning_risen",
    "fallen": "warning_fallen",
    "silence": "warning_escalated",
    "closed": "warning_closed",
    "verified": "warning_verified",
}
OVERDUE = {
    "feedback": "feedback_overdue",
    "close": "closing_overdue",
    "explain": "closing_overdue",
    "verify": "verification_overdue",
}
NUMERALS = {"red": "Ⅰ", "orange": "Ⅱ", "yellow": "Ⅲ", "blue": "Ⅳ"}
LIMITS = frozenset({"LL", "L", "H", "HH"})
_OF_NODES = frozenset(kind.name for kind in OF_NODES)

_COMMON = frozenset({"text", "sent", "sent_clock", "zone"})
_PLACE = frozenset({"source", "enterprise", "park", "page"})
_ALARM = _COMMON | {"tag", "alarm", "priority", "priority_word", "since", "since_clock", "state"}
_ALARM |= {"to_do", "label"}
_ALARM_TOO = {"point", "place", "reading", "limit", "limit_name", "worst", "detail", "ended"}
_ALARM_TOO |= {"suppressed", "reason", "by", "ack_for", "ack_by", "ack_by_clock"}
_ALARM_TOO |= {"waits_for", "role"}
_WARNING = _COMMON | {"colour", "numeral", "worst_colour", "source", "to_do", "after"}
_WARNING_TOO = {"since", "since_clock", "sign_min", "sign_by", "sign_by_clock", "silent"}
_WARNING_TOO |= {"silent_for", "alarms", "role", "further", "alarm_since", "alarm_since_clock"}
_WARNING_TOO |= {"tag", "alarm", "reading", "limit", "limit_name", "detail", "alarm_to_do"}
_WARNING_TOO |= {"alarm_priority", "alarm_state", "by", "kind", "drill_by", "drill_until"}
_WARNING_TOO |= {"drill_comment", "drill_end", "by_level", "comment"}
_HOT = _COMMON | {"source", "work"}
_DIGEST = _COMMON | {"count", "breakdown", "from", "to", "first"}
_OF_ALARMS = tuple(dict.fromkeys((*ALARM_EVENTS.values(), "alarm_overdue", "alarm_closed")))
_OF_CASES = (*WARNING_REASONS.values(), *dict.fromkeys(OVERDUE.values()))

ALWAYS: dict[str, frozenset[str]] = {
    **dict.fromkeys(_OF_ALARMS, frozenset(_ALARM)),
    **dict.fromkeys(_OF_CASES, frozenset(_WARNING)),
    "hot_work": frozenset(_HOT),
    "digest": frozenset(_DIGEST),
    "test": _COMMON | {"role"},
    "other": _COMMON,
}
"""Words of each template that no body lacks."""
_SOMETIMES: dict[str, set[str]] = {
    **dict.fromkeys(_OF_ALARMS, _ALARM_TOO | {"state_to_do"}),
    **dict.fromkeys(_OF_CASES, _WARNING_TOO),
    "hot_work": {"since", "since_clock", "level", "holder", "work_place", "until"},
    "digest": {"causes"},
}
KNOWN: dict[str, frozenset[str]] = {
    name: always | _PLACE | _SOMETIMES.get(name, set()) for name, always in ALWAYS.items()
}
"""Words that each template may use."""
OCCASIONS = tuple(ALWAYS)


def occasion(body: Body) -> str:
    """Which template a body asks for."""
    match body.get("type"):
        case "alarm" if isinstance(body.get("alarm"), Mapping):
            if body.get("reason") == UNACKNOWLEDGED:
                return "alarm_overdue"
            event = part(body, "transition").get("event", "raise")
            return ALARM_EVENTS.get(str(event), "alarm_closed")
        case "warning" if body.get("role") == "permit":
            return "hot_work"
        case "warning":
            late = OVERDUE.get(str(body.get("duty")))
            return late or WARNING_REASONS.get(str(body.get("reason")), "warning_opened")
        case "digest" | "test" as named:
            return str(named)
        case _:
            return "other"


def marks(body: Body, lexicon: Lexicon) -> str:
    """What stands before everything else: drill 演练, not verified 待核实, nobody named."""
    said = [name for name in ("unverified", "unnamed") if body.get(name)]
    first = MARK if is_drill(body) else REAL_MARK if body.get("not_drill") is True else ""
    return first + "".join(lexicon.single[name] for name in said)


def words(body: Body, at: datetime, lexicon: Lexicon, zone: tzinfo) -> dict[str, str]:
    """The words of a body; what it does not say is absent, but for those of `ALWAYS`."""
    sent = instant(body.get("sent")) or at
    clock = LocalTime(sent, zone)
    said: dict[str, str | None] = {
        "text": line(body.get("text")) or lexicon.single["no_text"],
        "sent": clock.long(sent),
        "sent_clock": clock.short(sent),
        "zone": clock.name,
        **{name: line(body.get(f"{name}_name")) for name in ("source", "enterprise", "park")},
    }
    match occasion(body):
        case name if name in _OF_ALARMS:
            said |= _of_alarm(part(body, "alarm"), clock, lexicon, said["source"])
            said |= _ack(body, sent, clock, lexicon)
            said |= _left(body, sent, lexicon)
        case name if name in _OF_CASES:
            said |= _of_case(body, clock, lexicon)
        case "hot_work":
            said |= _of_hot_work(body, clock, lexicon)
        case "digest":
            said |= _of_digest(body, clock, lexicon)
        case "test":
            said["role"] = line(body.get("role")) or "?"
    return {name: value for name, value in said.items() if value}


def _of_alarm(
    alarm: Body, clock: LocalTime, lexicon: Lexicon, source: str | None
) -> dict[str, str | None]:
    kind, named = str(alarm.get("kind", "")), str(alarm.get("class") or alarm.get("kind") or "?")
    limits = kind in LIMITS
    state = alarm.get("state")
    since = instant(alarm.get("onset"))
    onset = clock.times("since", since) if since else {"since": "?", "since_clock": "?"}
    figures = _figures(alarm, kind, lexicon) if limits or kind == "ROC" else {}
    tag = line(alarm.get("name")) or source or lexicon.single["unknown_tag"]
    return {
        **onset,
        **figures,
        "tag": tag,
        "point": None if kind in _OF_NODES else tag,
        "place": None if source == tag else source,
        "alarm": alarm_name(named, kind, lexicon),
        "priority": line(alarm.get("priority")) or "P?",
        "label": lexicon.word("priority_label", alarm.get("priority"), "P?"),
        "priority_word": lexicon.word("priority", alarm.get("priority"), "?"),
        "limit_name": _limit_name(named, kind, lexicon) if "limit" in figures else None,
        "detail": None if limits or kind == "ROC" else line(alarm.get("text")),
        "state": lexicon.word("state", state, "?") if state else "?",
        "state_to_do": lexicon.tables["state_to_do"].get(str(state)),
        "to_do": lexicon.word("to_do", named, lexicon.word("to_do", "default")),
        "ended": clock.long(instant(alarm.get("ended"))),
        "reason": line(alarm.get("reason")),
        "by": line(alarm.get("acknowledged_by")),
        "suppressed": _suppressed(alarm, lexicon),
    }


def _suppressed(alarm: Body, lexicon: Lexicon) -> str | None:
    """How many lie under it 其下抑制; None: none, or it is not said."""
    count = part(alarm, "note").get("suppressed")
    if not isinstance(count, int) or count < 1:
        return None
    return Template(lexicon.single["suppressed"]).substitute(count=count)


def _ack(body: Body, sent: datetime, clock: LocalTime, lexicon: Lexicon) -> dict[str, str | None]:
    """By when to acknowledge, counted from when it sounded."""
    within = duration(body.get("ack_within_s"))
    if within is None:
        return {}
    by = sent + timedelta(seconds=within)
    return {"ack_for": lasting(within, lexicon), **clock.times("ack_by", by)}


def _left(body: Body, sent: datetime, lexicon: Lexicon) -> dict[str, str | None]:
    """How long it has waited for its console, and as whom somebody is told."""
    since = instant(body.get("waits_since"))
    waited = None if since is None else (sent - since).total_seconds()
    return {"waits_for": lasting(waited, lexicon), "role": line(body.get("role_name"))}


def alarm_name(named: str, kind: str, lexicon: Lexicon) -> str:
    """What an alarm is called: the name of its class, with the word of its limit."""
    return Template(lexicon.word("class", named)).safe_substitute(kind=lexicon.word("kind", kind))


def _figures(alarm: Body, kind: str, lexicon: Lexicon) -> dict[str, str | None]:
    """Reading, limit and worst with their unit, as far as they are known."""
    unit = line(alarm.get("unit"))
    per = lexicon.single["per_minute"] if kind == "ROC" else ""
    said: dict[str, str | None] = {}
    for name, word in (("value", "reading"), ("limit", "limit"), ("worst", "worst")):
        value = alarm.get(name)
        if isinstance(value, int | float):
            said[word] = f"{number(float(value))} {unit or ''}{per}".strip()
    return said


def _limit_name(named: str, kind: str, lexicon: Lexicon) -> str:
    names = lexicon.tables["limit_name"]
    return names.get(named) or names.get(kind, kind)


def _of_case(body: Body, clock: LocalTime, lexicon: Lexicon) -> dict[str, str | None]:
    colour = str(body.get("colour", "?"))
    within, after = body.get("sign_within_s"), body.get("after_s")
    alarms = body.get("alarms")
    named = isinstance(alarms, list) and len(alarms) > 0
    silent, real = line(body.get("silent")), body.get("drill_end") == "real"
    return {
        **clock.times("since", instant(body.get("opened"))),
        **clock.times("sign_by", instant(body.get("sign_by"))),
        "colour": lexicon.word("colour", colour),
        "numeral": NUMERALS.get(colour, "?"),
        "worst_colour": lexicon.word("colour", body.get("worst") or colour),
        "source": line(body.get("source_name")) or lexicon.single["unknown_source"],
        "to_do": lexicon.word("colour_to_do", colour, lexicon.word("to_do", "default")),
        "sign_min": minutes(within),
        "silent": lexicon.word("level", silent) if silent else None,
        "silent_for": lasting(after, lexicon),
        "alarms": str(len(alarms)) if named and isinstance(alarms, list) else None,
        "role": line(body.get("role_name")) or line(body.get("role")),
        **_gravest(body, clock, lexicon),
        "after": lexicon.single["after_break" if real else "after_close"],
        "by": line(body.get("by")),
        "by_level": _known(lexicon, "level", body.get("level")),
        "comment": line(body.get("comment")),
        "kind": _known(lexicon, "closing", body.get("kind")),
        "drill_by": line(body.get("drill_by")),
        "drill_until": clock.short(instant(body.get("drill_until"))),
        "drill_comment": line(body.get("drill_comment")),
        "drill_end": _known(lexicon, "drill_end", body.get("drill_end")),
    }


def _gravest(body: Body, clock: LocalTime, lexicon: Lexicon) -> dict[str, str | None]:
    """The gravest open alarm behind a case, and how many there are besides."""
    alarm, further = part(body, "worst_alarm"), body.get("further")
    if not alarm:
        return {}
    said = _of_alarm(alarm, clock, lexicon, line(body.get("source_name")))
    names = ("tag", "alarm", "reading", "limit", "limit_name", "detail")
    more = isinstance(further, int) and further > 0
    return {
        **{name: said.get(name) for name in names},
        "alarm_priority": said["label"],
        "alarm_state": said["state"],
        "alarm_since": said["since"],
        "alarm_since_clock": said["since_clock"],
        "alarm_to_do": said["to_do"],
        "further": str(further) if more else None,
    }


def _known(lexicon: Lexicon, table: str, key: object) -> str | None:
    return None if key is None else lexicon.tables[table].get(str(key))


def _of_hot_work(body: Body, clock: LocalTime, lexicon: Lexicon) -> dict[str, str | None]:
    return {
        **clock.times("since", instant(body.get("opened"))),
        "source": line(body.get("source_name")) or lexicon.single["unknown_source"],
        "work": line(body.get("permit_by")) or line(body.get("permit")) or "?",
        "level": line(body.get("permit_level")),
        "holder": line(body.get("holder")),
        "work_place": line(body.get("permit_place")),
        "until": clock.long(instant(body.get("permit_until"))),
    }


def _of_digest(body: Body, clock: LocalTime, lexicon: Lexicon) -> dict[str, str | None]:
    """`by_priority` and `causes` counted in words, the most urgent first."""

    def counted(table: Iterable[tuple[tuple[str, str], int]]) -> str:
        said = (
            Template(lexicon.single[form]).substitute(name=name, count=count)
            for (form, name), count in table
        )
        return lexicon.single["list"].join(said)

    causes = [one for one in items(body.get("causes")) if isinstance(one, Mapping)]
    places: Counter[tuple[str, str]] = Counter()
    for cause in causes:
        name = line(cause.get("name")) or lexicon.single["own"]
        count = cause.get("count")
        form = "under_of" if cause.get("under") else "count_of"
        places[form, name] += count if isinstance(count, int) else 1
    since, until = instant(body.get("from")), instant(body.get("to"))
    by_priority = part(body, "by_priority")
    return {
        "count": str(body.get("count", "?")),
        "breakdown": counted((("count_of", word), n) for word, n in by_priority.items())
        or str(body.get("count", "?")),
        "causes": counted(places.most_common(5)) or None,
        "first": _first(part(body, "first"), lexicon) or lexicon.single["no_text"],
        "from": clock.long(since) or "?",
        "to": clock.long(until) or "?",
    }


def _first(first: Body, lexicon: Lexicon) -> str:
    """The earliest of a digest in a few words."""
    what = alarm_name(str(first.get("class", "")), str(first.get("kind", "")), lexicon)
    parts = line(first.get("source_name")), line(first.get("name")), what
    return " ".join(part for part in parts if part)
