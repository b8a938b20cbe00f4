/** The lower panel: the trend of a tag, why a source has its colour, or the loop of its case. */
import { at, show } from "./dom.js";

const PANELS = { trend: "chart", why: "why", loop: "loop" };

export class Detail {
  /** `on` has: asked(name) when a person turns to a panel. */
  constructor(on) {
    this.on = on;
    for (const name of Object.keys(PANELS)) {
      at(`tab-${name}`).addEventListener("click", () => this.turn(name));
      at(`tab-${name}`).addEventListener("keydown", (event) => this.key(event));
    }
    this.show("trend");
  }

  show(name) {
    for (const [tab, panel] of Object.entries(PANELS)) {
      at(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
      at(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
      show(at(`${tab}-head`), tab === name);
      show(at(panel), tab === name);
    }
    this.shown = name;
  }

  turn(name) {
    this.show(name);
    this.on.asked(name);
  }

  key(event) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const names = Object.keys(PANELS);
    const by = event.key === "ArrowRight" ? 1 : -1;
    this.turn(names[(names.indexOf(this.shown) + by + names.length) % names.length]);
    at(`tab-${this.shown}`).focus();
    event.stopPropagation();
  }
}
