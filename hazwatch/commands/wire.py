"""`hazwatch wire`: the wire contract for machines."""

import json
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated

import typer
import yaml

app = typer.Typer(
    no_args_is_help=True, help="The wire contract for machines: JSON Schemas, AsyncAPI."
)


class Body(StrEnum):
    """What travels."""

    DATA = "data"
    STATE = "state"
    ALARM = "alarm"
    RECEIPT = "receipt"
    EVENT = "event"
    COLOUR = "colour"
    ANSWER = "answer"


def schema_json(body: Body) -> str:
    """The published schema, `schemas/wire/NAME.json`."""
    from hazwatch.wire.schemas import titled

    return json.dumps(titled(body.value), indent=2, ensure_ascii=False) + "\n"


def asyncapi_yaml() -> str:
    """The published document, `schemas/asyncapi.yaml`."""
    from hazwatch.wire.asyncapi import asyncapi

    made = asyncapi(version("hazwatch"))
    made = json.loads(json.dumps(made))  # nothing is shared, so that YAML needs no anchors
    text = yaml.safe_dump(made, allow_unicode=True, sort_keys=False, width=100)
    return f"# Made by `hazwatch wire asyncapi`; see docs/mqtt.md.\n{text}"


@app.command()
def schema(
    body: Annotated[Body, typer.Argument(help="which body; answer: of HTTP ingest")],
) -> None:
    """Print the JSON Schema of a body, for code that makes or checks it.

    A body that it accepts is taken whole; what hazwatch refuses as a whole it
    does not accept. In between hazwatch takes value by value.

    Example: hazwatch wire schema data > data.json
    """
    typer.echo(schema_json(body), nl=False)


@app.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3.0 document of all MQTT topics; it refers to the
    schemas as wire/NAME.json beside it.

    Example: hazwatch wire asyncapi > asyncapi.yaml
    """
    typer.echo(asyncapi_yaml(), nl=False)
