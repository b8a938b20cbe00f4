/** Words of the page in both languages. Every key stands in both. */
export const WORDS = {
  zh: {
    slogan: "重大危险源在线监测", plant: "区域与企业", countsOf: "未确认 / 未关闭", tags: "位号", alarms: "当前报警", trend: "趋势",
    user: "用户名", password: "密码", login: "登录", logout: "退出", language: "English",
    acknowledge: "确认报警", comment: "备注（可选）", cancel: "取消", confirm: "确认",
    search: "查找位号、企业…", keys: "j/k 选择 · a 确认 · / 查找",
    state: "状态", priority: "优先级", onset: "发生时间", duration: "持续", place: "企业 · 危险源",
    tag: "位号", value: "数值", limit: "限值", acked: "确认", action: "",
    UNACK: "未确认", ACKED: "已确认", RTNUN: "已恢复未确认", NORM: "正常",
    LATUN: "锁存未确认", LATAC: "锁存已确认",
    active: "仍在报警", unacked: "未确认", open: "未关闭", ack: "确认",
    unackedCount: "未确认 {n}", newRows: "{n} 条新报警 ↑", noAlarms: "没有未关闭的报警",
    noMatch: "没有符合条件的报警", loading: "加载中…", retry: "重试", failed: "加载失败：{why}",
    chooseTag: "选择一个位号或一条报警查看趋势", noSamples: "此时段没有数据", noTags: "此处没有位号",
    neverSpoke: "无数据", asOf: "数据截至 {time}", live: "实时", connecting: "连接中",
    lost: "实时连接已中断 {s} 秒，数值可能已过时", offlineAsOf: "中断",
    degraded: "数据库不可用：列表暂不更新，暂时无法确认；报警仍经消息与通知发出",
    already: "{by} 已于 {at} 确认", done: "已确认", accepted: "已记录，等待处理",
    wrong: "用户名或密码不正确", offline: "无法连接服务器",
    newAlarm: "新报警 {priority} {name}", last: "最近 {n}", minutes: "{n} 分钟", hours: "{n} 小时",
    aggregated: "每点 {w}，含最小/最大", badQuality: "质量 {q}", all: "全部", newest: "最新",
    good: "好", uncertain: "可疑", bad: "坏", calibration: "标定", maintenance: "维护",
    simulated: "模拟", over_range: "超上限", under_range: "超下限", unknown: "无数据",
  },
  en: {
    slogan: "Major hazard sources, watched online", plant: "Plant", countsOf: "unacked / open", tags: "Tags",
    alarms: "Open alarms", trend: "Trend",
    user: "User", password: "Password", login: "Log in", logout: "Log out", language: "中文",
    acknowledge: "Acknowledge alarm", comment: "Comment (optional)", cancel: "Cancel",
    confirm: "Acknowledge",
    search: "Find tag, enterprise…", keys: "j/k select · a acknowledge · / find",
    state: "State", priority: "Priority", onset: "Onset", duration: "Duration",
    place: "Enterprise · source", tag: "Tag", value: "Value", limit: "Limit",
    acked: "Acknowledged", action: "",
    UNACK: "Unacked", ACKED: "Acked", RTNUN: "RTN unacked", NORM: "Normal",
    LATUN: "Latched, unacked", LATAC: "Latched, acked",
    active: "Still active", unacked: "Unacked", open: "All open", ack: "Ack",
    unackedCount: "{n} unacked", newRows: "{n} new ↑", noAlarms: "No open alarms",
    noMatch: "No alarm fits the filter", loading: "Loading…", retry: "Try again",
    failed: "Could not load: {why}",
    chooseTag: "Choose a tag or an alarm to see its trend", noSamples: "No data in this time",
    noTags: "No tags here", neverSpoke: "no data", asOf: "Data as of {time}", live: "live",
    connecting: "connecting", lost: "Live connection lost for {s} s: values may be out of date",
    offlineAsOf: "lost",
    degraded: "Database away: the list stands still and acknowledging must wait; "
      + "alarms still go out by message and notice",
    already: "Acknowledged by {by} at {at} already", done: "Acknowledged",
    accepted: "Recorded, waiting to be applied",
    wrong: "User or password is wrong", offline: "The server cannot be reached",
    newAlarm: "New alarm {priority} {name}", last: "last {n}", minutes: "{n} min", hours: "{n} h",
    aggregated: "{w} per point, with min and max", badQuality: "quality {q}", all: "All",
    newest: "Newest",
    good: "good", uncertain: "uncertain", bad: "bad", calibration: "calibration",
    maintenance: "maintenance", simulated: "simulated", over_range: "over range",
    under_range: "under range", unknown: "no data",
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
