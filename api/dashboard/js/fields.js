/** Fields of a question. */
import { make } from "./dom.js";
import { t } from "./i18n.js";

/** A text of at most so many characters that no browser fills in. */
export function input(name, longest) {
  const element = make("input");
  Object.assign(element, { name, maxLength: longest, autocomplete: "off" });
  return element;
}

/** A control with the words of a key above it. */
export function labelled(key, control) {
  return make("label", "", [make("span", "", t(key)), control]);
}
