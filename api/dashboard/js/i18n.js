/** Words of the page in both languages. Every key stands in both. */
import { DESK_WORDS } from "./words_desk.js";

export const WORDS = {
  zh: {
    slogan: "重大危险源在线监测", plant: "区域与企业", countsOf: "评分 · 未确认/未关闭", tags: "位号", alarms: "当前报警", trend: "趋势",
    user: "用户名", password: "密码", login: "登录", logout: "退出", language: "English",
    comment: "备注（可选）", cancel: "取消",
    search: "查找位号、企业…", keys: "j/k 选择 · a 确认/已阅 · r 复位 · s 搁置 · m 更多 · / 查找",
    state: "状态", priority: "优先级", onset: "发生时间", duration: "持续", place: "危险源 · 企业",
    tag: "位号", value: "数值", limit: "限值", acked: "确认", OFFLINE: "无数据", SOURCE_OFFLINE: "无数据",
    PREDICT: "趋势预警", CHANGE: "异常变化", FROZEN: "卡值", NOISE: "噪声增大",
    DRIFT: "漂移", CLIPPED: "疑似限幅", COPIED: "疑似复制", INTERMITTENT: "间歇性气体", PCA: "工况偏离",
    VOTE: "表决", VOTE_UNKNOWN: "表决失效", COMPOSITE: "组合规则", COMPOSITE_UNKNOWN: "无法判断",
    INVENTORY: "超设计量", BALANCE: "液位流量不符", UNDERREPORT: "漏报", THRESHOLD_MISMATCH: "阈值不一致",
    DETECTOR_FAULT: "探测器故障", INGEST_LAG: "接入滞后", NO_ROOM: "无法存储", SELF_TEST: "自检失败",
    UNACK: "未确认", ACKED: "已确认", RTNUN: "已恢复未确认", NORM: "正常",
    LATUN: "锁存未确认", LATAC: "锁存已确认",
    active: "仍在报警", unacked: "未确认", open: "未关闭", ack: "确认", reset: "复位",
    newRows: "{n} 条新报警 ↑", noAlarms: "没有未关闭的报警",
    noMatch: "没有符合条件的报警", loading: "加载中…", retry: "重试", failed: "加载失败：{why}",
    byItself: "自动显示", byItselfNote: "最紧急的未确认报警；选择任何一项后不再自动更换",
    chooseTag: "选择一个位号或一条报警查看趋势", noSamples: "此时段没有数据", noTags: "此处没有位号",
    neverSpoke: "无数据", asOf: "数据截至 {time}", live: "实时", connecting: "连接中",
    lost: "实时连接已中断 {s} 秒，数值可能已过时", offlineAsOf: "中断",
    degraded: "数据库不可用：列表暂不更新，暂时无法确认；报警仍经消息与通知发出",
    accepted: "已记录，等待处理",
    wrong: "用户名或密码不正确", offline: "无法连接服务器",
    newAlarm: "新报警 {priority} {name}", last: "最近 {n}", minutes: "{n} 分钟", hours: "{n} 小时",
    aggregated: "每点 {w}，含最小/最大", badQuality: "质量 {q}", all: "全部", newest: "最新",
    good: "好", uncertain: "可疑", bad: "坏", stale: "陈旧", calibration: "标定", maintenance: "维护",
    simulated: "模拟", over_range: "超上限", under_range: "超下限", unknown: "无数据",
    sources: "危险源", unseen: "无数据", score: "评分", comma: "，", semicolon: "；",
    red: "红", orange: "橙", yellow: "黄", blue: "蓝",
    enterprise: "企业", park: "园区", county: "区县", city: "市", province: "省", fire: "消防",
    warnings: "未销警预警", warningKeys: "w 预警 · j/k 选择 · a 签收", noWarnings: "没有未销警的预警",
    newestUnsigned: "最新未签收", noUnsigned: "没有待签收的预警", newWarning: "{colour}色预警 {name}",
    case_open: "未签收", case_received: "已签收", since: "自 {time}", roseAt: "{time} 升级", worst: "最高",
    signWithin: "限 {d}", signLate: "超时 {d}", nextIn: "{d} 后升级", inTime: "{d} 后", dueNow: "即将告知",
    pending: "{verb}已记录，等待处理", releasedBy: "{by} 已于 {at} 解除红色",
    receive_button: "签收", release_button: "解除红色",
    acknowledge_title: "确认报警", acknowledge_note: "确认只表示有人看到；条件消失前报警不会关闭。", acknowledge_send: "确认",
    receive_title: "签收预警", receive_note: "签收只停止本层级的升级计时，其他层级照常。", receive_send: "签收",
    release_title: "解除红色", release_note: "解除后颜色按模型逐级下降；红色条件仍在时不予解除。", release_send: "解除红色",
    signAs: "代表层级",
    reset_title: "复位报警", reset_note: "条件已消失且已确认；复位后报警关闭。", reset_send: "复位",
    reset_done: "已复位", reset_already: "已经复位", ackFirst: "请先确认再复位", nothingToReset: "条件仍在，或该报警不锁存，无需复位",
    acknowledge_done: "已确认", acknowledge_already: "{by} 已于 {at} 确认",
    receive_done: "已签收", receive_already: "{by} 已于 {at} 签收",
    release_done: "红色已解除", release_already: "{by} 已于 {at} 解除红色", refused: "未获准：{why}",
    loop: "闭环处置", chooseCase: "选择一条预警查看闭环处置", noCaseOpen: "该危险源没有未销警的预警", nextStep: "待办",
    case_handled: "处置中，待反馈", case_fed_back: "已反馈，待审核", case_reviewed: "已审核，待销警", case_settled: "闭环完成，待恢复蓝色",
    step_receive: "签收", step_handle: "处置", step_feedback: "反馈", step_review: "审核", step_close: "销警",
    loop_button: "闭环处置", handle_button: "处置", feedback_button: "反馈", review_button: "审核", close_button: "销警",
    field_comment: "说明", field_report: "处置情况", field_reading: "现场读数", field_person: "现场人员", field_files: "照片或文件",
    field_verdict: "审核结论", verdict_approve: "通过", verdict_back: "退回补充",
    field_kind: "销警类型", kind_real: "真实处置", kind_false_alarm: "误报", kind_maintenance: "检维修/标定",
    handle_send: "记录处置", handle_note: "谁去做什么", handle_done: "处置已记录",
    feedback_send: "提交反馈", feedback_note: "空白或重复的反馈不计，反馈计时不停", feedback_done: "反馈已提交",
    review_send: "提交审核", review_note: "反馈人不得审核自己的反馈；退回须说明缺什么", review_done: "审核已提交",
    review_already: "{by} 已于 {at} 审核", close_already: "{by} 已于 {at} 销警",
    close_send: "销警", close_note: "误报须填原因；曾为红色或气体高高报误报须两人销警", close_done: "已销警，恢复蓝色后关闭", close_half: "已记录，还须另一人以同样类型销警",
    wait_handle: "等待处置", wait_feedback: "等待反馈", wait_review: "等待另一人审核", wait_close: "红色解除后方可销警", wait_calm: "闭环完成，恢复蓝色后自动关闭", wait_closed: "已销警",
    nobodyHandles: "尚无人处置，请先记录处置", nothingReported: "最近一次升级后尚无反馈，请先反馈", notReviewed: "反馈尚未审核，须由另一人审核",
    alreadyReported: "已反馈；之后所做请再次反馈", emptyFeedback: "反馈为空，不计时效：请填写情况、读数、现场人员或附照片", repeatedFeedback: "与之前的反馈重复，不计时效：请说明新的情况",
    nothingToReview: "没有待审核的反馈", ownFeedback: "反馈人不得审核自己的反馈", sayMissing: "退回时请说明缺什么", falseNeedsReason: "误报须填写原因",
    secondNeeded: "还须另一人销警，{by} 一人不够", releaseFirst: "当前为红色，请先解除红色", loopComplete: "闭环已完成", fireMayNot: "消防不审核、不销警",
    rung_answered: "已反馈或销警，不再告知",
    rung_waiting: "待告知", rung_told: "已告知", rung_received: "已签收，不再告知", rung_superseded: "已提前告知",
    rung_withdrawn: "已撤回", stopped: "不再升级", unnamed: "无人担任",
    notice_delivered: "已送达", notice_failed: "未送达", notice_open: "发送中", notice_withdrawn: "已撤回",
    why: "颜色成因", chooseSource: "选择一个危险源或一条预警查看颜色成因", notAssessed: "尚未评估",
    floors: "底线规则", noFloors: "没有成立的底线规则", theAlarm: "报警",
    keptColour: "无数据：保持原有颜色，不会降低", maybeTest: "疑似标定", model: "模型 {v}", judged: "评于 {time}",
    whoWasTold: "通知",
    holds_floor: "红色条件仍在：底线规则仍成立", holds_score: "红色条件仍在：评分仍达到红色",
    holds_unknown: "红色条件仍在：危险源无数据", holds: "红色条件仍在：{why}", colourIs: "当前颜色为{colour}色",
    notRed: "当前颜色不是红色", nobodySigned: "最近一次升级后尚无人签收，请先签收",
    releasers: "红色由园区或区县解除", noLevel: "您的角色不代表该预警的任何层级",
    otherLevel: "您代表{held}，不代表{wanted}", closedSince: "该预警已于 {time} 销警",
    noCase: "没有这条预警", alarmGone: "该报警已关闭", fromStore: "该报警由补传数据得出，无需确认",
    keyUsed: "该操作已提交过，请重新打开再试",
    notFound: "不存在，或不在您的权限范围内", databaseAway: "数据库不可用，未作任何更改",
    tooManyLogins: "登录失败次数过多，请稍后再试",
    kpi: "绩效", kpi_desk: "值守岗位", kpi_position: "单位", kpi_days: "{n} 天", kpi_targets: "指标与目标", kpi_target: "目标",
    kpi_met: "达标", kpi_missed: "未达标", kpi_none: "此时段没有数据", kpi_few: "仅有 {n} 天数据，不足 30 天，结论有限",
    kpi_per_day: "日均报警", kpi_per_hour: "时均报警", kpi_per_10_min: "每 10 分钟报警", kpi_busy_hours: "超过 30 条的小时",
    kpi_busy_10_mins: "超过 10 条的 10 分钟", kpi_max_10_min: "10 分钟最多", kpi_in_flood: "报警泛滥时间", kpi_top_ten: "前十占比",
    kpi_chattering: "抖动报警", kpi_fleeting: "瞬时报警", kpi_stale_on_a_day: "陈旧报警（任一天）", kpi_unauthorised: "未授权抑制",
    kpi_low: "P4 低", kpi_medium: "P3 中", kpi_high: "P2 高", kpi_highest: "P1 紧急",
    kpi_rate: "报警率", kpi_per_600: "每 10 分钟", kpi_per_3600: "每小时", kpi_per_86400: "每天",
    kpi_heard: "发出 {n} 条，静默 {m} 条", kpi_heat: "按日与小时", kpi_darkest: "最深 {n}", kpi_top: "频发报警前十",
    kpi_count: "次数", kpi_share: "占比", kpi_chattered: "抖动", kpi_split: "优先级分布与目标", kpi_times: "确认与关闭用时",
    kpi_open: "未确认", kpi_close: "关闭", kpi_warnings: "预警闭环", kpi_opened: "新开 {n} 条", kpi_cases: "预警", kpi_rises: "次数",
    kpi_signed: "签收率", kpi_signed_in_time: "签收及时率", kpi_disposed: "处置率", kpi_disposed_in_time: "处置及时率",
    kpi_receive: "签收", kpi_feedback: "反馈", kpi_closing: "销警", kpi_positions: "各岗位",
  },
  en: {
    slogan: "Major hazard sources, watched online", plant: "Plant", countsOf: "score · unacked/open", tags: "Tags",
    alarms: "Open alarms", trend: "Trend",
    user: "User", password: "Password", login: "Log in", logout: "Log out", language: "中文",
    comment: "Comment (optional)", cancel: "Cancel",
    search: "Find tag, enterprise…", keys: "j/k select · a ack/seen · r reset · s shelve · m more · / find",
    state: "State", priority: "Priority", onset: "Onset", duration: "Duration",
    place: "Where", tag: "Tag", value: "Value", limit: "Limit",
    acked: "Acknowledged", OFFLINE: "no data", SOURCE_OFFLINE: "no data",
    PREDICT: "forecast", CHANGE: "change", FROZEN: "frozen", NOISE: "noise",
    DRIFT: "drift", CLIPPED: "clipped?", COPIED: "copied?", INTERMITTENT: "gas, on and off", PCA: "unusual state",
    VOTE: "vote", VOTE_UNKNOWN: "no vote", COMPOSITE: "rule", COMPOSITE_UNKNOWN: "undecided",
    INVENTORY: "over design", BALANCE: "level ≠ flow", UNDERREPORT: "not reported", THRESHOLD_MISMATCH: "set point ≠",
    DETECTOR_FAULT: "detector fault", INGEST_LAG: "judged late", NO_ROOM: "can't be stored", SELF_TEST: "self-test failed",
    UNACK: "Unacked", ACKED: "Acked", RTNUN: "RTN unacked", NORM: "Normal",
    LATUN: "Latched, unacked", LATAC: "Latched, acked",
    active: "Still active", unacked: "Unacked", open: "All open", ack: "Ack", reset: "Reset",
    newRows: "{n} new ↑", noAlarms: "No open alarms",
    noMatch: "No alarm fits the filter", loading: "Loading…", retry: "Try again",
    failed: "Could not load: {why}",
    byItself: "shown by itself",
    byItselfNote: "The most urgent unacknowledged alarm; it stays once you choose anything",
    chooseTag: "Choose a tag or an alarm to see its trend", noSamples: "No data in this time",
    noTags: "No tags here", neverSpoke: "no data", asOf: "Data as of {time}", live: "live",
    connecting: "connecting", lost: "Live connection lost for {s} s: values may be out of date",
    offlineAsOf: "lost",
    degraded: "Database away: the list stands still and acknowledging must wait; "
      + "alarms still go out by message and notice",
    accepted: "Recorded, waiting to be applied",
    wrong: "User or password is wrong", offline: "The server cannot be reached",
    newAlarm: "New alarm {priority} {name}", last: "last {n}", minutes: "{n} min", hours: "{n} h",
    aggregated: "{w} per point, with min and max", badQuality: "quality {q}", all: "All",
    newest: "Newest",
    good: "good", uncertain: "uncertain", bad: "bad", stale: "stale", calibration: "calibration",
    maintenance: "maintenance", simulated: "simulated", over_range: "over range",
    under_range: "under range", unknown: "no data",
    sources: "Sources", unseen: "no data", score: "Score", comma: ", ", semicolon: "; ",
    red: "Red", orange: "Orange", yellow: "Yellow", blue: "Blue",
    enterprise: "Plant", park: "Park", county: "County", city: "City", province: "Province",
    fire: "Fire",
    warnings: "Open warnings", warningKeys: "w warnings · j/k select · a sign",
    noWarnings: "No open warnings", newestUnsigned: "Newest unsigned",
    noUnsigned: "No warning waits to be signed", newWarning: "{colour} warning {name}",
    case_open: "Unsigned", case_received: "Signed", since: "since {time}", roseAt: "rose {time}",
    worst: "worst", signWithin: "{d} left", signLate: "late {d}", nextIn: "next in {d}",
    inTime: "in {d}", dueNow: "due now",
    pending: "{verb}: recorded, waiting", releasedBy: "Red released by {by} at {at}",
    receive_button: "Sign", release_button: "Release red",
    acknowledge_title: "Acknowledge alarm",
    acknowledge_note: "It says that somebody has seen it; the alarm stays until its condition is gone.",
    acknowledge_send: "Acknowledge",
    receive_title: "Sign for warning",
    receive_note: "It stops the clock of your level; the others go on.", receive_send: "Sign",
    release_title: "Release red",
    release_note: "The model may then lower the colour step by step; refused while red still holds.",
    release_send: "Release red", signAs: "For the level of",
    reset_title: "Reset alarm",
    reset_note: "Its condition is gone and somebody has seen it; reset closes it.", reset_send: "Reset",
    reset_done: "Reset", reset_already: "Reset already", ackFirst: "Acknowledge it before you reset it",
    nothingToReset: "Its condition holds, or it does not latch: nothing to reset",
    acknowledge_done: "Acknowledged", acknowledge_already: "Acknowledged by {by} at {at} already",
    receive_done: "Signed", receive_already: "Signed by {by} at {at} already",
    release_done: "Red is released", release_already: "Red was released by {by} at {at} already",
    refused: "Refused: {why}",
    loop: "Loop", chooseCase: "Choose a warning to see its loop", noCaseOpen: "The source has no open warning", nextStep: "next",
    case_handled: "Handled, feedback due", case_fed_back: "Fed back, review due", case_reviewed: "Reviewed, to be closed", case_settled: "Complete, waits for blue",
    step_receive: "Sign", step_handle: "Handle", step_feedback: "Feedback", step_review: "Review", step_close: "Close",
    loop_button: "Loop", handle_button: "Handle", feedback_button: "Feedback", review_button: "Review", close_button: "Close",
    field_comment: "Comment", field_report: "What was done", field_reading: "Reading", field_person: "On the spot", field_files: "Photographs, files",
    field_verdict: "Verdict", verdict_approve: "approve", verdict_back: "send back",
    field_kind: "Kind", kind_real: "real", kind_false_alarm: "false alarm", kind_maintenance: "maintenance, calibration",
    handle_send: "Record", handle_note: "Who does what.", handle_done: "Handling recorded",
    feedback_send: "Feed back", feedback_note: "Empty or repeated feedback does not count: its clock goes on.", feedback_done: "Fed back",
    review_send: "Review", review_note: "Not by who fed back; say what is missing when you send back.", review_done: "Reviewed",
    review_already: "Reviewed by {by} at {at} already", close_already: "Closed by {by} at {at} already",
    close_send: "Close", close_note: "A false alarm needs a reason; what was red, or gas said to be false, needs two persons.",
    close_done: "Closed; it ends when the source is blue", close_half: "Recorded: another person has to close it, too, with the same kind",
    wait_handle: "Waits to be handled", wait_feedback: "Waits for feedback", wait_review: "Waits for a review by somebody else",
    wait_close: "Red has to be released before it is closed", wait_calm: "Complete: it closes when the source is blue", wait_closed: "Closed",
    nobodyHandles: "Nobody deals with it yet: record the handling first", nothingReported: "Nothing is reported since the last rise: feed back first",
    notReviewed: "The feedback is not reviewed yet: another person has to do that", alreadyReported: "It has been fed back: report what was done since as feedback",
    emptyFeedback: "The feedback is empty and does not count: give a text, a reading, who was there, or a photograph",
    repeatedFeedback: "The feedback repeats what was said and does not count: say what is new", nothingToReview: "No feedback waits for a review",
    ownFeedback: "Who fed back does not review it", sayMissing: "Say what is missing", falseNeedsReason: "A false alarm needs a reason",
    secondNeeded: "A second person has to close it, too: {by} alone is not enough", releaseFirst: "The source is red: release red first",
    loopComplete: "The loop is complete", fireMayNot: "Fire and rescue neither reviews nor closes", rung_answered: "answered, not told",
    rung_waiting: "to be told", rung_told: "told", rung_received: "signed, not told",
    rung_superseded: "told sooner", rung_withdrawn: "withdrawn", stopped: "stopped",
    unnamed: "unnamed",
    notice_delivered: "delivered", notice_failed: "failed", notice_open: "on its way",
    notice_withdrawn: "withdrawn",
    why: "Why this colour", chooseSource: "Choose a source or a warning to see why it has its colour",
    notAssessed: "Not assessed yet", floors: "Floors",
    noFloors: "No floor holds", theAlarm: "alarm",
    keptColour: "No data: the colour is kept and cannot fall", maybeTest: "test?",
    model: "model {v}", judged: "judged {time}", whoWasTold: "Notices",
    holds_floor: "Red still holds: a floor keeps it",
    holds_score: "Red still holds: the score is in red",
    holds_unknown: "Red still holds: the source has no data", holds: "Red still holds: {why}",
    colourIs: "The colour is {colour} now", notRed: "The colour is not red now",
    nobodySigned: "Nobody has signed since the last rise: sign first",
    releasers: "Red is released by a park or a county",
    noLevel: "No role of yours speaks for a level of this warning",
    otherLevel: "You speak for {held}, not for {wanted}",
    closedSince: "The warning is closed since {time}",
    noCase: "There is no such warning", alarmGone: "The alarm is closed",
    fromStore: "It was found afterwards in stored data; nobody has to acknowledge it",
    keyUsed: "This was sent before: open it anew",
    notFound: "There is no such thing, or it is not yours to see",
    databaseAway: "The database is away; nothing was changed",
    tooManyLogins: "Too many failed logins: wait a while",
    kpi: "KPIs", kpi_desk: "Desk", kpi_position: "Of", kpi_days: "{n} d", kpi_targets: "KPIs and targets", kpi_target: "Target",
    kpi_met: "met", kpi_missed: "missed", kpi_none: "No data in this period", kpi_few: "Only {n} days of data: less than 30 say little",
    kpi_per_day: "Alarms a day", kpi_per_hour: "Alarms an hour", kpi_per_10_min: "Alarms in 10 min", kpi_busy_hours: "Hours with more than 30",
    kpi_busy_10_mins: "10 min with more than 10", kpi_max_10_min: "Most in 10 min", kpi_in_flood: "Time in flood", kpi_top_ten: "Share of the top ten",
    kpi_chattering: "Chattering alarms", kpi_fleeting: "Fleeting alarms", kpi_stale_on_a_day: "Stale on any day", kpi_unauthorised: "Unauthorised suppressions",
    kpi_low: "P4 low", kpi_medium: "P3 medium", kpi_high: "P2 high", kpi_highest: "P1 urgent",
    kpi_rate: "Alarm rate", kpi_per_600: "per 10 min", kpi_per_3600: "per hour", kpi_per_86400: "per day",
    kpi_heard: "{n} annunciated, {m} muted", kpi_heat: "By day and hour", kpi_darkest: "darkest {n}", kpi_top: "Top ten",
    kpi_count: "Count", kpi_share: "Share", kpi_chattered: "Chattered", kpi_split: "Priorities and targets", kpi_times: "Times to acknowledge and close",
    kpi_open: "Unacked", kpi_close: "Close", kpi_warnings: "Warning loop", kpi_opened: "{n} opened", kpi_cases: "Warnings", kpi_rises: "Rises",
    kpi_signed: "Signed", kpi_signed_in_time: "In time", kpi_disposed: "Disposed of", kpi_disposed_in_time: "In time",
    kpi_receive: "Signed", kpi_feedback: "Feedback", kpi_closing: "Closed", kpi_positions: "Desks",
  },
};

for (const [name, words] of Object.entries(DESK_WORDS)) Object.assign(WORDS[name], words);

const KEPT = "hazwatch.language";
let language = localStorage.getItem(KEPT)
  ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

/** The words of a key, with {names} filled in. */
export function t(key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Word of a quality or a state; one that is not known is shown as it came. */
export function word(key) {
  return WORDS[language][key] ?? key;
}

/** The part of "中文 English" that is in the present language; other text is left whole. */
export function half(text) {
  const parts = /^(.*[^\x00-\x7f])\s+([\x00-\x7f]+)$/.exec(text);
  return parts ? parts[language === "zh" ? 1 : 2] : text;
}

/** The tag of the present language for Intl. */
export function locale() {
  return language === "zh" ? "zh-CN" : "en-GB";
}

/** Change to the other language and remember it. */
export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem(KEPT, language);
}

/** Put the words into everything that is marked with data-text or data-hint. */
export function translate(root = document) {
  document.documentElement.lang = locale();
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = t(element.dataset.text);
  }
  for (const element of root.querySelectorAll("[data-hint]")) {
    element.placeholder = t(element.dataset.hint);
    element.setAttribute("aria-label", t(element.dataset.hint));
  }
}
