"""Whether it lives, whether it can work, what it counts, and what its problems mean."""

from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from api.problems import EXPLANATIONS, Problem
from api.schemas import Instant
from domain.clock import Clock
from storage.outbox_reading import OutboxStream
from storage.readiness import Readiness, read_readiness
from storage.reading import Reading


class SelfTested(BaseModel):
    """How the self-test stands. passed: when the newest breach was sent that came through."""

    failing: bool
    passed: Instant | None


class Alive(BaseModel):
    """The process answers."""

    status: str = "ok"
    self_test: SelfTested | None = Field(
        None, description="null: this process makes no self-test 自检"
    )


class Ready(BaseModel):
    """Everything that is needed is there. checks: each part and its state."""

    ready: bool = True
    checks: dict[str, str]


def health_routes(
    reading: Reading, stream: OutboxStream, clock: Clock, registry: CollectorRegistry
) -> APIRouter:
    """/healthz, /readyz, /metrics and /problems/{slug}."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", operation_id="isAlive")
    async def alive() -> Alive:
        """Whether the process answers at all, and how its self-test stands."""
        return Alive(self_test=self_tested(registry))

    @router.get("/readyz", operation_id="isReady")
    async def ready() -> Ready:
        """Whether database, schema and worker are there."""
        found = checks(await read_readiness(reading), stream.degraded_since, clock.now())
        if any(state != "ok" for state in found.values()):
            detail = ", ".join(f"{part}: {state}" for part, state in found.items())
            raise Problem(503, detail, slug="not-ready", checks=found)
        return Ready(checks=found)

    @router.get("/metrics", operation_id="readMetrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Everything counted, as Prometheus reads it."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/problems/{slug}", operation_id="explainProblem", response_class=PlainTextResponse)
    async def explain(slug: str) -> PlainTextResponse:
        """What a `type` of a problem means."""
        if slug not in EXPLANATIONS:
            raise Problem(404, EXPLANATIONS["not-found"])
        return PlainTextResponse(EXPLANATIONS[slug])

    return router


def self_tested(registry: CollectorRegistry) -> SelfTested | None:
    """What the worker of the same process counts; None where there is none."""
    names = ["hazwatch_self_test_failing", "hazwatch_self_test_last_success_seconds"]
    own = registry.restricted_registry(names)
    found = {sample.name: sample.value for metric in own.collect() for sample in metric.samples}
    if names[0] not in found:
        return None
    last = found.get(names[1])
    passed = None if not last else datetime.fromtimestamp(last, UTC)
    return SelfTested(failing=found[names[0]] > 0, passed=passed)


def checks(found: Readiness, degraded_since: datetime | None, at: datetime) -> dict[str, str]:
    """Each part and "ok", or what is wrong with it."""
    lease = found.lease_until
    return {
        "database": "ok" if found.reachable else "away",
        "schema": "ok" if found.schema else "missing or unknown",
        "worker": "ok" if lease is not None and lease > at else "no worker holds a lease",
        "stream": "ok" if degraded_since is None else "degraded",
    }
