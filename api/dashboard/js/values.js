/** Tags and the trend of one of them: which are shown, and their newest values. */
import { at, say } from "./dom.js";
import { t } from "./i18n.js";
import { all, reason, request } from "./server.js";
import { Tags } from "./tags.js";
import { Trend } from "./trend.js";

const LISTED_TAGS = 200;

export class Values {
  /** names: of nodes by id. `on` has: shown() when a trend is to be seen. */
  constructor(names, on) {
    this.names = names;
    this.on = on;
    this.node = null;
    this.chosen = false;
    this.suggested = null;
    this.tags = new Tags(names, { choose: (tag) => this.show(tag) });
    this.trend = new Trend(names);
    at("spans").addEventListener("click", () => this.keep());
  }

  /** Forget what the last person saw. */
  clear() {
    this.node = null;
    this.chosen = false;
    this.suggested = null;
    this.tags.items = [];
    this.tags.tell("");
    this.trend.clear();
  }

  /** List the tags of a node; null: of all. */
  async list(node) {
    this.node = node;
    if (this.tags.items.length === 0) this.tags.tell(t("loading"));
    say(at("tags-of"), node === null ? "" : this.names.get(node));
    try {
      const page = await request("GET", "/tags", { params: { node, limit: LISTED_TAGS } });
      if (node === this.node) this.tags.load(page.items);
    } catch (error) {
      this.tags.tell(t("failed", { why: reason(error) }));
    }
  }

  /** A person has chosen something: nothing that is shown changes by itself any more. */
  keep() {
    this.chosen = true;
  }

  show(tag, alarm = null) {
    this.keep();
    this.on.shown();
    this.tags.choose(tag.id);
    this.trend.choose(tag, alarm);
  }

  /** Show the trend around an alarm, unless `wanted()` says meanwhile that it is another's turn. */
  async showAlarm(alarm, wanted) {
    this.keep();
    const tag = await this.tagOf(alarm).catch(() => null);
    if (tag && wanted()) this.show(tag, alarm);
  }

  /**
   * While the person has chosen nothing: the trend of this alarm, unless one as urgent is shown.
   * The focus stays where it is.
   */
  async suggest(alarm) {
    if (this.chosen || !alarm?.tag || alarm.priority >= (this.suggested?.priority ?? "P9")) return;
    this.suggested = alarm;
    const tag = await this.tagOf(alarm).catch(() => { this.suggested = null; });
    if (tag && !this.chosen && this.suggested === alarm) this.trend.choose(tag, alarm, true);
  }

  /** The tag of an alarm, undefined where it is gone. */
  async tagOf(alarm) {
    const ofAlarm = (tag) => tag.id === alarm.tag;
    return this.tags.items.find(ofAlarm) ?? (await all("/tags", { node: alarm.source })).find(ofAlarm);
  }

  /** Fetch the newest values of what is shown. */
  async poll() {
    const ids = new Set(this.tags.items.map((tag) => tag.id));
    if (this.trend.tag) ids.add(this.trend.tag.id);
    if (ids.size === 0) return;
    const params = { tags: [...ids].join(",") };
    const page = await request("GET", "/latest", { params }).catch(() => ({ items: [] }));
    this.tags.update(page.items);
    page.items.forEach((sample) => this.trend.add(sample));
  }

  /** The language has changed. */
  words() {
    this.tags.draw();
    this.trend.words();
  }
}
