/** The open warning cases 预警 of this page, and how they are kept up to date. */
import { noticeState, risen } from "./ladder.js";
import { rank } from "./risk.js";
import { request } from "./server.js";

const LOOK_MS = 1000;

export const isUnsigned = (warning) => warning.state === "open";

/** What presses most first, drills 演练 behind all that is real; of one colour the unsigned, then the
 * newest; ids decide the rest. */
export function urgency(a, b) {
  return Boolean(a.drill) - Boolean(b.drill)
    || rank(b) - rank(a)
    || isUnsigned(b) - isUnsigned(a)
    || b.rose - a.rose
    || a.id.localeCompare(b.id);
}

export class Cases {
  /** `on` has: changed(), refused() when the session is over. */
  constructor(on) {
    this.on = on;
    this.byId = new Map();
    this.behind = new Set();
    this.asking = new Map();
    this.missed = new Set();
    this.wanted = new Map();
  }

  /** Start from a list. */
  load(items) {
    this.byId = new Map(items.map((warning) => [warning.id, dated(warning)]));
  }

  /**
   * A case as an event tells it: true at once, but without names and notices; those are asked for.
   * Returns whether it presses more than this page knew.
   */
  take(warning) {
    const known = this.byId.get(warning.id);
    const rungs = new Map(known?.ladder.map((rung) => [rung.step, rung]));
    const ladder = warning.ladder.map((rung) => ({ ...rungs.get(rung.step), ...rung }));
    this.put({ sign_within_s: null, ...known, ...warning, ladder });
    if (warning.state !== "closed") this.refresh(warning.id);
    return isUnsigned(warning) && rank(warning) > (known ? rank(known) : 0);
  }

  put(warning) {
    if (warning.state === "closed") this.byId.delete(warning.id);
    else this.byId.set(warning.id, dated(warning));
    this.on.changed();
  }

  /** Ask for one case; one question at a time, so that no answer overtakes a newer one. Resolves once
   * nothing newer is asked for. */
  refresh(id) {
    this.behind.add(id);
    if (!this.asking.has(id)) this.asking.set(id, this.chase(id));
    return this.asking.get(id);
  }

  async chase(id) {
    while (this.behind.delete(id)) await this.ask(id);
    this.asking.delete(id);
  }

  async ask(id) {
    try {
      this.put(await request("GET", `/warnings/${id}`));
      this.missed.delete(id);
    } catch (error) {
      if (error.status === 401) this.on.refused();
      else if (error.status === 404) this.put({ id, state: "closed" });
      else this.missed.add(id);
    }
  }

  /** Ask again for what could not be had, and for what has notices on their way. */
  catchUp() {
    const due = new Set(this.missed);
    for (const { id, ladder } of this.byId.values()) {
      const notices = ladder.flatMap((rung) => rung.notices ?? []);
      if (notices.some((notice) => noticeState(notice) === "open")) due.add(id);
    }
    due.forEach((id) => this.refresh(id));
  }

  /** Worst first. */
  sorted() {
    return [...this.byId.values()].sort(urgency);
  }

  /** The open case of a source, the real one where there is a drill beside it; undefined where there is none. */
  of(source) {
    return this.sorted().find((warning) => warning.source === source);
  }

  /** The case that waits for a 签收 since the newest rise, undefined where none does. */
  newest() {
    return this.sorted().filter(isUnsigned)
      .sort((a, b) => Boolean(a.drill) - Boolean(b.drill) || b.rose - a.rose)[0];
  }

  /** Remember what a person asked for while no worker has done it; resolves with what came of it. */
  async follow(id, verb, action) {
    this.wanted.set(id, verb);
    this.on.changed();
    const result = await settled(action);
    this.wanted.delete(id);
    this.on.changed();
    return result;
  }
}

/** What became of an action, once it is done; null where nobody may ask any more. */
export async function settled(action) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    try {
      const { result } = await request("GET", `/actions/${action}`);
      if (result !== null) return result;
    } catch (error) {
      if (error.status === 401 || error.status === 404) return null;
    }
  }
}

/** With its opening and its last rise as numbers, for sorting. */
function dated(warning) {
  const began = Date.parse(warning.opened);
  return { ...warning, began, rose: risen(warning) ?? began };
}
