/** Alarms that wait to be acknowledged, by priority, and the newest of them. */
import { at, button, make, show } from "./dom.js";
import { clock } from "./format.js";
import { t, word } from "./i18n.js";
import { priorityMark } from "./marks.js";

const SILENCED = { shelved: "flagShelved", suppressed: "flagSuppressed", out_of_service: "flagOut" };

export class Summary {
  /** `on` has: choose(alarm), list(flag) to show what is silenced by it. */
  constructor(alarms, on) {
    this.alarms = alarms;
    this.newest = null;
    this.on = on;
    at("newest").addEventListener("click", () => on.choose(this.newest));
  }

  draw() {
    const { counts, newest } = this.alarms.unacked();
    this.newest = newest;
    this.count(counts);
    show(at("newest"), newest !== null);
    if (newest === null) return;
    at("newest").replaceChildren(
      make("span", "muted", t("newest")), priorityMark(newest.priority),
      make("span", "what", `${newest.name} ${word(newest.kind)} ${clock(new Date(newest.onset))}`),
    );
  }

  /** All that wait, folded and silenced ones too, and how many are silenced; those whose condition
   * has gone under a shelf as well. */
  count(counts) {
    const silenced = Object.keys(SILENCED).map((flag) => this.alarms.count((alarm) => Boolean(alarm[flag])));
    const look = JSON.stringify([t("unacked"), counts, silenced]);
    if (look === this.look) return;
    this.look = look;
    at("summary").replaceChildren(make("span", "muted", t("unacked")), ...Object.entries(counts).map(
      ([name, n]) => make("span", n ? "count" : "count none", [priorityMark(name), String(n)]),
    ));
    at("silent-counts").replaceChildren(...this.silenced(silenced));
  }

  silenced(counts) {
    return Object.entries(SILENCED).flatMap(([flag, short], place) => {
      const n = counts[place];
      if (n === 0) return [];
      const count = button("silenced", [make("i", `flag ${flag}`, t(short)), String(n)], () => this.on.list(flag));
      count.title = `${word(flag)} ${n}`;
      return [count];
    });
  }
}
