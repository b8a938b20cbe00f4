/** Small tools for elements. Text only ever goes in as text. */
export const at = (id) => document.getElementById(id);

/** An element with a class, text or children, and listeners by event name. */
export function make(tag, className = "", content = [], on = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...[content].flat());
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  return element;
}

/** A button that submits nothing. `key` names it among its neighbours, see `keepFocus`. */
export function button(className, text, click, key = null) {
  const element = make("button", className, text, { click });
  element.type = "button";
  if (key !== null) element.dataset.key = key;
  return element;
}

/** Change text only where it differs, so that nothing is painted for nothing. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide. */
export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

/** Put other children into an element, only where they differ from those that it has. */
export function fill(element, wanted) {
  const present = element.childNodes;
  if (present.length === wanted.length && wanted.every((one, n) => present[n] === one)) return;
  keepFocus(element, () => element.replaceChildren(...wanted));
}

/** Draw the content of an element, only where `look` differs from the last time. */
export function redraw(element, look, content) {
  const text = JSON.stringify(look);
  if (element.look === text) return;
  element.look = text;
  keepFocus(element, () => element.replaceChildren(...content()));
}

/**
 * Change what is in an element. Who had the focus there keeps it: the same control, else the one with
 * the same `data-key`, else the element itself; a key never lands on another thing to do.
 */
export function keepFocus(element, change) {
  const focused = document.activeElement;
  const inside = focused !== element && element.contains(focused);
  change();
  if (!inside || document.activeElement === focused) return;
  const { key } = focused.dataset;
  const heir = key && [...element.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  (element.contains(focused) ? focused : heir ?? element).focus({ preventScroll: true });
}
