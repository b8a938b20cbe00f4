/** Marks that carry meaning by shape, so that the page reads without colour. */
import { make } from "./dom.js";
import { t } from "./i18n.js";

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
