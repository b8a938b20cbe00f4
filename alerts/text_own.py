"""The sentences of what hazwatch says of itself and of gateways: what is late, silent or does not
fit, and what to do."""

from collections.abc import Callable
from datetime import datetime
from math import isfinite

from alerts.text_forecast import duration
from domain.alarms import Edge, Finding, Kind
from domain.plant import Registry


def lag_sentence(registry: Registry, finding: Finding) -> str:
    """What an enterprise sends is judged late. value: by how many seconds; limit: of what."""
    name = _name(registry, finding)
    if finding.edge is not Edge.RAISED:
        return f"{name}: {finding.reason or '数据恢复及时处理 judged without delay again'}"
    late = f" {duration(finding.value)}" if isfinite(finding.value) else ""
    limit = f" (limit {duration(finding.limit)})" if isfinite(finding.limit) else ""
    return (
        f"{name}: 接入滞后 its data are judged late{late}{limit}, {_since(finding.onset)}; its "
        "alarms come late by as much: watch its plant by its own DCS, and look at the load of this "
        "machine, at the database and at what its gateways send "
        "该企业报警相应延迟：请以企业DCS为准，并检查服务器负载、数据库及网关发送量"
    )


def no_room_sentence(registry: Registry, finding: Finding) -> str:
    """Nothing more can be made durable."""
    name = _name(registry, finding)
    if finding.edge is not Edge.RAISED:
        return f"{name}: {finding.reason or '已恢复存储 data are stored again'}"
    return (
        f"{name}: 无法存储 neither the database nor the local disk takes any more data, "
        f"{_since(finding.onset)}; nothing is lost as long as the broker has room, but nothing new "
        "is stored: bring the database back, or free disk space in HAZWATCH_DATA_DIR "
        "新数据暂存于消息服务器：请恢复数据库，或清理数据目录所在磁盘"
    )


def gateway_sentence(registry: Registry, finding: Finding) -> str:
    """Nothing is heard of a gateway. detail: `gateway`, its id; `tags` and `sources`, how many it
    sends."""
    codes = {one.id: one.code for one in registry.gateways}
    name = codes.get(int(finding.detail.get("gateway", 0)), "")
    if finding.edge is not Edge.RAISED:
        return f"{name}: {finding.reason or '网关恢复 the gateway is heard again'}"
    tags, sources = (int(finding.detail.get(one, 0)) for one in ("tags", "sources"))
    return (
        f"{name}: 网关失联 no good sample of any of the {tags} tags that this gateway sends, of "
        f"{sources} hazard source{'s' if sources != 1 else ''}, {_since(finding.onset)} "
        f"所发 {tags} 个测点（{sources} 个危险源）全部无数据"
    )


def self_test_sentence(registry: Registry, finding: Finding) -> str:
    """hazwatch's own breach does not come through. value: how many in a row; reason: what was seen
    of the last one."""
    if finding.edge is not Edge.RAISED:
        return f"hazwatch: {finding.reason or '自检恢复 the self-test comes through again'}"
    return self_test_failed(finding.onset, finding.reason)


def self_test_failed(since: datetime, why: str) -> str:
    """The sentence of a failed self-test, for the alarm list and for the second path alike."""
    seen = f": {why}" if why else ""
    return (
        f"hazwatch: 自检失败 the self-test does not come through, {_since(since)}{seen}; alarms of "
        "the plants may be missing or late: watch the plants by their own DCS, look at the "
        "worker's log and run hazwatch doctor "
        "企业报警可能缺失或滞后：请以企业DCS为准，查看服务日志并运行 hazwatch doctor"
    )


def _name(registry: Registry, finding: Finding) -> str:
    node = registry.nodes.get(finding.node or 0)
    return node.name if node is not None else ""


def _since(when: datetime) -> str:
    return f"since {when.isoformat(sep=' ', timespec='seconds')}"


SENTENCES: dict[Kind, Callable[[Registry, Finding], str]] = {
    Kind.GATEWAY_OFFLINE: gateway_sentence,
    Kind.INGEST_LAG: lag_sentence,
    Kind.NO_ROOM: no_room_sentence,
    Kind.SELF_TEST: self_test_sentence,
}
