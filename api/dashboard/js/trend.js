/** The trend of one tag: its limits as lines, gaps as gaps, doubtful values as marks of their own. */
import { at, button, make, redraw, say, show } from "./dom.js";
import { duration, moment, reading } from "./format.js";
import { t, word } from "./i18n.js";
import { GREY, INK, drawLines } from "./limits.js";
import { reason, request } from "./server.js";
import { now } from "./servertime.js";

const SPANS = [10, 30, 120, 720];

export class Trend {
  /** names: of nodes by id. */
  constructor(names) {
    this.names = names;
    this.tag = null;
    this.alarm = null;
    this.byItself = false;
    this.minutes = 30;
    this.plot = null;
    this.onsets = [];
    new ResizeObserver(() => this.resize()).observe(at("chart"));
    this.words();
  }

  words() {
    redraw(at("spans"), [t("trend"), this.minutes], () => SPANS.map((minutes) => {
      const text = minutes < 60 ? t("minutes", { n: minutes }) : t("hours", { n: minutes / 60 });
      const choice = button("choice", text, () => this.span(minutes), String(minutes));
      choice.setAttribute("aria-pressed", String(minutes === this.minutes));
      return choice;
    }));
    this.title();
    if (!this.tag) this.tell(t("chooseTag"));
  }

  span(minutes) {
    this.minutes = minutes;
    this.words();
    this.load();
  }

  /**
   * Show another tag, and around one of its alarms: the onset is marked with an upright line, what
   * the alarm says stands below. byItself: nobody asked for it.
   */
  choose(tag, alarm = null, byItself = false) {
    if (tag.id !== this.tag?.id) this.tell(t("loading")); // no line of another tag under this name
    this.tag = tag;
    this.alarm = alarm;
    this.byItself = byItself;
    this.onsets = alarm ? [Date.parse(alarm.onset) / 1000] : [];
    this.title();
    return this.load();
  }

  /** Show nothing. */
  clear() {
    this.tag = null;
    this.alarm = null;
    this.words();
  }

  title() {
    say(at("trend-of"), this.tag ? `${this.tag.name} ${this.tag.unit ? `[${this.tag.unit}]` : ""}` : "");
    say(at("trend-place"), this.names.get(this.tag?.source) ?? "");
    show(at("by-itself"), this.tag !== null && this.byItself);
    at("by-itself").title = t("byItselfNote");
    say(at("readout"), "");
    const sentence = at("sentence");
    say(sentence, this.alarm?.text ?? "");
    sentence.title = this.alarm?.text ?? "";
    show(sentence, Boolean(this.alarm?.text));
  }

  tell(text, retry = null) {
    this.plot?.destroy();
    this.plot = null;
    const note = make("div", "note", make("span", "", text));
    if (retry) note.append(button("plain", t("retry"), retry));
    at("chart").replaceChildren(note);
  }

  async load() {
    if (!this.tag) return;
    const { tag, minutes } = this;
    const wanted = () => tag === this.tag && minutes === this.minutes;
    const to = new Date(now());
    const from = new Date(to.getTime() - this.minutes * 60_000);
    const params = { from: from.toISOString(), to: to.toISOString(), points: 1000 };
    try {
      const history = await request("GET", `/tags/${tag.id}/history`, { params });
      if (wanted()) this.draw(history);
    } catch (error) {
      if (wanted()) this.tell(t("failed", { why: reason(error) }), () => this.load());
    }
  }

  draw(history) {
    this.history = history;
    if (history.rows.length === 0) {
      this.tell(t("noSamples"));
      return;
    }
    const data = columns(history);
    if (this.plot?.kind === history.kind && this.plot.tag === this.tag.id) {
      this.plot.setData(data);
      return;
    }
    this.plot?.destroy();
    at("chart").replaceChildren();
    this.plot = new uPlot(this.options(history.kind), data, at("chart"));
    this.plot.kind = history.kind;
    this.plot.tag = this.tag.id;
  }

  /** A newer sample of the tag that is shown. */
  add(sample) {
    const history = this.history;
    if (!this.tag || sample.tag !== this.tag.id || history?.kind !== "raw") return;
    const last = history.rows.at(-1);
    if (last && Date.parse(last[0]) >= Date.parse(sample.time)) return;
    history.rows.push([sample.time, sample.value, sample.quality]);
    this.draw(history);
  }

  size() {
    const { clientWidth, clientHeight } = at("chart");
    return { width: Math.max(200, clientWidth), height: Math.max(100, clientHeight) };
  }

  resize() {
    this.plot?.setSize(this.size());
  }

  options(kind) {
    const line = { stroke: INK, width: 1.5, points: { show: false }, spanGaps: false };
    const edge = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: false };
    const doubtful = {
      stroke: GREY, width: 0, spanGaps: false, points: { show: true, size: 5, stroke: GREY, fill: "#fff" },
    };
    return {
      ...this.size(),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: () => [now() / 1000 - this.minutes * 60, now() / 1000] },
        y: { range: (_, low, high) => this.range(low, high) },
      },
      axes: [
        { stroke: GREY, grid: { stroke: "#d9dbdd", width: 1 }, ticks: { show: false }, space: 90, size: 32,
          values: (_, ticks) => ticks.map((tick) => moment(new Date(tick * 1000)).slice(11, 16)) },
        { stroke: GREY, grid: { stroke: "#e2e4e6", width: 1 }, ticks: { show: false }, size: 56 },
      ],
      series: [{}, edge, edge, line, doubtful],
      bands: kind === "aggregate" ? [{ series: [2, 1], fill: "#2b323a22" }] : [],
      hooks: { draw: [(plot) => drawLines(plot, this.tag.limits, this.onsets)], setCursor: [(plot) => this.readout(plot)] },
    };
  }

  range(low, high) {
    const limits = Object.values(this.tag.limits).filter((limit) => limit !== null);
    const values = [low, high, ...limits].filter((value) => value !== null && Number.isFinite(value));
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const room = (most - least || Math.abs(most) || 1) * 0.12;
    return [least - room, most + room];
  }

  readout(plot) {
    const n = plot.cursor.idx;
    const [times, low, high, mean, doubtful] = plot.data;
    if (n === null || n === undefined || (mean[n] === null && doubtful[n] === null)) {
      say(at("readout"), this.about());
      return;
    }
    const value = reading(mean[n] ?? doubtful[n], this.tag.unit);
    const spread = this.history.kind === "aggregate" ? ` (${reading(low[n])} … ${reading(high[n])})` : "";
    const quality = mean[n] === null ? ` · ${t("badQuality", { q: this.qualityAt(times[n]) })}` : "";
    say(at("readout"), `${moment(new Date(times[n] * 1000))}  ${value}${spread}${quality}`);
  }

  qualityAt(seconds) {
    const row = this.history.rows.find((one) => Date.parse(one[0]) / 1000 === seconds);
    return word(row?.at(-1) ?? "bad");
  }

  about() {
    const width = this.history?.width_s;
    return width ? t("aggregated", { w: duration(Math.max(1, width) * 1000) }) : "";
  }
}

/**
 * [times, low, high, mean, doubtful] for the plot. A pause longer than gap_s, and a sample without a
 * value, become a hole. A raw value that is not good stands among the doubtful.
 */
export function columns(history) {
  const data = [[], [], [], [], []];
  const push = (...row) => row.forEach((value, n) => data[n].push(value));
  let before = null;
  for (const row of history.rows) {
    const time = Date.parse(row[0]) / 1000;
    if (before !== null && time - before > history.gap_s) push((before + time) / 2, null, null, null, null);
    if (history.kind === "aggregate") push(time, row[1], row[2], row[3], null);
    else if (row[2] === "good") push(time, null, null, row[1], null);
    else push(time, null, null, null, row[1]);
    before = time;
  }
  return data;
}
