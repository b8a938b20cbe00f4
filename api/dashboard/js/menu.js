/** What else can be done with an alarm: a menu at its row. */
import { at, button } from "./dom.js";
import { t } from "./i18n.js";

const EDGE = 8;

export class Menu {
  constructor() {
    this.body = at("menu");
    this.body.addEventListener("keydown", (event) => this.key(event));
  }

  /** choices: [text, click], shown beside an element, which has the focus again afterwards. */
  open(beside, choices) {
    const items = choices.map(([text, click]) => {
      const item = button("item", text, () => { this.close(); click(); });
      item.setAttribute("role", "menuitem");
      return item;
    });
    this.body.replaceChildren(...items);
    this.body.setAttribute("aria-label", t("more"));
    this.body.showPopover();
    const place = beside.getBoundingClientRect();
    const { width, height } = this.body.getBoundingClientRect();
    const below = place.bottom + height + EDGE < innerHeight;
    this.body.style.left = `${Math.max(EDGE, Math.min(place.right - width, innerWidth - width - EDGE))}px`;
    this.body.style.top = `${below ? place.bottom + 2 : Math.max(EDGE, place.top - height - 2)}px`;
    items[0]?.focus();
  }

  close() {
    if (this.body.matches(":popover-open")) this.body.hidePopover();
  }

  key(event) {
    const items = [...this.body.children];
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    event.stopPropagation();
    if (step === undefined) return;
    event.preventDefault();
    const n = items.indexOf(document.activeElement) + step;
    items[(n + items.length) % items.length].focus();
  }
}
