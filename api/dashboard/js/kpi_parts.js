/** Panels of the KPI page: what the api told, as tables, bars and a heat strip. */
import { button, make } from "./dom.js";
import { number } from "./format.js";
import { half, t, word } from "./i18n.js";
import { riskMark } from "./marks.js";

const SVG = "http://www.w3.org/2000/svg";
const PRIORITIES = ["P1", "P2", "P3", "P4"];
const TARGETS = { P1: 0.01, P2: 0.05, P3: 0.15, P4: 0.8 };
const LOOP = ["signed", "signed_in_time", "disposed", "disposed_in_time"];

/** 12.3 %, or a dash. */
export function percent(share) {
  return share === null ? "–" : `${number(Number((100 * share).toPrecision(3)))} %`;
}

/** 45 s, 12 min, 3.2 h or 2 d, or a dash. */
export function lasting(seconds) {
  if (seconds === null) return "–";
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([n]) => seconds >= n) ?? [1, "s"];
  return `${Number((seconds / size).toPrecision(3))} ${unit}`;
}

function panel(title, content, aside = "") {
  const heading = make("h2", "", [make("span", "", title), make("span", "muted", aside)]);
  return make("section", "panel kpi-part", [heading, ...[content].flat()]);
}

function table(heads, rows) {
  const head = make("tr", "", heads.map((text) => make("th", "", text)));
  return make("table", "", [make("thead", "", head), make("tbody", "", rows)]);
}

function row(cells, className = "") {
  return make("tr", className, cells.map((cell) => make("td", "", cell)));
}

/** Each KPI beside its target: the sign says whether it is met, not a colour. */
export function targets(position) {
  const shown = position.targets.map((one) => {
    const say = one.unit === "1" ? percent : (value) => (value === null ? "–" : number(Number(value.toPrecision(3))));
    const state = one.met === null ? "none" : one.met ? "met" : "missed";
    const sign = make("span", `verdict ${state}`);
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", t(`kpi_${state}`));
    sign.title = t(`kpi_${state}`);
    const bound = `${one.kpi === "low" ? "≥" : "≤"} ${say(one.target)}`;
    return row([t(`kpi_${one.kpi}`), say(one.value), bound, sign], state);
  });
  return panel(t("kpi_targets"), table(["", t("value"), t("kpi_target"), ""], shown), half(position.eemua_191 ?? ""));
}

/** Annunciated alarms in equal steps; the dashed line is the limit for such a step. */
export function rate(position) {
  const { counts, times, step_s: step } = position.chart;
  const most = Math.max(1, ...counts);
  const [width, height, left, low] = [900, 150, 34, 18];
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": t("kpi_rate") });
  const each = (width - left) / Math.max(1, counts.length);
  const y = (count) => (height - low) * (1 - count / most);
  counts.forEach((count, n) => {
    if (count === 0) return;
    const bar = draw("rect", { class: "rate", x: left + n * each, width: Math.max(0.6, each - 0.5), y: y(count) + 6,
      height: Math.max(0, height - low - y(count) - 6) });
    bar.append(draw("title", {}, `${local(times[n])} ${count}`));
    picture.append(bar);
  });
  const limit = { 600: 2, 3600: 12, 86400: 300 }[step];
  if (limit < most) {
    const at = y(limit) + 6;
    picture.append(draw("line", { class: "limit", x1: left, x2: width, y1: at, y2: at }));
    picture.append(draw("text", { x: left - 4, y: at + 4, "text-anchor": "end" }, String(limit)));
  }
  picture.append(draw("line", { class: "axis", x1: left, x2: width, y1: height - low, y2: height - low }));
  picture.append(draw("text", { x: left - 4, y: 14, "text-anchor": "end" }, String(most)));
  [[0, left, "start"], [Math.floor(counts.length / 2), left + (width - left) / 2, "middle"],
    [counts.length - 1, width, "end"]].forEach(([n, x, anchor]) => {
    if (times[n]) picture.append(draw("text", { x, y: height - 4, "text-anchor": anchor }, local(times[n])));
  });
  const total = t("kpi_heard", { n: position.annunciated, m: position.muted });
  return panel(`${t("kpi_rate")} · ${t(`kpi_per_${step}`)}`, picture, total);
}

/** Local days by hours, darker for more. */
export function heat(position) {
  const most = Math.max(1, ...position.heat.flatMap((day) => day.hours.map((n) => n ?? 0)));
  const cells = [make("span"), ...Array.from({ length: 24 }, (_, hour) => make("span", "", hour % 6 ? "" : String(hour))), make("b")];
  for (const { day, hours } of position.heat) {
    cells.push(make("span", "", day.slice(5)));
    hours.forEach((count, hour) => {
      const cell = make("i", count === null ? "out" : count === 0 ? "zero" : "");
      if (count) cell.style.setProperty("--share", String(0.15 + 0.85 * (count / most)));
      cell.title = `${day} ${hour}:00 ${count ?? "–"}`;
      cells.push(cell);
    });
    cells.push(make("b", "", String(hours.reduce((sum, count) => sum + (count ?? 0), 0))));
  }
  return panel(t("kpi_heat"), make("div", "heat", cells), t("kpi_darkest", { n: most }));
}

/** The ten most frequent alarms, and which of them chattered. */
export function topTen(position) {
  const key = ({ kind, tag, node }) => `${kind} ${tag} ${node}`;
  const spells = new Map(position.chattering.map((one) => [key(one), one.spells]));
  const rows = position.top.map((one) => {
    const name = make("span", "", `${one.name} ${one.kind === null ? "" : word(one.kind)}`);
    name.title = one.place;
    return row([name, String(one.count), percent(one.share), spells.has(key(one)) ? `${spells.get(key(one))} ×` : ""]);
  });
  const content = rows.length ? table([t("tag"), t("kpi_count"), t("kpi_share"), t("kpi_chattered")], rows) : empty();
  return panel(t("kpi_top"), content, percent(position.top_share));
}

/** Which delays would have calmed the noisiest alarms; null: none would have. */
export function calm(position) {
  const key = ({ kind, tag, node }) => `${kind} ${tag} ${node}`;
  const noisy = new Map([...position.chattering, ...position.top].filter(({ advice }) => advice).map((one) => [key(one), one]));
  const worst = [...noisy.values()].sort((one, other) => other.advice.noisy - one.advice.noisy).slice(0, 10);
  if (worst.length === 0) return null;
  const rows = worst.map((one) => {
    const { noisy: n, off_delay: off, on_delay: on } = one.advice;
    const name = make("span", "", `${one.name} ${word(one.kind)}`);
    name.title = one.place;
    return row([name, String(n), off ? t("kpi_joins", { s: off.longer_s, m: off.joined, n }) : "–",
      on ? t("kpi_drops", { s: on.longer_s, m: on.dropped, n }) : "–"]);
  });
  const heads = [t("tag"), t("kpi_noisy"), t("kpi_off_delay"), t("kpi_on_delay")];
  return panel(t("kpi_calm"), table(heads, rows), t("kpi_calm_how"));
}

/** Shares by priority, the target of each as an upright stroke. */
export function split(position) {
  const picture = draw("svg", { viewBox: "0 0 420 92", role: "img", "aria-label": t("kpi_split") });
  PRIORITIES.forEach((priority, n) => {
    const [share, y, left, long] = [position.shares[priority], 4 + 22 * n, 30, 290];
    picture.append(draw("text", { x: 0, y: y + 13 }, priority));
    picture.append(draw("rect", { class: "split", x: left, y: y + 2, width: long * (share ?? 0), height: 14 }));
    const at = left + long * TARGETS[priority];
    picture.append(draw("line", { class: "target", x1: at, x2: at, y1: y, y2: y + 18 }));
    const told = `${percent(share)} ${priority === "P4" ? "≥" : "≤"} ${percent(TARGETS[priority])}`;
    picture.append(draw("text", { x: 420, y: y + 13, "text-anchor": "end" }, told));
  });
  return panel(t("kpi_split"), picture);
}

/** Times to acknowledge and to close, by priority. */
export function times(position) {
  const rows = ["all", ...PRIORITIES].map((name) => {
    const [ack, close] = [position.acknowledge[name], position.close[name]];
    return row([name === "all" ? t("all") : name, String(ack.number), String(ack.open), lasting(ack.p50_s),
      lasting(ack.p90_s), lasting(close.p50_s), lasting(close.p90_s)]);
  });
  const heads = ["", t("acked"), t("kpi_open"), "p50", "p90", `${t("kpi_close")} p50`, "p90"];
  return panel(t("kpi_times"), table(heads, rows));
}

/** 签收率, 处置率 and 及时率, by colour and by level. */
export function loops({ warnings }) {
  const groups = [[t("all"), warnings.all, ""],
    ...["red", "orange", "yellow"].map((colour) => [t(colour), warnings.by_colour[colour], colour]),
    ...Object.entries(warnings.by_level).map(([level, loop]) => [word(level), loop, ""])];
  const rows = groups.filter(([, loop]) => loop.rises > 0).map(([name, loop, colour]) => {
    const mark = colour ? make("span", "of-colour", [riskMark({ colour }), name]) : name;
    const share = (part) => `${percent(loop[part].share)}`;
    return row([mark, String(loop.rises), ...LOOP.map(share), `${lasting(loop.receive.p50_s)}${loop.too_fast ? " !" : ""}`,
      lasting(loop.receive.p90_s), lasting(loop.feedback.p50_s), lasting(loop.close.p50_s)], loop.too_fast ? "missed" : "");
  });
  const heads = ["", t("kpi_rises"), ...LOOP.map((part) => t(`kpi_${part}`)), `${t("kpi_receive")} p50`, "p90",
    `${t("kpi_feedback")} p50`, `${t("kpi_closing")} p50`];
  return panel(t("kpi_warnings"), rows.length ? table(heads, rows) : empty(), t("kpi_opened", { n: warnings.cases }));
}

/** Several positions: a list to choose one from. */
export function list(positions, choose) {
  const rows = positions.map((one) => {
    const name = button("plain", `${one.name}`, () => choose(one.id));
    return row([name, String(one.annunciated), number(one.rates.per_day === null ? null : Number(one.rates.per_day.toPrecision(3))),
      String(one.rates.max_10_min), percent(one.floods.share), String(one.acknowledge.all.open),
      lasting(one.acknowledge.all.p90_s), String(one.warnings.cases), percent(one.warnings.all.signed_in_time.share),
      half(one.eemua_191 ?? "–")]);
  });
  const heads = ["", t("kpi_count"), t("kpi_per_day"), t("kpi_max_10_min"), t("kpi_in_flood"), t("kpi_open"),
    `${t("acked")} p90`, t("kpi_cases"), t("kpi_signed_in_time"), "EEMUA 191"];
  const part = panel(t("kpi_positions"), positions.length ? table(heads, rows) : empty());
  part.classList.add("wide");
  return part;
}

function empty() {
  return make("p", "note small", t("kpi_none"));
}

function local(time) {
  const date = new Date(time);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function draw(name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}
