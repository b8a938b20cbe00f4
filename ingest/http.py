"""`POST /api/v1/ingest/{park}/{enterprise}/{gateway}`: the `Door` in HTTP's terms."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import ClientDisconnect

from domain.problem_details import MEDIA_TYPE, problem_details
from ingest.door import Door, Incoming
from ingest.http_answers import REQUEST_BODY, RESPONSES, Taken
from ingest.http_refusals import Refused

PREFIX = "/api/v1/ingest"
NOBODY, BUG = 0, 500
_KEY = HTTPBearer(
    auto_error=False,
    scheme_name="GatewayKey",
    description="a key of the gateway (hazwatch gateway key add), or the session of a person with "
    "the role enterprise",
)
Code = Annotated[str, Path(description="its code in the site file")]


def ingest_routes(door: Door) -> APIRouter:
    """The path, for every application of this process."""
    router = APIRouter(tags=["ingest"])

    @router.post(
        PREFIX + "/{park}/{enterprise}/{gateway}",
        operation_id="ingestSamples",
        responses=RESPONSES,
        response_model=Taken,
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def ingest(
        park: Code,
        enterprise: Code,
        gateway: Code,
        request: Request,
        key: Annotated[HTTPAuthorizationCredentials | None, Depends(_KEY)],
    ) -> Response:
        """Samples of a gateway; the same body as over MQTT. Answers when they are in the database.
        On 429 and 503 wait as long as Retry-After says, and send the same again."""
        status = BUG
        try:
            incoming = _incoming((park, enterprise, gateway), key, request)
            answer = _json(msgspec.json.encode(await door.take(incoming)))
            status = answer.status_code
        except Refused as refused:
            status, answer = refused.status, _problem(refused, request)
        except ClientDisconnect:
            status, answer = NOBODY, Response(status_code=400)
        finally:
            door.count(status)
        return answer

    return router


def _incoming(
    place: tuple[str, str, str], key: HTTPAuthorizationCredentials | None, request: Request
) -> Incoming:
    length = request.headers.get("content-length", "")
    return Incoming(
        place,
        None if key is None else key.credentials,
        "" if request.client is None else request.client.host,
        request.headers.get("content-encoding", "").strip().lower(),
        int(length) if length.isdecimal() else None,
        request.stream(),
    )


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _problem(refused: Refused, request: Request) -> Response:
    instance = f"urn:trace:{request.scope.get('trace_id', '0' * 32)}"
    body = problem_details(refused.status, refused.slug, refused.detail, instance, **refused.more)
    return Response(msgspec.json.encode(body), refused.status, refused.headers, MEDIA_TYPE)
