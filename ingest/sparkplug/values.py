"""Values of metrics as float64, by data type (Sparkplug B 3.0, 6.4.16)."""

from math import isinf, nan

import numpy as np

from ingest.rejection import Rejection, shown
from ingest.sparkplug.wire import BOOLEAN, Metric

INTEGERS = {1: (8, True), 2: (16, True), 3: (32, True), 4: (64, True)} | {
    5: (8, False),
    6: (16, False),
    7: (32, False),
    8: (64, False),
}
"""Data type -> bits, signed."""
NAMES = {n: f"{'U' if n > 4 else ''}Int{bits}" for n, (bits, _) in INTEGERS.items()} | {
    12: "String",
    13: "DateTime",
    14: "Text",
    15: "UUID",
    16: "DataSet",
    17: "Bytes",
    18: "File",
    19: "Template",
}
REALS = (9, 10)
CONTAINERS = {"int_value": 32, "long_value": 64}


def number(metric: Metric, datatype: int | None) -> float | Rejection:
    """The value as a float64, true 1 and false 0, NaN = null; or why there is none.

    datatype: of the metric, or of its birth. A float of 32 bits is read as the shortest decimal
    that means it: a limit of 7.1 is reached by what the plant calls 7.1. An integer whose type
    nobody has told is not taken: it could be negative.
    """
    if metric.null:
        return nan
    kind, raw = metric.kind, metric.raw
    if kind is None:
        return Rejection("no_value", "the metric has no value and does not say is_null")
    if datatype is not None and datatype not in (*INTEGERS, *REALS, BOOLEAN):
        what = NAMES.get(datatype, f"type {datatype}")
        return Rejection("not_a_number", f"the metric is a {what}; numbers and booleans are taken")
    if kind == "boolean_value":
        return float(raw)
    if kind == "float_value":
        return _finite(float(str(np.float32(raw))))
    if kind == "double_value":
        return _finite(raw)
    if kind not in CONTAINERS:
        return Rejection("not_a_number", f"the value is a {kind.removesuffix('_value')}")
    if datatype in REALS or datatype == BOOLEAN:
        return float(raw)
    return _integer(raw, CONTAINERS[kind], datatype)


def _finite(value: float) -> float | Rejection:
    return Rejection("not_a_number", f"the value is {shown(value)}") if isinf(value) else value


def _integer(raw: int, container: int, datatype: int | None) -> float | Rejection:
    """Signed integers are two's complement, in as many bits as they have or as their container."""
    if datatype is None:
        return Rejection("no_datatype", "neither the metric nor a birth tells the type of integer")
    bits, signed = INTEGERS[datatype]
    limit = 1 << bits
    if not signed or raw < limit >> 1:
        value = raw
    elif raw < limit:
        value = raw - limit
    else:
        value = raw - (1 << container)
    low, high = (-(limit >> 1), limit >> 1) if signed else (0, limit)
    if not low <= value < high:
        return Rejection("bad_value", f"{raw} is no {NAMES[datatype]}")
    return float(value)
