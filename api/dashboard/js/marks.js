/** Marks that carry meaning by shape, so that the page reads without colour. */
import { make } from "./dom.js";
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

const LETTERS = { shelved: "flagShelved", suppressed: "flagSuppressed", out_of_service: "flagOut", stale: "flagStale" };

/** One small sign for each flag; the word shows under the pointer. */
export function flagMarks({ flags = [] }) {
  return flags.map((flag) => Object.assign(make("i", `flag ${flag}`, t(LETTERS[flag])), { title: word(flag) }));
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
