/** The open alarms of this page, and the order in which an operator wants them. */
const UNACKED = new Set(["UNACK", "RTNUN", "LATUN"]);
const ACTIVE = new Set(["UNACK", "ACKED"]);

export const isUnacked = (alarm) => UNACKED.has(alarm.state);
/** Kept after its condition has gone, and acknowledged: somebody may reset it. */
export const isResettable = (alarm) => alarm.state === "LATAC";
/** Silenced by a flag: it stays in the list and the counts, but does not call. */
export const isSilent = (alarm) => (alarm.flags ?? []).some((flag) => flag !== "stale");
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
  constructor() {
    this.byId = new Map();
    this.names = new Map();
  }

  /** Start from a list; what came over the stream meanwhile is put on top by the caller. */
  load(items) {
    this.byId = new Map(items.map((alarm) => [alarm.id, dated(alarm)]));
  }

  /** One alarm as it is now. Closed ones go; returns whether it was not known before. */
  put(alarm) {
    const fresh = !this.byId.has(alarm.id);
    if (alarm.lane === "replay") return false;
    if (alarm.state === "NORM") this.byId.delete(alarm.id);
    else this.byId.set(alarm.id, dated(alarm));
    return fresh && alarm.state !== "NORM";
  }

  /** Open alarms that pass, in order of urgency. */
  select(passes) {
    return [...this.byId.values()].filter(passes).sort(urgency);
  }

  /** How many wait to be acknowledged, by priority, silenced ones too, and the newest that is loud. */
  unacked() {
    const counts = { P1: 0, P2: 0, P3: 0, P4: 0 };
    let newest = null;
    for (const alarm of this.byId.values()) {
      if (!isUnacked(alarm)) continue;
      counts[alarm.priority] += 1;
      if (!isSilent(alarm) && (newest === null || alarm.began > newest.began)) newest = alarm;
    }
    return { counts, newest };
  }

  /** The most urgent unacknowledged one that has a trend, the newest of several; null if none. */
  worst() {
    let worst = null;
    for (const alarm of this.byId.values()) {
      if (!isUnacked(alarm) || isSilent(alarm) || !alarm.tag) continue;
      const same = worst !== null && alarm.priority === worst.priority;
      if (worst === null || alarm.priority < worst.priority || (same && alarm.began > worst.began)) worst = alarm;
    }
    return worst;
  }

  /** How many pass. */
  count(passes) {
    let n = 0;
    for (const alarm of this.byId.values()) n += passes(alarm);
    return n;
  }
}
