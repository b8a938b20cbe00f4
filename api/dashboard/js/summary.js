/** Alarms that wait to be acknowledged, by priority, and the newest of them. */
import { at, make, show } from "./dom.js";
import { clock } from "./format.js";
import { t, word } from "./i18n.js";
import { priorityMark } from "./marks.js";

export class Summary {
  /** `on` has: choose(alarm). */
  constructor(alarms, on) {
    this.alarms = alarms;
    this.newest = null;
    at("newest").addEventListener("click", () => on.choose(this.newest));
  }

  draw() {
    const { counts, newest } = this.alarms.unacked();
    this.newest = newest;
    at("summary").replaceChildren(make("span", "muted", t("unacked")), ...Object.entries(counts).map(
      ([name, n]) => make("span", n ? "count" : "count none", [priorityMark(name), String(n)]),
    ));
    show(at("newest"), newest !== null);
    if (newest === null) return;
    at("newest").replaceChildren(
      make("span", "muted", t("newest")), priorityMark(newest.priority),
      make("span", "what", `${newest.name} ${word(newest.kind)} ${clock(new Date(newest.onset))}`),
    );
  }
}
