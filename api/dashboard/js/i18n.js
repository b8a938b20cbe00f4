/** Words of the page in both languages. Every key stands in both. */
export const WORDS = {
  zh: {
    slogan: "重大危险源在线监测", plant: "区域与企业", countsOf: "评分 · 未确认/未关闭", tags: "位号", alarms: "当前报警", trend: "趋势",
    user: "用户名", password: "密码", login: "登录", logout: "退出", language: "English",
    comment: "备注（可选）", cancel: "取消",
    search: "查找位号、企业…", keys: "j/k 选择 · a 确认 · / 查找",
    state: "状态", priority: "优先级", onset: "发生时间", duration: "持续", place: "危险源 · 企业",
    tag: "位号", value: "数值", limit: "限值", acked: "确认", OFFLINE: "无数据", SOURCE_OFFLINE: "无数据",
    PREDICT: "趋势预警", CHANGE: "异常变化", FROZEN: "卡值", NOISE: "噪声增大",
    DRIFT: "漂移", CLIPPED: "疑似限幅", COPIED: "疑似复制", INTERMITTENT: "间歇性气体", PCA: "工况偏离",
    VOTE: "表决", VOTE_UNKNOWN: "表决失效", COMPOSITE: "组合规则", COMPOSITE_UNKNOWN: "无法判断",
    INVENTORY: "超设计量", BALANCE: "液位流量不符", UNDERREPORT: "漏报", THRESHOLD_MISMATCH: "阈值不一致",
    DETECTOR_FAULT: "探测器故障", INGEST_LAG: "接入滞后", NO_ROOM: "无法存储",
    UNACK: "未确认", ACKED: "已确认", RTNUN: "已恢复未确认", NORM: "正常",
    LATUN: "锁存未确认", LATAC: "锁存已确认",
    active: "仍在报警", unacked: "未确认", open: "未关闭", ack: "确认",
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
    acknowledge_done: "已确认", acknowledge_already: "{by} 已于 {at} 确认",
    receive_done: "已签收", receive_already: "{by} 已于 {at} 签收",
    release_done: "红色已解除", release_already: "{by} 已于 {at} 解除红色", refused: "未获准：{why}",
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
  },
  en: {
    slogan: "Major hazard sources, watched online", plant: "Plant", countsOf: "score · unacked/open", tags: "Tags",
    alarms: "Open alarms", trend: "Trend",
    user: "User", password: "Password", login: "Log in", logout: "Log out", language: "中文",
    comment: "Comment (optional)", cancel: "Cancel",
    search: "Find tag, enterprise…", keys: "j/k select · a acknowledge · / find",
    state: "State", priority: "Priority", onset: "Onset", duration: "Duration",
    place: "Where", tag: "Tag", value: "Value", limit: "Limit",
    acked: "Acknowledged", OFFLINE: "no data", SOURCE_OFFLINE: "no data",
    PREDICT: "forecast", CHANGE: "change", FROZEN: "frozen", NOISE: "noise",
    DRIFT: "drift", CLIPPED: "clipped?", COPIED: "copied?", INTERMITTENT: "gas, on and off", PCA: "unusual state",
    VOTE: "vote", VOTE_UNKNOWN: "no vote", COMPOSITE: "rule", COMPOSITE_UNKNOWN: "undecided",
    INVENTORY: "over design", BALANCE: "level ≠ flow", UNDERREPORT: "not reported", THRESHOLD_MISMATCH: "set point ≠",
    DETECTOR_FAULT: "detector fault", INGEST_LAG: "judged late", NO_ROOM: "can't be stored",
    UNACK: "Unacked", ACKED: "Acked", RTNUN: "RTN unacked", NORM: "Normal",
    LATUN: "Latched, unacked", LATAC: "Latched, acked",
    active: "Still active", unacked: "Unacked", open: "All open", ack: "Ack",
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
    acknowledge_done: "Acknowledged", acknowledge_already: "Acknowledged by {by} at {at} already",
    receive_done: "Signed", receive_already: "Signed by {by} at {at} already",
    release_done: "Red is released", release_already: "Red was released by {by} at {at} already",
    refused: "Refused: {why}",
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
  },
};

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
