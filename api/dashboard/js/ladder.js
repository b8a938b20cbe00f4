/** The escalation ladder 升级阶梯 of a case: who knows, who signed, who is next. Pure. */
export const LEVELS = ["enterprise", "park", "county", "city", "province", "fire"];

/** When the colour last rose: every rise tells somebody at once. Null where no rung is known. */
export function risen(warning) {
  const told = warning.ladder.filter((rung) => rung.after_s === 0).map((rung) => Date.parse(rung.due));
  return told.length > 0 ? Math.max(...told) : null;
}

/** The 签收 of a level since the last rise; older ones no longer count. */
export function signature(warning, level) {
  if (warning.state === "open") return null;
  const rise = risen(warning);
  return warning.receipts.find(
    (one) => one.level === level && (rise === null || Date.parse(one.at) >= rise),
  ) ?? null;
}

/** When the next rung is due, in milliseconds; null where none waits. */
export function nextDue(warning) {
  const due = waiting(warning.ladder).map((rung) => Date.parse(rung.due));
  return due.length > 0 ? Math.min(...due) : null;
}

/** Until when somebody has to sign, in milliseconds; null where nobody has to. */
export function signBy(warning) {
  const rise = risen(warning);
  if (warning.state !== "open" || rise === null || warning.sign_within_s === null) return null;
  return rise + warning.sign_within_s * 1000;
}

/**
 * The levels from the plant upwards, each as it stands: { level, state, rungs, signed, told, due,
 * after, next, now, notices, unnamed }.
 *
 * state: signed, told, waiting, stopped (nobody needs to be told any more) or none. told, due:
 * milliseconds. after: of the rung that is due, the length of its clock in seconds. now: the highest
 * level that was told; next: told next, or where that is nobody new, the highest that is told again.
 * notices: { delivered, failed, open }. Fire and rescue stands beside the ladder, and only where it
 * has a rung.
 */
export function stations(warning) {
  const all = LEVELS.map((level) => station(warning, level));
  const ladder = all.filter((one) => one.level !== "fire");
  const highest = ladder.findLast((one) => one.told !== null);
  if (highest && !highest.signed) highest.now = true;
  for (const one of comingNext(ladder, nextDue(warning))) one.next = true;
  return all.filter((one) => one.level !== "fire" || one.rungs.length > 0);
}

function comingNext(ladder, due) {
  const coming = ladder.filter((one) => due !== null && one.due === due);
  const fresh = coming.filter((one) => one.state === "waiting");
  return fresh.length > 0 ? fresh : coming.slice(-1);
}

function station(warning, level) {
  const rungs = warning.ladder.filter((rung) => rung.level === level);
  const signed = signature(warning, level);
  const done = rungs.filter((rung) => rung.outcome === "told");
  const [first] = waiting(rungs).sort((a, b) => Date.parse(a.due) - Date.parse(b.due));
  const due = first ? Date.parse(first.due) : null;
  return {
    level,
    rungs,
    signed,
    told: done.length > 0 ? Math.max(...done.map((rung) => Date.parse(rung.done))) : null,
    due,
    after: first?.after_s ?? null,
    next: false,
    now: false,
    state: stateOf(rungs, signed, done, first),
    notices: tally(done),
    unnamed: done.some((rung) => rung.unnamed),
  };
}

function stateOf(rungs, signed, done, first) {
  if (signed) return "signed";
  if (done.length > 0) return "told";
  if (first) return "waiting";
  return rungs.length > 0 ? "stopped" : "none";
}

function waiting(rungs) {
  return rungs.filter((rung) => rung.outcome === "waiting");
}

function tally(rungs) {
  const counts = { delivered: 0, failed: 0, open: 0 };
  for (const notice of rungs.flatMap((rung) => rung.notices ?? [])) {
    const state = noticeState(notice);
    if (state !== "withdrawn") counts[state] += 1;
  }
  return counts;
}

/** What became of a notice: delivered, failed, withdrawn, or open while it is on its way. */
export function noticeState(notice) {
  return ["delivered", "failed", "withdrawn"].find((state) => notice[state] !== null) ?? "open";
}
