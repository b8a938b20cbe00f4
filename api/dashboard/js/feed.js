/** What the page holds, in step with the server: lists at first, then what the stream brings. */
import { t, word } from "./i18n.js";
import { all, request } from "./server.js";

export class Feed {
  /**
   * held: { alarms, cases, tree, why, floods }. `on` has: loading(), then loaded() or failed(error);
   * changed(); told(text, loud) for news that people should hear of; degraded(away).
   */
  constructor(held, on) {
    this.held = held;
    this.on = on;
    this.waiting = null;
    this.again = false;
    this.blurred = false;
    this.looking = false;
  }

  /** Load everything anew. What the stream brings meanwhile waits and goes on top. */
  async load() {
    if (this.waiting) {
      this.again = true;
      return;
    }
    this.waiting = [];
    this.again = false;
    this.on.loading();
    const trouble = await this.lists().catch((error) => error);
    const missed = this.waiting;
    this.waiting = null;
    missed.forEach(([type, body]) => this.put(type, body));
    if (trouble) this.on.failed(trouble);
    else this.on.loaded();
    if (this.again) await this.load();
  }

  async lists() {
    const { alarms, cases, tree, why, floods } = this.held;
    const [nodes, open, shelved, warnings, told] = await Promise.all([
      all("/tree", { limit: 20_000 }), all("/alarms", { state: "active" }), all("/alarms", { flag: "shelved" }),
      all("/warnings", { open: true }), desks(),
    ]);
    alarms.load([...shelved, ...open]);
    floods.load(told);
    cases.load(warnings);
    tree.load(nodes);
    why.load();
    return null;
  }

  /** An event of the stream. */
  take(type, body) {
    if (type === "reset") this.load();
    else if (type === "degraded") this.on.degraded(body.degraded);
    else if (this.waiting) this.waiting.push([type, body]);
    else this.put(type, body);
  }

  put(type, body) {
    if (type === "alarm") this.alarm(body.alarm);
    else if (type === "warning") this.warning(body.warning);
    else if (type === "risk") this.risk(body.risk);
    else if (type === "desk") this.desk(body.desk);
    else return;
    this.on.changed();
  }

  risk(risk) {
    const { tree, why } = this.held;
    const clearer = tree.take(risk);
    if (clearer || this.looking) this.blurred = true;
    why.take(risk);
  }

  /** Ask the server which sources are seen; what is told meanwhile needs another look. */
  async look() {
    this.looking = true;
    this.blurred = false;
    try {
      this.held.tree.see(await all("/tree", { limit: 20_000 }));
    } catch {
      this.blurred = true;
    }
    this.looking = false;
    this.on.changed();
  }

  /** Ask again for what could not be had. */
  catchUp() {
    if (this.blurred && !this.looking) this.look();
    this.held.cases.catchUp();
  }

  alarm(alarm) {
    const { alarms } = this.held;
    const known = alarms.get(alarm.id);
    const fresh = alarms.put({ ...known, ...alarm });
    if (fresh && alarms.calls(alarms.get(alarm.id))) this.on.told(t("newAlarm", alarm), alarm.priority === "P1");
    if (alarm.kind === "SOURCE_OFFLINE") this.blurred = true;
  }

  desk(desk) {
    const { alarms, floods } = this.held;
    alarms.annotate(desk.notes ?? {});
    const name = floods.take(desk);
    if (name !== null) this.on.told(t("floodBegan", { name }), true);
  }

  warning(warning) {
    const { alarms, cases } = this.held;
    if (!cases.take(warning)) return;
    const name = alarms.names.get(warning.source) ?? "";
    this.on.told(t("newWarning", { colour: word(warning.colour), name }), warning.colour === "red");
  }
}

/** Every desk and what it is in. An older server tells nothing of them, and where it can't be had the
 * alarms are shown all the same: nothing rests on it, and the stream tells of every change. */
async function desks() {
  try {
    return await request("GET", "/desks");
  } catch (error) {
    if (error.status === 401) throw error;
    return [];
  }
}
