/** The plant as a tree: risk of every node, open alarms below it, what presses most on top. */
import { isUnacked } from "./alarms.js";
import { at, make, say } from "./dom.js";
import { locale, t } from "./i18n.js";
import { riskCount, riskMark } from "./marks.js";
import { Pointer } from "./pointer.js";
import { above, rollUp, worseFirst } from "./risk.js";

const PRESSING = ["red", "orange", "unknown", "yellow"];
/** Kinds of nodes that are no places: their alarms count at the source above them. */
const SUBJECTS = ["group", "rule"];

export class Tree {
  /** `on` has: choose(id or null). */
  constructor(alarms, on) {
    this.alarms = alarms;
    this.on = on;
    this.nodes = new Map();
    this.sums = rollUp(this.nodes);
    this.lines = new Map();
    this.chosen = null;
    this.pointer = new Pointer(at("tree"), () => this.arrange());
    at("tree").addEventListener("keydown", (event) => this.key(event));
  }

  load(nodes) {
    this.nodes = new Map(nodes.map((node) => [node.id, node]));
    const places = nodes.filter((node) => !SUBJECTS.includes(node.kind));
    this.children = Map.groupBy(places, (node) => (this.nodes.has(node.parent) ? node.parent : null));
    for (const node of nodes) this.alarms.names.set(node.id, node.name);
    this.draw();
  }

  tell(text) {
    at("tree").replaceChildren(make("div", "note small", text));
  }

  /**
   * The risk of a source as an event tells it; what stands above it follows with `refresh`. Silence
   * has more signs than the risk model's: only `see` takes the hatch away. Returns whether it might.
   */
  take(risk) {
    const { colour, unknown, score } = risk;
    const node = this.nodes.get(risk.source);
    if (!node) return false;
    this.nodes.set(node.id, { ...node, colour, score, unknown: node.unknown || unknown });
    return node.unknown && !unknown;
  }

  /** Which sources are not seen, by the nodes of a newer list. */
  see(nodes) {
    for (const { id, unknown } of nodes) {
      const node = this.nodes.get(id);
      if (node) this.nodes.set(id, { ...node, unknown });
    }
  }

  /** Roll up and count anew; the order stands still while the pointer is at work there. */
  refresh() {
    this.sums = rollUp(this.nodes);
    this.count();
    if (!this.pointer.busy) this.arrange();
  }

  draw() {
    this.lines = new Map();
    this.drawn = null;
    this.sums = rollUp(this.nodes);
    if (this.nodes.size === 0) {
      at("tree").replaceChildren();
      return;
    }
    this.lines.set(null, this.line(null, 0, t("all")));
    this.grow(null, 0);
    this.count();
    this.arrange();
  }

  grow(parent, depth) {
    for (const node of this.children.get(parent) ?? []) {
      this.lines.set(node.id, this.line(node.id, depth, node.name));
      this.grow(node.id, depth + 1);
    }
  }

  line(id, depth, name) {
    const parts = {
      mark: make("span", "mark"), label: make("span", "name", name),
      tally: make("span", "tallies"), open: make("span", "counts"),
    };
    parts.label.title = name;
    const line = make("button", `node depth${Math.min(depth, 6)}`, Object.values(parts), {
      click: () => this.choose(id),
    });
    line.type = "button";
    line.setAttribute("role", "treeitem");
    line.setAttribute("aria-level", String(depth + 1));
    line.setAttribute("aria-selected", String(id === this.chosen));
    if (id !== null) line.dataset.node = id;
    return Object.assign(line, { parts });
  }

  choose(id) {
    this.chosen = id;
    for (const [key, line] of this.lines) line.setAttribute("aria-selected", String(key === id));
    this.on.choose(id);
  }

  /** Bring the lines into their order, what presses most first among its neighbours. */
  arrange() {
    const order = [null, ...this.branch(null)].filter((id) => this.lines.has(id));
    const look = order.join();
    if (this.drawn === look || this.lines.size === 0) return;
    this.drawn = look;
    const focused = document.activeElement;
    at("tree").replaceChildren(...order.map((id) => this.lines.get(id)));
    if (at("tree").contains(focused)) focused.focus({ preventScroll: true });
  }

  branch(parent) {
    const words = new Intl.Collator(locale());
    return [...this.children?.get(parent) ?? []]
      .sort((a, b) => this.order(a.id, b.id) || words.compare(a.name, b.name))
      .flatMap((node) => [node.id, ...this.branch(node.id)]);
  }

  order(a, b) {
    const [first, second] = [this.sums.get(a), this.sums.get(b)];
    return first && second ? worseFirst(first, second) : Boolean(second) - Boolean(first);
  }

  /** Risk and open alarms of every line. */
  count() {
    const { open, unacked } = this.alarmsBelow();
    for (const [id, line] of this.lines) {
      const n = open.get(id) ?? 0;
      const u = unacked.get(id) ?? 0;
      say(line.parts.open, n === 0 ? "" : `${u}/${n}`);
      line.classList.toggle("waiting", u > 0);
      this.colour(line, this.sums.get(id), this.nodes.get(id)?.kind === "source");
    }
  }

  colour(line, sum, single) {
    if (!sum?.seen || line.sum === sum) return;
    line.sum = sum;
    const look = JSON.stringify(sum);
    if (line.look === look) return;
    line.look = look;
    line.parts.mark.replaceChildren(riskMark(sum));
    line.parts.tally.replaceChildren(...(single ? score(sum) : tallies(sum.counts)));
  }

  /** Open alarms of this page and those that wait for somebody, at and below every node. */
  alarmsBelow() {
    const [open, unacked] = [new Map(), new Map()];
    for (const alarm of this.alarms.byId.values()) {
      for (const id of [...this.above(alarm.source), null]) {
        open.set(id, (open.get(id) ?? 0) + 1);
        if (isUnacked(alarm)) unacked.set(id, (unacked.get(id) ?? 0) + 1);
      }
    }
    return { open, unacked };
  }

  /** A node and all above it. */
  above(id) {
    return above(this.nodes, id);
  }

  /** Whether an alarm lies at or below the chosen node. */
  holds(alarm) {
    return this.chosen === null || this.above(alarm.source).includes(this.chosen);
  }

  key(event) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    document.activeElement[step]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}

/** What is above blue; blue only where there is nothing else. */
function tallies(counts) {
  const found = PRESSING.filter((name) => counts[name] > 0);
  return (found.length > 0 ? found : ["blue"]).map((name) => riskCount(name, counts[name]));
}

function score(sum) {
  if (sum.score === null) return [];
  const element = make("span", "score", sum.score.toFixed(1));
  element.title = `${t("score")} ${sum.score.toFixed(1)}`;
  return [element];
}
