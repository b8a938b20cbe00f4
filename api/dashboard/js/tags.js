/** The tags of a node with their newest values. */
import { at, make, say } from "./dom.js";
import { clock, number } from "./format.js";
import { t, word } from "./i18n.js";

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
