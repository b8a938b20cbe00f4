/**
 * The server's clock, told by the Date of its answers: the one of this machine may be wrong.
 *
 * Server time minus `performance.now()` lies between two bounds, which every answer draws closer. An
 * answer that contradicts them (a clock was set, the machine slept) starts anew.
 */
const SLACK_MS = 2000; // Date has whole seconds, and is renewed once a second
let low = -Infinity;
let high = Infinity;

/** The Date of an answer, with readings of `performance.now()` before the question and after it. */
export function heardDate(date, asked, answered) {
  const said = Date.parse(date ?? "");
  if (Number.isNaN(said)) return;
  low = Math.max(low, said - answered);
  high = Math.min(high, said + SLACK_MS - asked);
  if (low > high) [low, high] = [said - answered, said + SLACK_MS - asked];
}

/** Milliseconds since 1970 by the server's clock, within about a second. */
export function now() {
  return low === -Infinity ? Date.now() : performance.now() + (low + high) / 2;
}
