"""The application, put together in one place."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.staticfiles import StaticFiles

from api import description, problems
from api.auth import Guard
from api.desk import Desk
from api.live import Live, Seats
from api.logins import Logins
from api.metrics import ApiMetrics
from api.middleware import Around
from api.options import ApiOptions
from api.routes.actions import action_routes
from api.routes.alarms import alarm_routes
from api.routes.audit import audit_routes
from api.routes.cap import cap_routes
from api.routes.desks import desk_routes
from api.routes.drills import drill_routes
from api.routes.events import event_routes
from api.routes.gaps import gap_routes
from api.routes.gateways import gateway_routes
from api.routes.geojson import geojson_routes
from api.routes.grade import grade_routes
from api.routes.groups import group_routes
from api.routes.handling import handling_routes
from api.routes.health import health_routes
from api.routes.history import history_routes
from api.routes.inputs import input_routes
from api.routes.inventory import inventory_routes
from api.routes.kpi import kpi_routes
from api.routes.ladders import ladder_routes
from api.routes.loop import loop_routes
from api.routes.policies import policy_routes
from api.routes.risk import risk_routes
from api.routes.session import session_routes
from api.routes.tags import tag_routes
from api.routes.tree import tree_routes
from api.routes.warnings import warning_routes
from api.second_person import SecondPerson
from domain.clock import Clock
from domain.ladders import Ladders
from storage.outbox_reading import OutboxStream
from storage.reading import Reading

DASHBOARD = Path(__file__).parent / "dashboard"
PREFIX = "/api/v1"


def create_app(
    options: ApiOptions,
    reading: Reading,
    stream: OutboxStream,
    clock: Clock,
    registry: CollectorRegistry,
    more: Sequence[APIRouter] = (),
) -> FastAPI:
    """The application over an open `reading` and a `stream` that somebody runs (see `serve`).

    more: whole paths of others that are served here too.
    """
    metrics = ApiMetrics(registry)
    guard = Guard(reading, clock)
    desk = Desk(reading, stream, clock, options)
    logins = Logins(reading, clock, metrics)
    second = SecondPerson(reading, clock, logins)
    live = Live(reading, stream, guard, clock, options, metrics)
    app = FastAPI(
        title="hazwatch",
        version=description.API_VERSION,
        summary="Samples, alarms, risk and warnings of major hazard sources 重大危险源",
        docs_url=None,
        redoc_url=None,
        responses=description.PROBLEMS,
    )
    problems.install(app)
    description.install(app)
    ladders = Ladders(options.ladder, options.by_node)
    nouns = APIRouter(prefix=PREFIX)
    nouns.include_router(session_routes(reading, guard, clock, options, logins))
    nouns.include_router(tree_routes(reading, guard))
    nouns.include_router(tag_routes(reading, guard))
    nouns.include_router(grade_routes(reading, guard))
    nouns.include_router(audit_routes(reading, guard))
    nouns.include_router(history_routes(reading, guard, clock))
    nouns.include_router(inventory_routes(reading, guard, clock))
    nouns.include_router(group_routes(reading, guard, clock))
    nouns.include_router(alarm_routes(reading, guard))
    nouns.include_router(desk_routes(reading, guard, clock))
    nouns.include_router(handling_routes(reading, desk, guard, metrics, second))
    nouns.include_router(policy_routes(reading, guard, clock))
    nouns.include_router(warning_routes(reading, guard, ladders, clock))
    nouns.include_router(ladder_routes(reading, guard, ladders))
    nouns.include_router(risk_routes(reading, guard))
    nouns.include_router(cap_routes(reading, guard, options.cap))
    nouns.include_router(geojson_routes(reading, guard))
    nouns.include_router(action_routes(reading, desk, guard, metrics))
    nouns.include_router(loop_routes(reading, desk, guard, clock, options, metrics))
    nouns.include_router(drill_routes(reading, desk, guard, metrics))
    nouns.include_router(input_routes(reading, guard, clock, second))
    nouns.include_router(event_routes(reading, guard, live, Seats(options, metrics)))
    nouns.include_router(gateway_routes(reading, guard))
    nouns.include_router(gap_routes(reading, guard, clock))
    nouns.include_router(kpi_routes(reading, guard, clock, options))
    app.include_router(nouns)
    app.include_router(health_routes(reading, stream, clock, registry))
    for routes in more:
        app.include_router(routes)
    app.mount("/", StaticFiles(directory=DASHBOARD, html=True), name="dashboard")
    app.add_middleware(
        Around,
        clock=clock,
        metrics=metrics,
        body_bytes=options.body_bytes,
        file_bytes=options.file_bytes,
    )
    return app
