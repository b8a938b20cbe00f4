"""What a person's action says of a case, and who said the same before. Pure."""

from alerts.case_evidence import attachments, word
from alerts.case_loop import Event, Verb, needs_second, seconds
from alerts.cases import receipt
from domain.alarms import OperatorAction
from domain.cases import Case, ClosingKind, Feedback, Level
from domain.instant import rfc3339

KINDS = {kind.value: kind for kind in ClosingKind}


def asked(case: Case, action: OperatorAction, level: Level) -> Event | None:
    """The event that an action on a case is, None if nobody knows its verb.

    detail: of a feedback `reading`, `person` and `files`; of a review `approve`; of a closing
    `kind`.
    """
    said = Event(Verb.RECEIVE, level=level, by=action.by, comment=_comment(action))
    match action.verb:
        case "receive":
            return said
        case "release":
            return _as(said, Verb.RELEASE)
        case "verify":
            return _as(said, Verb.VERIFY)
        case "handle":
            return _as(said, Verb.HANDLE)
        case "feedback":
            return _as(said, Verb.FEED_BACK, feedback=_feedback(case, action, level))
        case "review":
            return _as(said, Verb.APPROVE if action.detail.get("approve") else Verb.SEND_BACK)
        case "close":
            return _closing(case, said, KINDS.get(word(action.detail, "kind")))
        case _:
            return None


def already(case: Case, event: Event) -> dict[str, str | None]:
    """Who did the same before, and when."""
    loop = case.loop
    match event.verb:
        case Verb.RELEASE:
            return {"by": case.released_by, "at": rfc3339(case.released) if case.released else None}
        case Verb.VERIFY if loop.verified is not None:
            return {"by": loop.verified.by, "at": rfc3339(loop.verified.at)}
        case Verb.APPROVE if loop.review is not None:
            return {"by": loop.review.by, "at": rfc3339(loop.review.at)}
        case Verb.CLOSE | Verb.PROPOSE if loop.closing is not None:
            closing = loop.closing
            return {
                "by": closing.second or closing.by,
                "at": rfc3339(closing.second_at or closing.at),
            }
        case _:
            return _signed(case, event)


def _signed(case: Case, event: Event) -> dict[str, str | None]:
    signed = receipt(case, event.level) if event.level is not None else None
    first = signed or max(case.receipts, key=lambda one: one.n, default=None)
    if first is None:
        return {"by": None, "at": None}
    return {"by": first.by, "at": rfc3339(first.at)}


def _as(said: Event, verb: Verb, feedback: Feedback | None = None) -> Event:
    return Event(
        verb, level=said.level, by=said.by, comment=said.comment, feedback=feedback, kind=said.kind
    )


def _closing(case: Case, said: Event, kind: ClosingKind | None) -> Event:
    first_of_two = kind is not None and needs_second(case) and not seconds(case, kind, said.by)
    verb = Verb.PROPOSE if first_of_two else Verb.CLOSE
    return Event(verb, level=said.level, by=said.by, comment=said.comment, kind=kind)


def _feedback(case: Case, action: OperatorAction, level: Level) -> Feedback:
    return Feedback(
        action.by,
        action.at,
        0,
        level,
        case.colour,
        text=(action.comment or "").strip(),
        reading=word(action.detail, "reading"),
        person=word(action.detail, "person"),
        files=attachments(action.detail),
    )


def _comment(action: OperatorAction) -> str | None:
    return (action.comment or "").strip() or None
