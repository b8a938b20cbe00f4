/** The banner over everything: sources by colour, and the newest warning that nobody has signed for. */
import { at, button, keepFocus, make, say } from "./dom.js";
import { duration, since } from "./format.js";
import { t } from "./i18n.js";
import { nextDue } from "./ladder.js";
import { drillMark, riskCount, riskMark } from "./marks.js";
import { now } from "./servertime.js";

const COUNTED = ["red", "orange", "yellow", "blue", "unknown"];

export class Banner {
  /** panel: the `Warnings`, which knows places and what a person may do. */
  constructor(cases, panel) {
    this.cases = cases;
    this.panel = panel;
    this.tick = () => {};
    this.look = "";
  }

  /** counts: of all sources by colour, and of those unknown. Where the panel has a message, nothing
   * is known, and the banner says the same instead. */
  draw(counts) {
    const { message } = this.panel;
    const newest = message ? undefined : this.cases.newest();
    const look = JSON.stringify([t("sources"), message, counts, newest, this.may(newest)]);
    if (this.look === look) return;
    this.look = look;
    this.tick = () => {};
    const numbers = message ? ["–"] : COUNTED.map((name) => riskCount(name, counts[name]));
    at("sources").replaceChildren(make("span", "muted", t("sources")), ...numbers);
    at("newest-warning").classList.toggle("calm", !newest);
    const told = newest ? this.told(newest) : [message || t("noUnsigned")];
    keepFocus(at("newest-warning"), () => at("newest-warning").replaceChildren(...told));
    this.tick();
  }

  /** Whether this person may sign the case now. */
  may(warning) {
    if (!warning || this.cases.wanted.has(warning.id)) return false;
    return this.panel.may(warning).sign.length > 0;
  }

  told(warning) {
    const [source, enterprise] = this.panel.place(warning);
    const [lasting, next] = [make("b", "lasting"), make("span", "next")];
    const due = nextDue(warning);
    this.tick = () => {
      say(lasting, duration(now() - warning.rose));
      say(next, due === null ? "" : coming(due - now()));
    };
    const link = button("unsigned", [
      make("i", "lamp"), make("span", "muted", t("newestUnsigned")), riskMark(warning), ...(warning.drill ? [drillMark()] : []),
      make("b", "where", `${source} · ${enterprise}`),
      make("span", "since", [t("since", { time: since(new Date(warning.rose)) }), " ", lasting]), next,
    ], () => this.panel.choose(warning.id), `choose ${warning.id}`);
    const sign = button("strong", t("receive_button"), () => this.panel.on.decide("receive", warning), `receive ${warning.id}`);
    return this.may(warning) ? [link, sign] : [link];
  }
}

function coming(milliseconds) {
  return milliseconds > 0 ? t("nextIn", { d: duration(milliseconds) }) : t("dueNow");
}
