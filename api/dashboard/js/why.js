/** Why a source has its colour: floors that hold, reasons that add up to the score, who was told. */
import { at, button, make } from "./dom.js";
import { clock, shortly, since } from "./format.js";
import { half, t, word } from "./i18n.js";
import { noticeState } from "./ladder.js";
import { riskMark } from "./marks.js";
import { reason, request } from "./server.js";

const FULL = 100; // points

export class Why {
  /** `on` has: alarm(alarm or id) to show an alarm. */
  constructor(alarms, cases, on) {
    this.alarms = alarms;
    this.cases = cases;
    this.on = on;
    this.source = null;
    this.risk = null;
    this.message = "";
    this.trouble = false;
    this.look = "";
    this.named = new Map();
  }

  /** Show another source. */
  async choose(source) {
    this.source = source;
    this.risk = null;
    this.named.clear();
    this.draw();
    await this.load();
  }

  /** Ask anew for what is shown. */
  async load() {
    if (this.source === null) return;
    const source = this.source;
    this.trouble = false;
    this.message = this.risk ? "" : t("loading");
    this.draw();
    try {
      const page = await request("GET", "/risk", { params: { node: source } });
      if (source !== this.source) return;
      this.message = "";
      this.risk = page.items.find((item) => item.source === source) ?? null;
      await this.meet();
    } catch (error) {
      if (source !== this.source) return;
      this.trouble = true;
      this.message = t("failed", { why: reason(error) });
    }
    if (source === this.source) this.draw();
  }

  /** The risk of a source as an event tells it. */
  take(risk) {
    if (risk.source !== this.source) return;
    this.risk = { ...this.risk, ...risk };
    this.draw();
    this.meet().then(() => this.draw());
  }

  /** Learn the alarms that the reasons speak of, also those that are closed by now. */
  async meet() {
    const ids = this.risk?.reasons.map((one) => one.alarm).filter((id) => id && !this.named.has(id)) ?? [];
    await Promise.all(ids.map(async (id) => {
      const open = this.alarms.byId.get(id);
      const alarm = open ?? await request("GET", `/alarms/${id}`).catch(() => null);
      if (alarm) this.named.set(id, alarm);
    }));
  }

  /** Drawn anew only where something differs; the parts stay scrolled where they are. */
  draw() {
    const warning = this.cases.of(this.source);
    const names = [...this.named.keys()];
    const look = JSON.stringify([t("why"), this.source, this.message, this.risk, warning?.ladder, names]);
    if (this.look === look) return;
    this.look = look;
    if (!this.risk) {
      this.tell();
      return;
    }
    const places = [...at("why").children].map((part) => part.scrollTop);
    at("why-head").replaceChildren(...this.title());
    at("why").replaceChildren(this.sum(), this.floors(), ...(warning ? [this.told(warning)] : []));
    [...at("why").children].forEach((part, n) => { part.scrollTop = places[n] ?? 0; });
  }

  /** What there is to say instead. */
  tell() {
    const text = this.source === null ? t("chooseSource") : this.message || t("notAssessed");
    const retry = this.trouble ? [button("plain", t("retry"), () => this.load())] : [];
    at("why-head").replaceChildren(make("b", "", this.alarms.names.get(this.source) ?? ""));
    at("why").replaceChildren(make("div", "note", [make("span", "", text), ...retry]));
  }

  title() {
    const { version, at: judged, maybe_test, source_name } = this.risk;
    const origin = [t("model", { v: version }), t("judged", { time: clock(new Date(judged)) })];
    return [
      riskMark(this.risk), make("b", "", this.alarms.names.get(this.source) ?? source_name),
      ...(maybe_test ? [make("span", "maybe", t("maybeTest"))] : []),
      make("span", "muted", origin.join(" · ")),
    ];
  }

  /** The score, and its reasons as bars that begin where the one above ends: together they are it. */
  sum() {
    let reached = 0;
    const bars = this.risk.reasons.map((one) => {
      const from = reached;
      reached += one.points;
      return this.bar(this.label(one), Math.min(from, reached), Math.abs(one.points), one.points);
    });
    const total = this.bar(make("b", "label", t("score")), 0, this.risk.score, this.risk.score);
    total.classList.add("total");
    return make("div", "reasons scroll", [total, ...bars]);
  }

  bar(label, from, length, points) {
    const bar = make("i", points < 0 ? "amount less" : "amount");
    bar.style.marginLeft = `${(100 * from) / FULL}%`;
    bar.style.width = `${(100 * length) / FULL}%`;
    const sign = points < 0 ? "−" : "";
    return make("div", "reason", [
      label, make("span", "track", bar), make("span", "points", `${sign}${Math.abs(points).toFixed(1)}`),
    ]);
  }

  label(one) {
    const text = half(one.text);
    if (!one.alarm) return make("span", "label", text);
    const alarm = this.alarms.byId.get(one.alarm) ?? this.named.get(one.alarm);
    const name = alarm ? `${alarm.name} ${word(alarm.kind)}` : t("theAlarm");
    const link = button("label link", `${text} · ${name}`, () => this.on.alarm(alarm));
    link.disabled = !alarm;
    link.title = alarm?.text ?? "";
    return link;
  }

  floors() {
    const rows = this.risk.floors.map((one) => make("div", "floor", [
      riskMark(one), make("span", "", half(one.text)), make("span", "muted", one.floor),
    ]));
    const blind = this.risk.unknown ? [make("div", "floor blindness", t("keptColour"))] : [];
    const none = rows.length === 0 ? [make("div", "floor muted", t("noFloors"))] : [];
    return make("div", "held scroll", [make("h3", "", t("floors")), ...blind, ...rows, ...none]);
  }

  /** Every rung of the case, and what became of its notices. */
  told(warning) {
    const rungs = warning.ladder.toSorted(toldFirst).map((rung) => {
      const role = make("span", "role", half(rung.role_name ?? rung.role));
      role.title = `${rung.role} ${role.textContent}`;
      return make("div", "rung", [
        make("span", "when", shortly(new Date(rung.done ?? rung.due))), role,
        make("span", "notices", rung.outcome === "told" ? this.notices(rung) : t(`rung_${rung.outcome}`)),
      ]);
    });
    return make("div", "notified scroll", [make("h3", "", t("whoWasTold")), ...rungs]);
  }

  notices(rung) {
    const signs = { delivered: "✓", failed: "✕", open: "…", withdrawn: "–" };
    const notices = (rung.notices ?? []).map((one) => {
      const state = noticeState(one);
      const text = make("span", `notice ${state}`, `${signs[state]} ${one.channel}`);
      const when = one[state] ? ` ${since(new Date(one[state]))}` : "";
      text.title = `${one.recipient}: ${t(`notice_${state}`)}${when} ${one.error ?? ""}`;
      return text;
    });
    return rung.unnamed ? [make("span", "notice failed", t("unnamed")), ...notices] : notices;
  }
}

/** Those that were told, the newest first; then those to be told, the next first; then the rest. */
function toldFirst(a, b) {
  const group = (rung) => ({ told: 0, waiting: 1 })[rung.outcome] ?? 2;
  const time = (rung) => Date.parse(rung.done ?? rung.due);
  return group(a) - group(b) || (a.outcome === "waiting" ? time(a) - time(b) : time(b) - time(a));
}
