/** Enterprises whose desk is in a flood 报警泛滥: since when, how many were heard, from which causes. */
import { at, button, keepFocus, make, say, show } from "./dom.js";
import { duration, since } from "./format.js";
import { t } from "./i18n.js";
import { now } from "./servertime.js";

const CAUSES = 4;

export class Floods {
  /** names: of nodes by id. `on` has: choose(id of an alarm). */
  constructor(names, on) {
    this.names = names;
    this.on = on;
    this.desks = new Map();
    this.tick = () => {};
    this.look = "";
  }

  load(desks) {
    this.desks = new Map(desks.map((desk) => [String(desk.enterprise), desk]));
  }

  /** What an event tells of one desk; returns the name of the enterprise if a flood has just begun. */
  take(desk) {
    const id = String(desk.enterprise);
    const before = this.desks.get(id);
    this.desks.set(id, { ...before, ...desk });
    return desk.flood && !before?.flood ? this.name(this.desks.get(id)) : null;
  }

  name(desk) {
    return desk.name ?? this.names.get(String(desk.enterprise)) ?? String(desk.enterprise);
  }

  draw() {
    const flooded = [...this.desks.values()].filter((desk) => desk.flood)
      .sort((a, b) => b.flood.heard - a.flood.heard);
    const look = JSON.stringify([t("flood"), flooded.map((desk) => [this.name(desk), desk.flood])]);
    if (look === this.look) return;
    this.look = look;
    this.tick = () => {};
    show(at("floods"), flooded.length > 0);
    const drawn = flooded.map((desk) => this.line(desk));
    keepFocus(at("floods"), () => at("floods").replaceChildren(...drawn.map(([line]) => line)));
    this.tick = () => drawn.forEach(([, tick]) => tick());
    this.tick();
  }

  line(desk) {
    const { since: begin, heard, folds } = desk.flood;
    const lasting = make("b", "lasting");
    const worst = [...folds].sort((a, b) => b.count - a.count);
    const causes = worst.slice(0, CAUSES).map((fold) => this.fold(fold));
    const rest = worst.length - causes.length;
    const line = make("div", "flood", [
      make("b", "flood-mark", t("flood")), make("b", "where", this.name(desk)),
      make("span", "since", [t("since", { time: since(new Date(begin)) }), " ", lasting]),
      make("span", "heard", t("floodHeard", { n: heard })),
      make("span", "muted", causes.length > 0 ? t("floodCauses") : ""),
      make("span", "causes", [...causes, ...(rest > 0 ? [make("span", "muted", `+${rest}`)] : [])]),
    ]);
    return [line, () => say(lasting, duration(now() - Date.parse(begin)))];
  }

  fold({ first, count, name }) {
    const cause = button("link cause", [make("span", "", name), make("b", "", ` ${count}`)], () => this.on.choose(first), first);
    cause.title = t("floodCause", { name, n: count });
    return cause;
  }
}
