/** What the table shows folded under another alarm: OFFLINE under a lost source or gateway, and what follows from
 * one cause in a flood. The server decides it; what must never hide stands by itself all the same. Pure. */

const NEVER_KINDS = new Set(["HH", "LL"]);
const NEVER_CLASSES = /^(GAS|FIRE|O2)_?/;
export const FOLD = "fold:";
/** Kinds under which others lie because nothing is heard, and what lies under them so. */
export const LOST = new Set(["SOURCE_OFFLINE", "GATEWAY_OFFLINE"]);
export const SILENT = new Set(["OFFLINE", "SOURCE_OFFLINE"]);

/** P1, gas, fire, HH and LL are never folded, whatever a note says. */
export function mayFold({ priority, kind, class: named = "" }) {
  return priority !== "P1" && !NEVER_KINDS.has(kind) && !NEVER_CLASSES.test(named);
}

/** Id of the alarm on top of those that it is folded under; null: it stands by itself. listed: by id. */
export function cause(alarm, listed) {
  const met = new Set([alarm.id]);
  let top = alarm;
  while (mayFold(top)) {
    const next = listed.get(top.note?.under);
    if (!next) break;
    if (met.has(next.id)) return null;
    met.add(next.id);
    top = next;
  }
  return top === alarm ? null : top.id;
}

/**
 * The lines of the table in their order: { order, under }. order: ids, and after an alarm that others
 * are folded under `fold:` and its id; these follow where it is opened. under: alarms by the id of
 * their cause. A group stands where its most urgent member would.
 */
export function lines(alarms, opened) {
  const listed = new Map(alarms.map((alarm) => [alarm.id, alarm]));
  const tops = alarms.map((alarm) => cause(alarm, listed));
  const under = Map.groupBy(alarms.filter((_, n) => tops[n] !== null), (alarm) => cause(alarm, listed));
  const [order, done] = [[], new Set()];
  alarms.forEach((alarm, n) => {
    const top = tops[n] ?? alarm.id;
    if (done.has(top)) return;
    done.add(top);
    order.push(top);
    if (!under.has(top)) return;
    order.push(FOLD + top);
    if (opened.has(top)) order.push(...under.get(top).map((one) => one.id));
  });
  return { order, under };
}
