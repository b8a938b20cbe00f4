"""What notices say: golden texts, no holes whatever the body, and templates that are refused."""

import re
from datetime import timedelta
from functools import cache
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.case_notices import HotWork, notices, permit_notices
from alerts.digest import digest
from alerts.drill import MARK
from alerts.events import alarm_event
from alerts.people import Contact
from alerts.places import beside
from alerts.wording import (
    LANGUAGES,
    LONGEST_SHORT,
    Rendered,
    TemplateError,
    Wording,
    markdown,
    parse,
)
from alerts.wording_words import OCCASIONS, occasion
from domain import policy
from domain.alarms import OF_NODES, Alarm, Kind, Notice, Priority, State, Transition
from domain.cases import Case, CaseState, Duty, EscalationStep, Level, Outcome
from domain.elapsed import ClockReading
from domain.escalation import default
from domain.frame import Lane
from domain.inputs import Input, InputKind
from domain.instant import rfc3339
from domain.plant import Tag, TagKind
from domain.risk import Colour
from hazwatch.notice_samples import AT, SAMPLES
from hazwatch.settings import Settings
from hazwatch.wordings import WordingError, shipped, wording
from tests.support.builders import ENTERPRISE, PARK, SOURCE, START, registry, tag

ZONE = ZoneInfo("Asia/Shanghai")
EVENTS: tuple[str, ...] = (
    "raise",
    "worsen",
    "upgrade",
    "return",
    "close",
    "acknowledge",
    "reset",
    "re_alarm",
    "rejoin",
)
EVENTS += ("shelve", "unshelve", "suppress", "remove_from_service", "an event of tomorrow")
HOLE = re.compile(r"\$\w|\[\[|\]\]|None|\{|\}|nan|：\s*(\n|$)|: *(\n|$)|（）|\(\)")


@cache
def words() -> Wording:
    return Wording(*shipped(), ZONE, "https://watch.example.org")


GOLDEN = {
    ("gas raised", "zh-CN"): (
        "P1紧急报警：液氨罐区 AT-101 气体二级报警",
        """\
测点：AT-101
报警：气体二级报警
优先级：P1（紧急）
当前值：52.3 ppm
二级设定值：50 ppm
开始时间：2026-11-23 03:15:02（UTC+8）
危险源：液氨罐区
企业：示范化工有限公司
园区：示范化工园区
怎么办：确认报警；戴防护具从上风向核实，撤离下风向人员，切断泄漏源和点火源，按预案处置
确认时限：1分钟内，即 2026-11-23 03:17:30（UTC+8）前""",
        "【P1紧急】液氨罐区 AT-101气体二级报警 52.3 ppm（限50 ppm），03:15起，请立即确认处置",
    ),
    ("gas worse", "en"): (
        "Getting worse, P1 urgent: 液氨罐区 AT-101 gas level 2",
        """\
Tag: AT-101
Alarm: gas level 2, getting worse
Priority: P1 (urgent)
Worst value: 118 ppm
Limit: level 2 50 ppm
Since: 2026-11-23 03:15:02 (UTC+8)
Hazard source: 液氨罐区
Enterprise: 示范化工有限公司
Park: 示范化工园区
What to do: acknowledge; check from upwind with protection, clear people from downwind, shut off \
the leak and ignition sources, follow the emergency plan""",
        "WORSE P1 urgent: 液氨罐区 AT-101 gas level 2 now 118 ppm (limit 50 ppm) since 03:15. "
        "Act at once.",
    ),
    ("level returned", "zh-CN"): (
        "已恢复 P3报警：液氨罐区 LT-101 液位高报",
        """\
测点：LT-101
报警：液位高报，已恢复未确认
优先级：P3（中）
最严重值：87.9 %
高限：85 %
开始时间：2026-11-23 03:15:02（UTC+8）
恢复时间：2026-11-23 03:16:30（UTC+8）
危险源：液氨罐区
企业：示范化工有限公司
园区：示范化工园区
怎么办：确认，并查明原因""",
        "【恢复 P3】液氨罐区 LT-101液位高报已恢复，最严重值87.9 %，03:15起。请确认并查明原因",
    ),
    ("source offline", "zh-CN"): (
        "P2报警：液氨罐区 危险源失联",
        """\
液氨罐区: 全部测点无数据 no good sample from any tag since 2026-11-23 03:15:02+08:00
报警：危险源失联
优先级：P2（高）
开始时间：2026-11-23 03:15:02（UTC+8）
危险源：液氨罐区
企业：示范化工有限公司
园区：示范化工园区
怎么办：检查网关和网络；恢复前到现场人工监测并按时记录
确认时限：10分钟内，即 2026-11-23 03:26:30（UTC+8）前""",
        "【P2】液氨罐区危险源失联，03:15起，请立即确认处置",
    ),
    ("warning opened", "zh-CN"): (
        "橙色预警（Ⅱ级）：示范化工有限公司 液氨罐区",
        """\
预警：橙色（Ⅱ级）
危险源：液氨罐区
企业：示范化工有限公司
园区：示范化工园区
预警开始：2026-11-23 03:15:12（UTC+8）
最重报警：AT-101 气体二级报警（P1紧急，报警未确认）
报警值：52.3 ppm
二级设定值：50 ppm
报警开始：2026-11-23 03:15:02（UTC+8）
另有未消除报警：2 条
关联报警：1 条
通知角色：园区值班 park duty desk
怎么办：确认报警；戴防护具从上风向核实，撤离下风向人员，切断泄漏源和点火源，按预案处置；立即\
到场处置，消除报警，控制作业
签收时限：5 分钟内，即 2026-11-23 03:20:12（UTC+8）前""",
        "【橙色预警】示范化工…液氨罐区，03:15起，请03:20前签收并处置：AT-101气体二级报警 52.3"
        " ppm（限50 ppm），另2条",
    ),
    ("warning risen", "en"): (
        "[unverified] Risen to red warning (level Ⅰ): 示范化工有限公司, 液氨罐区",
        """\
[unverified]
Warning: risen to red (level Ⅰ), to be signed again
Hazard source: 液氨罐区
Enterprise: 示范化工有限公司
Park: 示范化工园区
Warning since: 2026-11-23 03:15:12 (UTC+8)
Gravest alarm: AT-101 gas level 2 (P1 urgent, unacknowledged)
Value: 52.3 ppm
Limit: level 2 50 ppm
Alarm since: 2026-11-23 03:15:02 (UTC+8)
Further open alarms: 2
Alarms behind it: 1
Told as: 消防救援联络 fire and rescue liaison
What to do: acknowledge; check from upwind with protection, clear people from downwind, shut \
off the leak and ignition sources, follow the emergency plan; follow the emergency plan: act \
on the spot, clear the danger zone, verify and report upwards
Sign within: 3 min, that is by 2026-11-23 03:19:30 (UTC+8)""",
        "[unverified] Risen to red warning: 示范化工有限公司, 液氨罐区: AT-101 gas level 2 "
        "52.3 ppm (limit 50 ppm) +2 since 03:15. Sign again by 03:19 and act.",
    ),
    ("nobody signed", "zh-CN"): (
        "无人签收，橙色预警（Ⅱ级）上报：示范化工有限公司 液氨罐区",
        """\
预警：橙色（Ⅱ级），逐级上报
为何上报：园区5分钟未签收
危险源：液氨罐区
企业：示范化工有限公司
园区：示范化工园区
预警开始：2026-11-23 03:15:12（UTC+8）
最重报警：AT-101 气体二级报警（P1紧急，报警未确认）
报警值：52.3 ppm
二级设定值：50 ppm
报警开始：2026-11-23 03:15:02（UTC+8）
另有未消除报警：2 条
关联报警：1 条
通知角色：园区值班 park duty desk
怎么办：联系未签收的一级，督促处置；本级也请签收。确认报警；戴防护具从上风向核实，撤离下风向\
人员，切断泄漏源和点火源，按预案处置；立即到场处置，消除报警，控制作业""",
        "【无人签收 橙色预警】示范化工有限公司液氨罐区，AT-101气体二级报警 52.3 ppm，园区5分"
        "钟未签收，03:15起，请立即督促签收",
    ),
    ("feedback overdue", "zh-CN"): (
        "处置反馈逾期，橙色预警（Ⅱ级）：示范化工有限公司 液氨罐区",
        """\
预警：橙色（Ⅱ级），处置反馈逾期
逾期：30分钟内无有效处置反馈
危险源：液氨罐区
企业：示范化工有限公司
园区：示范化工园区
预警开始：2026-11-23 03:15:12（UTC+8）
最重报警：AT-101 气体二级报警（P1紧急，报警未确认）
报警值：52.3 ppm
二级设定值：50 ppm
报警开始：2026-11-23 03:15:02（UTC+8）
另有未消除报警：2 条
关联报警：1 条
通知角色：园区值班 park duty desk
怎么办：立即提交处置反馈，附文字、照片、读数或到场人员；重复或空白的反馈不算""",
        "【反馈逾期 橙色预警】示范化工有限公司液氨罐区，AT-101气体二级报警 52.3 ppm，30分钟未"
        "反馈，03:15起，请立即提交处置反馈",
    ),
    ("hot work", "zh-CN"): (
        "立即停止动火：示范化工有限公司 液氨罐区 附近可燃或有毒气体报警",
        """\
停止作业：立即停止动火，熄灭火源，人员撤离
动火许可：一级，签发 zhang.wei
作业负责人：王强
地点：液氨罐区
许可有效至：2026-11-23 07:00:00（UTC+8）
危险源：液氨罐区
企业：示范化工有限公司
园区：示范化工园区
预警开始：2026-11-23 03:15:12（UTC+8）
怎么办：复测合格并重新审批前不得恢复动火""",
        "【P1紧急 停止动火】示范化工有限公司液氨罐区附近气体报警，03:15起，立即停止动火并撤离",
    ),
    ("digest", "zh-CN"): (
        "报警汇总：另有 31 条通知（P2 3条、P3 26条、P4 2条）",
        """\
报警较多，以下 31 条未逐条发送：P2 3条、P3 26条、P4 2条
冷却水站 24条、甲醇罐区 7条
首条：冷却水站 FT-301 流量低报
时间：2026-11-23 03:15:40 至 2026-11-23 03:16:30（UTC+8）
怎么办：登录系统逐条确认；P1、气体、火灾、高高限报警及橙、红预警仍逐条发送""",
        "【报警汇总】另有31条：P2 3条、P3 26条、P4 2条。"
        "首条冷却水站 FT-301 流量低报，请登录系统查看",
    ),
    ("drill", "zh-CN"): (
        "【演练 DRILL】橙色预警（Ⅱ级）：示范化工有限公司 液氨罐区",
        """\
【演练 DRILL】
演练：chen.jing 发起，至 04:00，液氨泄漏桌面推演。不是真实险情，按演练方案响应
预警：橙色（Ⅱ级）
危险源：液氨罐区
企业：示范化工有限公司
园区：示范化工园区
预警开始：2026-11-23 03:15:12（UTC+8）
关联报警：1 条
通知角色：园区值班 park duty desk
怎么办：立即到场处置，消除报警，控制作业
签收时限：5 分钟内，即 2026-11-23 03:20:12（UTC+8）前""",
        "【演练 DRILL】【橙色预警】示范化工有限公司液氨罐区，03:15起，请03:20前签收并处置",
    ),
}


@pytest.mark.parametrize(("sample", "language"), GOLDEN)
def test_a_notice_reads_so(sample: str, language: str):
    said = Wording(*shipped(), ZONE).render(SAMPLES[sample], AT, language)
    assert (said.title, said.body, said.short) == GOLDEN[sample, language]


def test_the_samples_show_every_occasion_but_the_last_resort():
    assert {occasion(body) for body in SAMPLES.values()} == {*OCCASIONS} - {"other"}


def is_whole(said: Rendered, language: str) -> None:
    """No form is empty, too long, or has a hole."""
    for form in (said.title, said.body, said.markdown, said.short):
        assert form.strip()
        assert not HOLE.search(form), form
    assert "\n" not in said.title + said.short
    assert len(said.short) <= LONGEST_SHORT[language]


def has_rule(tag: Tag, kind: Kind) -> bool:
    try:
        return bool(policy.rule(tag.kind, kind))
    except KeyError:
        return False


TAGS = [tag(id=10 + n, name=f"T{n}", kind=kind, unit="ppm") for n, kind in enumerate(TagKind)]
PLANT = registry(*TAGS)
SUBJECTS: list[tuple[Kind, Tag | None]] = [(kind, None) for kind in OF_NODES]
SUBJECTS += [(kind, tag) for kind in {*Kind} - OF_NODES for tag in TAGS if has_rule(tag, kind)]
numbers = st.floats(allow_nan=True, allow_infinity=False, width=32)
moments = st.floats(0, 3e7).map(lambda seconds: START + timedelta(seconds=seconds))


@st.composite
def alarms(draw: st.DrawFn) -> Notice:
    """A notice of a transition of any kind of alarm, with the body that the worker gives it."""
    (kind, of), event = draw(st.sampled_from(SUBJECTS)), draw(st.sampled_from(EVENTS))
    node = SOURCE if of else draw(st.sampled_from([PARK, ENTERPRISE, SOURCE]))
    since = draw(moments)
    alarm = Alarm(
        UUID(int=draw(st.integers(0, 2**64))),
        Lane.LIVE,
        kind,
        of.id if of else None,
        node,
        ENTERPRISE,
        draw(st.sampled_from(list(Priority))),
        draw(st.sampled_from(list(State))),
        since,
        since,
        draw(numbers),
        draw(numbers),
        draw(numbers),
        ended=draw(st.none() | moments),
        text=draw(st.sampled_from(["", "T1: 高报", "a\nb"])),
        acknowledged_by=draw(st.sampled_from([None, "li.na"])),
    )
    change = Transition(alarm, alarm.state, alarm.state, event, since + timedelta(seconds=7))
    body = alarm_event(PLANT, change).body | beside(PLANT, alarm) | {"sent": rfc3339(change.at)}
    body |= {"drill": draw(st.booleans())}
    return Notice(alarm.id, alarm.id, "apprise", "wecombot://KEY", body, change.at)


@given(alarms(), st.sampled_from(LANGUAGES))
def test_every_notice_of_an_alarm_is_whole_in_every_form(one: Notice, language: str):
    said = words().render(one.body, one.created, language)
    is_whole(said, language)
    for form in (said.title, said.body, said.markdown, said.short):
        assert form.lstrip("*").startswith(MARK) == (one.body["drill"] is True)


@given(st.lists(alarms(), min_size=2, max_size=40), st.sampled_from(LANGUAGES))
def test_every_digest_is_whole_and_counts_all(many: list[Notice], language: str):
    one = digest(many, START)
    said = words().render(one.body, one.created, language)
    is_whole(said, language)
    assert str(len(many)) in said.title


COLOURED = (Colour.YELLOW, Colour.ORANGE, Colour.RED)
LADDER = default()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_of_a_rung_is_whole_and_says_by_when_to_sign(language: str):
    roles = [LADDER.roles[code] for code in ("OP", "PK", "FR")]
    asked = product(COLOURED, roles, (0.0, 600.0), Duty, (1, 2), (None, Level.PARK))
    for colour, role, after_s, duty, n, clock in asked:
        now = ClockReading(START, 0.0, "boot")
        case = Case(
            UUID(int=1),
            SOURCE,
            1,
            ENTERPRISE,
            CaseState.OPEN,
            colour,
            colour,
            START,
            START,
            left_blue=1,
            risen=n,
        )
        step = EscalationStep(
            UUID(int=1),
            1,
            n,
            colour,
            role.code,
            role.level,
            after_s,
            START,
            after_s,
            now,
            Outcome.TOLD,
            START,
            clock=clock,
            since=n,
            duty=duty,
        )
        for contacts in ({}, {(role.code, SOURCE): [Contact("apprise", "wecombot://KEY")]}):
            _, (one,) = notices(LADDER, PLANT, contacts, case, step)
            said = words().render(one.body, one.created, language)
            is_whole(said, language)
            assert "Tank farm 1" in said.short
            if after_s == 0 and duty is Duty.RECEIVE:
                sign_by = START + timedelta(seconds=LADDER.colours[colour].receive_within_s)
                assert f"{sign_by.astimezone(ZONE):%H:%M}" in said.short


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("value", [{}, {"level": "一级", "holder": "王强"}])
@pytest.mark.parametrize("until", [None, START + timedelta(hours=8)])
def test_every_notice_of_hot_work_near_gas_is_whole(language, value, until):
    case = Case(
        UUID(int=1),
        SOURCE,
        1,
        ENTERPRISE,
        CaseState.OPEN,
        Colour.ORANGE,
        Colour.ORANGE,
        START,
        START,
    )
    permit = Input(
        UUID(int=2),
        InputKind.SPECIAL_WORK,
        ENTERPRISE,
        SOURCE,
        None,
        START,
        until,
        value,
        "zhang.wei",
        START,
    )
    made = permit_notices(LADDER, PLANT, {}, case, HotWork(permit, UUID(int=3)), START)
    for one in made:
        said = words().render(one.body, one.created, language)
        is_whole(said, language)
        assert "zhang.wei" in said.body


anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["alarm", "warning", "digest", "test", "tomorrow", None])},
        optional=dict.fromkeys(
            (
                "alarm",
                "transition",
                "text",
                "sent",
                "opened",
                "by",
                "colour",
                "reason",
                "duty",
                "silent",
                "role",
                "sign_by",
                "sign_within_s",
                "after_s",
                "count",
                "by_priority",
                "causes",
                "first",
                "from",
                "to",
                "source_name",
                "holder",
                "ack_within_s",
            ),
            anything,
        ),
    ),
    st.sampled_from(LANGUAGES),
)
def test_no_body_however_odd_stops_a_notice(body: dict[str, object], language: str):
    said = words().render(body, START, language)
    assert said.title.strip()
    assert said.body.strip()
    assert said.short.strip()
    assert len(said.short) <= LONGEST_SHORT[language]


def test_long_names_give_way_and_figures_do_not():
    body = SAMPLES["gas raised"] | {"source_name": "示范化工有限公司第二分厂北区液氨球罐区一号" * 3}
    said = words().render(body | {"drill": True}, AT, "zh-CN")
    assert len(said.short) == 70
    assert said.short.startswith("【演练 DRILL】【P1紧急】示范化")
    assert "52.3 ppm（限50 ppm），03:15起，请立即确认处置" in said.short


def test_a_time_of_another_day_has_its_date():
    body = SAMPLES["warning opened"] | {"opened": "2026-11-22T15:59:00Z"}
    assert "11-22 23:59起" in words().render(body, AT, "zh-CN").short


def test_every_class_of_the_policy_has_a_name_and_something_to_do():
    classes = {row["class"] for row in policy.data()["rule"]}
    _, lexicons = shipped()
    for language in LANGUAGES:
        assert classes - lexicons[language].tables["class"].keys() == set()
        assert classes - lexicons[language].tables["to_do"].keys() - {"STATE", "PROCESS"} == set()


def test_both_languages_have_the_same_words():
    _, lexicons = shipped()
    zh, en = (lexicons[language] for language in LANGUAGES)
    assert zh.single.keys() == en.single.keys()
    assert {name: table.keys() for name, table in zh.tables.items()} == {
        name: table.keys() for name, table in en.tables.items()
    }


def test_markdown_has_bold_labels_and_shows_names_as_they_are():
    lines = ["测点：LT_101*A_", "Alarm: [HH] 1.5 m", "no label here"]
    assert markdown(lines, "【演练 DRILL】") == (
        "**【演练 DRILL】**\n\n**测点**：LT\\_101\\*A\\_\n\n"
        "**Alarm**: \\[HH\\] 1.5 m\n\nno label here"
    )


GOOD = "# comment\n[short]\n$tag $alarm\n[title]\n$tag\n[body]\n$tag\n[[$reading]]\n"


def test_a_template_may_leave_out_what_is_absent():
    patterns, lexicons = shipped()
    text = GOOD.replace(
        "[body]\n", "[body]\nnow $reading, price $$5\n[[at $source,]] since $since\n"
    )
    patterns["en", "alarm_raised"] = parse("alarm_raised", text)
    alarm = SAMPLES["gas raised"]["alarm"]
    assert isinstance(alarm, dict)
    body = SAMPLES["gas raised"] | {"alarm": alarm | {"value": None}}
    own = Wording(patterns, lexicons, ZONE)
    assert own.render(body, AT, "en").body == ("At 液氨罐区, since 2026-11-23 03:15:02\nAT-101")
    full = own.render(SAMPLES["gas raised"], AT, "en").body
    assert full.splitlines()[0] == "Now 52.3 ppm, price $5"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("$tag $alarm", "$tgg", r"line 3: no word \$tgg, known here: .*\$tag"),
        ("$tag $alarm", "$reading", r"line 3: \$reading may be absent, put it between"),
        ("$tag $alarm", "5 $", "line 3: a \\$ that is followed by no word"),
        ("$tag $alarm", "[[ $reading", r"line 3: \[\[ and \]\] must come in pairs"),
        ("$tag $alarm", "[[a [[$reading]] b]]", "line 3: .* not nested"),
        ("$tag $alarm", "", r"\[short\] has 0 lines, expected 1"),
        ("$tag $alarm", "$tag\n$alarm", r"\[short\] has 2 lines, expected 1"),
        ("[title]", "[titel]", r"line 4: \[titel\], expected \[short\], \[title\], \[body\]"),
        ("[title]\n$tag\n", "", r"no section \[title\]"),
        ("[title]", "[short]", "line 4: .* once each"),
        ("# comment", "hello", "line 1: 'hello' stands before any section"),
        ("$tag\n[[$reading]]\n", "", r"\[body\] is empty"),
    ],
)
def test_a_broken_template_is_refused_with_its_line(old: str, new: str, reason: str):
    with pytest.raises(TemplateError, match=rf"alarm_raised\.txt:?.*{reason}"):
        parse("alarm_raised", GOOD.replace(old, new, 1))


def own(folder, **files: str) -> Settings:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Settings(notice_templates=folder, _env_file=None)


def test_an_installation_replaces_templates_and_words(tmp_path):
    settings = own(
        tmp_path,
        **{"en/alarm_raised.txt": GOOD, "zh-CN/words.toml": '[to_do]\nGAS_L2 = "拨打内线 8119"\n'},
    )
    words = wording(settings)
    assert words.render(SAMPLES["gas raised"], AT, "en").short == "AT-101 gas level 2"
    assert "怎么办：拨打内线 8119" in words.render(SAMPLES["gas raised"], AT, "zh-CN").body
    assert "液位高报" in words.render(SAMPLES["level again"], AT, "zh-CN").short


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("en/alarm_raised.txt", GOOD.replace("$tag $", "$oops $"), r"txt line 3: no word \$oo"),
        ("en/alarm_rised.txt", GOOD, "no such template; expected .*alarm_raised"),
        ("fr/alarm_raised.txt", GOOD, "no such template; expected zh-CN or en"),
        ("en/words.toml", "list = ?\n", r"words\.toml: .*line 1"),
        ("en/words.toml", "shout = 'x'", "unknown 'shout', known: "),
        ("en/words.toml", "[class]\nLEVEL = '$knd'", r"LEVEL is '\$knd', it may have \$kind"),
        ("en/words.toml", "[class]\nLEVEL = 5", r"class\.LEVEL is 5, expected a text"),
    ],
)
def test_a_broken_folder_is_refused_with_file_and_line(tmp_path, name, text, reason):
    with pytest.raises(WordingError, match=f"HAZWATCH_NOTICE_TEMPLATES .*{reason}"):
        wording(own(tmp_path, **{name: text}))


def test_a_folder_that_is_not_there_and_a_file_that_is_no_text_are_refused(tmp_path):
    with pytest.raises(WordingError, match="no such folder"):
        wording(Settings(notice_templates=tmp_path / "none", _env_file=None))
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "test.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(WordingError, match=r"test\.txt: not UTF-8"):
        wording(Settings(notice_templates=tmp_path, _env_file=None))


def test_a_page_is_named_where_it_is_known():
    assert "查看：https://watch.example.org" in words().render(SAMPLES["drill"], AT, "zh-CN").body


def test_an_unknown_body_is_told_in_its_own_words():
    said = words().render({"type": "tomorrow", "text": "something new"}, AT, "en")
    assert said.short == "Something new"
