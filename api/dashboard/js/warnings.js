/**
 * The panel of open warning cases, worst first. While the pointer works among them their order stands
 * still: cases change where they are, new ones wait at the end.
 */
import { isUnsigned } from "./cases.js";
import { climb } from "./climb.js";
import { at, button, fill, make, say, show } from "./dom.js";
import { duration, shortly, since } from "./format.js";
import { t } from "./i18n.js";
import { signBy } from "./ladder.js";
import { drillMark, riskMark } from "./marks.js";
import { Pointer } from "./pointer.js";
import { now } from "./servertime.js";
import { isUnverified } from "./signing.js";

export class Warnings {
  /** may(warning): { sign, verify, release }, levels of this person. `on`: choose(warning), decide(verb, warning). */
  constructor(cases, names, may, on) {
    this.cases = cases;
    this.names = names;
    this.may = may;
    this.on = on;
    this.order = [];
    this.cards = new Map();
    this.chosen = null;
    this.message = t("loading");
    this.retry = null;
    this.body = at("cases");
    this.note = make("div", "note");
    this.pointer = new Pointer(this.body, () => this.refresh());
    this.body.addEventListener("keydown", (event) => this.key(event));
  }

  /** What to say instead of cases (loading, an error), with a way out. */
  tell(message, retry = null) {
    this.message = message;
    this.retry = retry;
    this.note.replaceChildren(
      make("span", "", message || t("noWarnings")), ...(retry ? [button("plain", t("retry"), retry)] : []),
    );
    this.refresh();
  }

  /** The language has changed. */
  words() {
    this.cards.clear();
    this.tell(this.message, this.retry);
  }

  refresh() {
    this.arrange();
    const cards = this.order.map((id) => this.card(this.cases.byId.get(id)));
    this.cards = new Map(cards.map((card) => [card.dataset.case, card]));
    fill(this.body, this.message || cards.length === 0 ? [this.note] : cards);
    say(at("cases-count"), cards.length > 0 ? String(cards.length) : "");
    this.tick();
  }

  arrange() {
    const ids = this.cases.sorted().map((warning) => warning.id);
    const [here, there] = [new Set(this.order), new Set(ids)];
    this.order = this.pointer.busy
      ? [...this.order.filter((id) => there.has(id)), ...ids.filter((id) => !here.has(id))]
      : ids;
  }

  /** The card of a case, made anew only where something differs. */
  card(warning) {
    const may = this.may(warning);
    const wanted = this.cases.wanted.get(warning.id);
    const look = JSON.stringify([warning, may, wanted, warning.id === this.chosen]);
    const known = this.cards.get(warning.id);
    if (known?.look === look) return known;
    const card = this.drawn(warning, may, wanted);
    card.look = look;
    return card;
  }

  drawn(warning, may, wanted) {
    const picture = climb(warning);
    const lasting = make("b", "lasting");
    const limit = make("span", "limit");
    const unverified = isUnverified(warning) ? make("span", "unverified") : null;
    const verifyBy = due(warning, "verify");
    const card = make("article", `case ${warning.colour} ${warning.state}`, [
      riskMark(warning, "large"), this.what(warning, lasting), picture,
      make("div", "act", [
        this.state(warning, limit), this.buttons(warning, may, wanted), this.checked(warning, unverified),
      ].filter(Boolean)),
    ], { click: () => this.choose(warning.id) });
    card.setAttribute("role", "listitem");
    card.setAttribute("aria-current", String(warning.id === this.chosen));
    card.dataset.case = warning.id;
    const until = signBy(warning);
    card.tick = (time) => {
      picture.tick(time);
      say(lasting, duration(time - warning.began));
      if (unverified) {
        const word = verifyBy === null ? "unverified" : verifyBy > time ? "verifyWithin" : "verifyLate";
        say(unverified, t(word, { d: duration(Math.abs(verifyBy - time)) }));
        unverified.classList.toggle("late", verifyBy !== null && verifyBy <= time);
      }
      show(limit, until !== null);
      if (until === null) return;
      say(limit, t(until > time ? "signWithin" : "signLate", { d: duration(Math.abs(until - time)) }));
      limit.classList.toggle("late", until <= time);
    };
    return card;
  }

  what(warning, lasting) {
    const [source, enterprise] = this.place(warning);
    const parts = [
      make("b", "source", warning.drill ? [drillMark(), " ", source] : source), make("span", "enterprise muted", enterprise),
      make("span", "since", [t("since", { time: since(new Date(warning.began)) }), " ", lasting]),
      make("span", "more", this.history(warning)),
    ];
    parts[0].title = `${source} · ${enterprise}`;
    return make("div", "what", parts);
  }

  /** When it last rose, and how bad it was, where that is not plain already. */
  history(warning) {
    const parts = [];
    if (warning.rose > warning.began) {
      parts.push(make("span", "rose muted", t("roseAt", { time: since(new Date(warning.rose)) })));
    }
    if (warning.worst !== warning.colour) {
      const mark = riskMark({ colour: warning.worst });
      parts.push(make("span", "worst", [make("span", "muted", t("worst")), mark]));
    }
    return parts;
  }

  /** [source, enterprise] by name. */
  place(warning) {
    const name = (id, given) => given ?? this.names.get(id) ?? id;
    return [
      name(warning.source, warning.source_name), name(warning.enterprise, warning.enterprise_name),
    ];
  }

  state(warning, limit) {
    const lamp = isUnsigned(warning) ? "unack" : "acked";
    const text = make("span", "", t(`case_${warning.state}`));
    const state = make("span", `state ${lamp}`, [make("i", "lamp"), text]);
    const last = warning.receipts.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))[0];
    const by = isUnsigned(warning) || !last ? "" : `${last.by} ${shortly(new Date(last.at))}`;
    return make("div", "standing", [state, make("span", "by muted", by), limit]);
  }

  buttons(warning, may, wanted) {
    const act = (name, verb) => button(name, t(`${verb}_button`), (event) => {
      event.stopPropagation();
      this.on.decide(verb, warning);
    }, `${verb} ${warning.id}`);
    const parts = [];
    if (wanted) parts.push(make("span", "pending", t("pending", { verb: t(`${wanted}_button`) })));
    else if (may.sign.length > 0) parts.push(act(isUnsigned(warning) ? "strong" : "plain", "receive"));
    if (!wanted && may.verify?.length > 0) parts.push(act("plain", "verify"));
    if (!wanted && may.release.length > 0) parts.push(act("plain", "release"));
    if (!wanted && may.loop?.length > 0 && warning.state !== "settled") parts.push(act("plain", "loop"));
    if (warning.released) {
      const who = { by: warning.released_by, at: since(new Date(warning.released)) };
      parts.push(make("span", "muted released", t("releasedBy", who)));
    }
    return make("div", "do", parts);
  }

  /** Of a red: that nobody has verified it 待核实, or who has; null where that says nothing any more. */
  checked(warning, unverified) {
    const { verified } = warning.loop ?? {};
    if (unverified) return make("div", "checked", [unverified]);
    if (!verified || warning.colour !== "red" || warning.released) return null;
    const who = { by: verified.by, at: since(new Date(verified.at)) };
    return make("div", "checked", [make("span", "muted verified", t("verifiedBy", who))]);
  }

  /** Let every clock in the panel run. */
  tick() {
    const time = now();
    this.cards.forEach((card) => card.tick(time));
  }

  choose(id) {
    const warning = this.cases.byId.get(id);
    if (!warning) return;
    this.chosen = id;
    this.refresh();
    this.cards.get(id)?.scrollIntoView({ block: "nearest" });
    this.on.choose(warning);
  }

  move(by) {
    if (this.order.length === 0) return;
    const n = this.order.indexOf(this.chosen) + by;
    this.choose(this.order[Math.min(this.order.length - 1, Math.max(0, n))]);
  }

  /** To the newest that waits for a 签收, else to the worst. */
  enter() {
    const first = this.cases.newest()?.id ?? this.order[0];
    this.body.focus();
    if (first) this.choose(first);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j" || event.key === "ArrowDown") this.move(1);
    else if (event.key === "k" || event.key === "ArrowUp") this.move(-1);
    else if (event.key === "a") {
      const warning = this.cases.byId.get(this.chosen);
      if (warning && this.may(warning).sign.length > 0) this.on.decide("receive", warning);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Until when a duty of the loop has to be done, in milliseconds; null: there is no such deadline. */
function due(warning, duty) {
  const found = warning.loop?.deadlines?.find((one) => one.duty === duty && !one.done);
  return found ? Date.parse(found.due) : null;
}
