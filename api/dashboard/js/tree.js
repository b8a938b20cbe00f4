/** The plant as a tree with what is open below each node, and the tags of the chosen one. */
import { isUnacked } from "./alarms.js";
import { at, make, say } from "./dom.js";
import { clock, number } from "./format.js";
import { t, word } from "./i18n.js";

export class Tree {
  /** `on` has: choose(id or null). */
  constructor(alarms, on) {
    this.alarms = alarms;
    this.on = on;
    this.nodes = new Map();
    this.chosen = null;
  }

  load(nodes) {
    this.nodes = new Map(nodes.map((node) => [node.id, node]));
    this.children = Map.groupBy(nodes, (node) => (this.nodes.has(node.parent) ? node.parent : null));
    for (const node of nodes) this.alarms.names.set(node.id, node.name);
    this.draw();
  }

  draw() {
    this.lines = new Map();
    const everything = this.line(null, 0, t("all"), false);
    at("tree").replaceChildren(everything, ...this.branch(null, 0));
    this.count();
  }

  branch(parent, depth) {
    return (this.children?.get(parent) ?? []).flatMap((node) => [
      this.line(node.id, depth, node.name, node.unknown),
      ...this.branch(node.id, depth + 1),
    ]);
  }

  line(id, depth, name, unknown) {
    const counts = make("span", "counts");
    const label = make("span", "name", name);
    label.title = name;
    const mark = unknown ? [make("span", "unknown", "?")] : [];
    const line = make("button", `node depth${Math.min(depth, 6)}`, [label, ...mark, counts], {
      click: () => this.choose(id),
    });
    line.type = "button";
    line.setAttribute("role", "treeitem");
    line.setAttribute("aria-selected", String(id === this.chosen));
    if (unknown) line.title = t("unknown");
    line.counts = counts;
    this.lines.set(id, line);
    return line;
  }

  choose(id) {
    this.chosen = id;
    for (const [key, line] of this.lines) line.setAttribute("aria-selected", String(key === id));
    this.on.choose(id);
  }

  /** Count the open alarms of this page upwards. */
  count() {
    const open = new Map();
    const unacked = new Map();
    for (const alarm of this.alarms.byId.values()) {
      for (const id of [...this.above(alarm.source), null]) {
        open.set(id, (open.get(id) ?? 0) + 1);
        if (isUnacked(alarm)) unacked.set(id, (unacked.get(id) ?? 0) + 1);
      }
    }
    for (const [id, line] of this.lines ?? []) {
      const n = open.get(id) ?? 0;
      const u = unacked.get(id) ?? 0;
      say(line.counts, n === 0 ? "" : `${u} / ${n}`);
      line.classList.toggle("waiting", u > 0);
    }
  }

  /** A node and all above it. */
  above(id) {
    const path = [];
    for (let node = this.nodes.get(id); node; node = this.nodes.get(node.parent)) path.push(node.id);
    return path;
  }

  /** Whether an alarm lies at or below the chosen node. */
  holds(alarm) {
    return this.chosen === null || this.above(alarm.source).includes(this.chosen);
  }
}

/** The tags of a node with their newest values. */
export class Tags {
  /** names: of nodes by id. `on` has: choose(tag). */
  constructor(names, on) {
    this.names = names;
    this.on = on;
    this.items = [];
    this.chosen = null;
  }

  load(items) {
    this.items = items;
    this.draw();
  }

  tell(text) {
    at("tags").replaceChildren(make("div", "note small", text));
  }

  draw() {
    if (this.items.length === 0) {
      this.tell(t("noTags"));
      return;
    }
    this.lines = new Map(this.items.map((tag) => [tag.id, this.line(tag)]));
    at("tags").replaceChildren(...this.lines.values());
  }

  line(tag) {
    const value = make("span", "value");
    const place = make("span", "place muted", this.names.get(tag.source) ?? "");
    const name = make("span", "name", [tag.name, place]);
    const line = make("button", "tag", [name, value], { click: () => this.on.choose(tag) });
    line.type = "button";
    line.value_of = value;
    line.classList.toggle("chosen", tag.id === this.chosen);
    this.fill(line, tag);
    return line;
  }

  fill(line, tag) {
    const latest = tag.latest;
    const good = latest?.quality === "good";
    const text = latest === null ? t("neverSpoke") : `${number(latest.value)} ${tag.unit}`;
    say(line.value_of, good || latest === null ? text : `${text} ? ${word(latest.quality)}`);
    line.classList.toggle("doubtful", !good);
    line.title = latest === null ? "" : `${clock(new Date(latest.time))} · ${word(latest.quality)}`;
  }

  choose(id) {
    this.chosen = id;
    for (const [key, line] of this.lines ?? []) line.classList.toggle("chosen", key === id);
  }

  /** Newer values of some of the tags. */
  update(samples) {
    const byTag = new Map(samples.map((sample) => [sample.tag, sample]));
    for (const tag of this.items) {
      const sample = byTag.get(tag.id);
      if (!sample) continue;
      tag.latest = sample;
      this.fill(this.lines.get(tag.id), tag);
    }
  }
}
