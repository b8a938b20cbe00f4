/** Which open alarms the table shows: two axes, the chosen node, and a text. */
import { isActive, isUnacked } from "./alarms.js";
import { at, button } from "./dom.js";
import { t } from "./i18n.js";

export class Filters {
  /** here(alarm): whether it lies below the chosen node; words(alarm): what a text is sought in. */
  constructor(alarms, { here, words, changed }) {
    this.alarms = alarms;
    this.here = here;
    this.words = words;
    this.changed = changed;
    this.on = { active: false, unacked: false };
    this.text = "";
    at("search").addEventListener("input", (event) => {
      this.text = event.target.value.trim().toLowerCase();
      changed();
    });
  }

  passes(alarm) {
    if (this.on.active && !isActive(alarm)) return false;
    if (this.on.unacked && !isUnacked(alarm)) return false;
    if (!this.here(alarm)) return false;
    return this.text === "" || this.words(alarm).toLowerCase().includes(this.text);
  }

  /** The choices with their counts; drawn anew only where something differs. */
  draw() {
    const { active, unacked } = this.on;
    const choices = [
      ["open", !active && !unacked, this.here],
      ["active", active, (alarm) => this.here(alarm) && isActive(alarm)],
      ["unacked", unacked, (alarm) => this.here(alarm) && isUnacked(alarm)],
    ].map(([name, on, which]) => [name, on, `${t(name)} ${this.alarms.count(which)}`]);
    const look = JSON.stringify(choices);
    if (at("filters").look === look) return;
    at("filters").look = look;
    at("filters").replaceChildren(...choices.map(([name, on, text]) => {
      const choice = button("choice", text, () => this.toggle(name));
      choice.setAttribute("aria-pressed", String(on));
      choice.dataset.filter = name;
      return choice;
    }));
  }

  /** Show everything that is open. */
  clear() {
    this.on = { active: false, unacked: false };
    this.text = at("search").value = "";
    this.changed();
  }

  toggle(name) {
    if (name === "open") this.on = { active: false, unacked: false };
    else this.on[name] = !this.on[name];
    this.changed();
  }
}
