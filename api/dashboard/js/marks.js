/** Marks that carry meaning by shape, so that the page reads without colour. */
import { isLate } from "./alarms.js";
import { make } from "./dom.js";
import { shortly } from "./format.js";
import { t, word } from "./i18n.js";

const NUMERALS = { red: "Ⅰ", orange: "Ⅱ", yellow: "Ⅲ", blue: "Ⅳ" };

/** Priority: as many bars as it is urgent, and its name. */
export function priorityMark(priority) {
  const filled = 5 - Number(priority.slice(1));
  const bars = [1, 2, 3, 4].map((n) => make("i", n <= filled ? "full" : ""));
  return make("span", `priority ${priority.toLowerCase()}`, [make("span", "bars", bars), priority]);
}

/** State: full and blinking, framed, or dashed and blinking; and its word. */
export function stateMark(state) {
  return make("span", `state ${state.toLowerCase()}`, [make("i", "lamp"), make("span", "", t(state))]);
}

const SHORT = { shelved: "flagShelved", suppressed: "flagSuppressed", out_of_service: "flagOut", stale: "flagStale", eased: "flagEased" };

/** What stands beside an alarm in one word each; why and until when shows under the pointer. */
export function alarmMarks(alarm) {
  const { note, seen = [], flags = [] } = alarm;
  const marks = flags.map((flag) => mark(`flag ${flag}`, flagged(alarm, flag), silence(alarm, flag)));
  if (alarm.eased) marks.push(mark("flag eased", flagged(alarm, "eased"), silence(alarm, "eased")));
  if (isLate(alarm)) marks.unshift(mark("flag late", t("ackLate"), t("ackLateNote", { time: shortly(new Date(alarm.ack_by)) })));
  if (alarm.drill) marks.unshift(drillMark());
  if (note?.first_out) marks.push(mark("flag first", t("firstOut"), t("firstOutNote")));
  if (note?.first_out && note.uncertain) marks.push(mark("flag unsure", t("orderUncertain"), t("orderUncertainNote")));
  const n = note?.repeats ?? 0;
  if (n > 0) marks.push(mark("flag chatter", t("chatters", { n }), t("chattersNote", { n })));
  if (seen.length > 0) marks.push(mark("flag seen", seenBy(seen), sights(seen)));
  return marks;
}

/** It belongs to a drill 演练. */
export function drillMark() {
  return mark("flag drill", t("drill"), t("drillNote"));
}

/** The flag in one word, with the time at which it ends. */
function flagged(alarm, flag) {
  const { until } = alarm[flag] ?? {};
  return [t(SHORT[flag]), ...(until ? [`→${shortly(new Date(until))}`] : [])].join(" ");
}

function mark(kind, text, title) {
  return Object.assign(make("i", kind, text), { title });
}

/** Why an alarm has a flag, by whom, and until when. */
export function silence(alarm, flag) {
  if (flag === "stale") return t("staleNote");
  const { why, by, second, until } = alarm[flag] ?? {};
  const end = until ? t("untilTime", { time: shortly(new Date(until)) }) : t("untilEnded");
  return [word(flag), why, [by, second].filter(Boolean).join(" + "), end].filter(Boolean).join(" · ");
}

function seenBy(seen) {
  return seen.length === 1 ? t("seenMark", { level: word(seen[0].level) }) : t("seenMarks", { n: seen.length });
}

function sights(seen) {
  return seen.map((one) => `${word(one.level)} ${one.by} ${shortly(new Date(one.at))}`).join(" · ");
}

/**
 * Risk colour: colour, shape and numeral; hatched and with "?" where the source is not seen.
 * `size`: small, or large with its word beneath.
 */
export function riskMark({ colour, unknown = false }, size = "") {
  const text = riskText({ colour, unknown });
  const mark = make("span", `risk ${colour} ${size}`, [
    make("i", "shape"), make("b", "numeral", NUMERALS[colour]),
  ]);
  if (size === "large") mark.append(make("span", "word", word(colour)));
  if (unknown) mark.append(make("b", "blind", "?"));
  mark.classList.toggle("unknown", unknown);
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", text);
  mark.title = text;
  return mark;
}

/** A count of sources behind a shape; for what is not seen behind a hatched "?". */
export function riskCount(name, n) {
  const sign = name === "unknown" ? make("i", "blind", "?") : make("i", "shape");
  const count = make("span", `tally ${name} ${n === 0 ? "none" : ""}`, [sign, String(n)]);
  count.title = `${name === "unknown" ? t("unseen") : riskText({ colour: name })}: ${n}`;
  return count;
}

/** Ⅰ red, no data */
export function riskText({ colour, unknown }) {
  return [`${NUMERALS[colour]} ${word(colour)}`, ...(unknown ? [t("unseen")] : [])].join(t("comma"));
}
