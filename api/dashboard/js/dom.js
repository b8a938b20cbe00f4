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

/** A button that submits nothing. */
export function button(className, text, click) {
  const element = make("button", className, text, { click });
  element.type = "button";
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
