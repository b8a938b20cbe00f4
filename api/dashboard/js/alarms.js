/** The open alarms of this page, and the order in which an operator wants them. */
import { cause } from "./folds.js";
import { now } from "./servertime.js";

const UNACKED = new Set(["UNACK", "RTNUN", "LATUN"]);
const ACTIVE = new Set(["UNACK", "ACKED"]);

export const isOpen = (alarm) => alarm.state !== "NORM";
export const isUnacked = (alarm) => UNACKED.has(alarm.state);
/** Kept after its condition has gone, and acknowledged: somebody may reset it. */
export const isResettable = (alarm) => alarm.state === "LATAC";
/** Silenced by a flag: it stays in the list and the counts, but does not call. */
export const isSilent = (alarm) => (alarm.flags ?? []).some((flag) => flag !== "stale");
/** The time that its console has to acknowledge it is over. */
export const isLate = (alarm) => isUnacked(alarm) && alarm.ack_by != null && Date.parse(alarm.ack_by) < now();
export const isActive = (alarm) => ACTIVE.has(alarm.state);

/** Unacknowledged first, then by priority, then the newest first; ids decide the rest. */
export function urgency(a, b) {
  return isUnacked(b) - isUnacked(a)
    || a.priority.localeCompare(b.priority)
    || b.began - a.began
    || a.id.localeCompare(b.id);
}

/** With its onset as a number, for sorting. */
const dated = (alarm) => ({ ...alarm, began: Date.parse(alarm.onset) });

export class Alarms {
  /** byId: the open ones. resting: closed ones whose shelf lasts on. */
  constructor() {
    this.byId = new Map();
    this.resting = new Map();
    this.names = new Map();
    this.early = new Map();
  }

  /** Start from a list; what came over the stream meanwhile is put on top by the caller. */
  load(items) {
    const found = items.map(dated);
    this.byId = new Map(found.filter(isOpen).map((alarm) => [alarm.id, alarm]));
    this.resting = new Map(found.filter((alarm) => !isOpen(alarm) && alarm.shelved).map((alarm) => [alarm.id, alarm]));
    this.early.clear();
  }

  /** One that is open, or closed under a shelf. */
  get(id) {
    return this.byId.get(id) ?? this.resting.get(id);
  }

  /** One alarm as it is now. Closed ones go; returns whether it was not known before. */
  put(alarm) {
    const fresh = !this.byId.has(alarm.id);
    if (alarm.lane === "replay") return false;
    const note = this.early.get(alarm.id);
    const now = dated(note === undefined ? alarm : { ...alarm, note });
    this.early.delete(alarm.id);
    (isOpen(now) ? this.resting : this.byId).delete(now.id);
    if (isOpen(now)) this.byId.set(now.id, now);
    else if (now.shelved) this.resting.set(now.id, now);
    else this.resting.delete(now.id);
    return fresh && isOpen(now);
  }

  /** What stands beside alarms now, by id; of one that is not known yet it waits for it. */
  annotate(notes) {
    for (const [id, note] of Object.entries(notes)) {
      const alarm = this.byId.get(id);
      if (alarm) this.byId.set(id, { ...alarm, note });
      else if (note !== null) this.early.set(id, note);
      else this.early.delete(id);
    }
  }

  /** Those that pass, in order of urgency. */
  select(passes) {
    return [...this.byId.values(), ...this.resting.values()].filter(passes).sort(urgency);
  }

  /** How many wait to be acknowledged, by priority, silenced ones too, and the newest that is loud. */
  unacked() {
    const counts = { P1: 0, P2: 0, P3: 0, P4: 0 };
    let newest = null;
    for (const alarm of this.byId.values()) {
      if (!isUnacked(alarm)) continue;
      counts[alarm.priority] += 1;
      if (this.calls(alarm) && (newest === null || alarm.began > newest.began)) newest = alarm;
    }
    return { counts, newest };
  }

  /** Whether it asks for somebody by itself: not silenced, and shown under no other. */
  calls(alarm) {
    return !isSilent(alarm) && cause(alarm, this.byId) === null;
  }

  /** The most urgent unacknowledged one that has a trend, the newest of several; null if none. */
  worst() {
    let worst = null;
    for (const alarm of this.byId.values()) {
      if (!isUnacked(alarm) || !alarm.tag || !this.calls(alarm)) continue;
      const same = worst !== null && alarm.priority === worst.priority;
      if (worst === null || alarm.priority < worst.priority || (same && alarm.began > worst.began)) worst = alarm;
    }
    return worst;
  }

  /** How many pass. */
  count(passes) {
    let n = 0;
    for (const alarm of this.byId.values()) n += passes(alarm);
    for (const alarm of this.resting.values()) n += passes(alarm);
    return n;
  }
}
