/**
 * The alarm table. Only the rows in view exist. While the pointer or the keyboard is among the rows
 * their order stands still: rows change where they are, new ones wait behind the chip.
 */
import { isLate } from "./alarms.js";
import { at, button, keepFocus, make, say, show } from "./dom.js";
import { duration } from "./format.js";
import { FOLD, LOST, lines } from "./folds.js";
import { t } from "./i18n.js";
import { Rows } from "./rows.js";
import { now } from "./servertime.js";

const REST_MS = 10_000;
const COLUMNS = [
  "state", "priority", "onset", "duration", "place", "tag", "value", "limit", "acked",
];
const KEYS = { a: ["acknowledge", "see"], r: ["reset"], s: ["shelve", "unshelve"] };
const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

export class Table {
  /** `on` has: choose(alarm), verbs(alarm) that this person may do, act(verb, alarm). */
  constructor(alarms, on) {
    this.alarms = alarms;
    this.on = on;
    this.rows = new Rows(alarms.names, {
      choose: (id) => this.choose(id), act: on.act,
      toggle: (top) => { this.choose(FOLD + top); this.toggle(top); },
    });
    this.order = [];
    this.opened = new Set();
    this.under = new Map();
    this.shown = new Map();
    this.chosen = null;
    this.passes = () => true;
    this.message = t("loading");
    this.hovered = false;
    this.touched = -REST_MS;
    this.body = at("rows");
    this.sheet = make("div", "sheet");
    this.body.append(this.sheet);
    this.body.addEventListener("scroll", () => this.paint());
    this.body.addEventListener("pointermove", () => { this.hovered = true; });
    this.body.addEventListener("pointerleave", () => { this.hovered = false; this.refresh(); });
    // not at once: a row that is being replaced loses the focus in the middle of painting
    this.body.addEventListener("focusout", () => queueMicrotask(() => this.refresh()));
    this.body.addEventListener("keydown", (event) => this.key(event));
    at("chip").addEventListener("click", () => { this.arrange(); this.body.scrollTop = 0; });
    new ResizeObserver(() => { this.measure(); this.paint(); }).observe(this.body);
    this.measure();
    this.heads();
  }

  /** A row is as high as the style says, px: two lines on a telephone. */
  measure() {
    this.row = parseFloat(getComputedStyle(this.body).getPropertyValue("--row"));
  }

  heads() {
    at("columns").replaceChildren(...COLUMNS.map((name) => make("span", `cell ${name}`, t(name))));
  }

  /**
   * Whether the order has to stand still: for the pointer as long as it is there, for the keyboard
   * until it rests; afterwards the focus goes with its row.
   */
  get held() {
    const focused = this.body.contains(document.activeElement);
    return this.hovered || this.body.scrollTop > 0
      || (focused && performance.now() - this.touched < REST_MS);
  }

  /** Show another selection at once. */
  filter(passes) {
    this.passes = passes;
    this.arrange();
  }

  /** Something changed: arrange anew, or only repaint and count while the order is held. */
  refresh() {
    if (this.held) this.paint();
    else this.arrange();
  }

  arrange() {
    const found = this.alarms.select(this.passes);
    const { order, under } = lines(found, this.opened);
    this.order = order;
    this.under = under;
    this.known = new Set(found.map((alarm) => alarm.id));
    this.last = new Map(found.map((alarm) => [alarm.id, alarm]));
    this.opened.forEach((top) => under.has(top) || this.opened.delete(top));
    this.paint();
  }

  /** What to say instead of rows (loading, an error), with a way out. */
  tell(message, retry = null) {
    this.message = message;
    this.retry = retry;
    this.paint();
  }

  paint() {
    keepFocus(this.body, () => this.lay());
    this.chip();
    this.empty();
  }

  lay() {
    this.sheet.style.height = `${this.order.length * this.row}px`;
    const first = Math.max(0, Math.floor(this.body.scrollTop / this.row) - 4);
    const end = first + Math.ceil(this.body.clientHeight / this.row) + 8;
    const wanted = new Set(this.order.slice(first, end));
    for (const [id, row] of this.shown) {
      if (!wanted.has(id)) {
        row.remove();
        this.shown.delete(id);
      }
    }
    let before = null;
    this.order.slice(first, end).forEach((id, n) => {
      const row = this.place(id, first + n);
      if (!row.isConnected || row.previousSibling !== before) {
        this.sheet.insertBefore(row, before ? before.nextSibling : this.sheet.firstChild);
      }
      before = row;
    });
  }

  place(id, n) {
    const shown = id.startsWith(FOLD) ? this.folded(id) : this.single(id);
    const chosen = id === this.chosen;
    const look = JSON.stringify([shown, n, this.row, chosen, t("ack")]);
    let row = this.shown.get(id);
    if (row?.look !== look) {
      const fresh = id.startsWith(FOLD) ? this.rows.fold(shown) : this.rows.alarm(shown);
      fresh.look = look;
      fresh.dataset.id = id;
      fresh.classList.toggle("chosen", chosen);
      fresh.style.transform = `translateY(${n * this.row}px)`;
      row?.replaceWith(fresh);
      this.shown.set(id, fresh);
      row = fresh;
    }
    if (row.lasting) say(row.lasting, duration(this.lasted(shown.alarm)));
    return row;
  }

  /** What the row of one alarm shows. */
  single(id) {
    const now = this.alarms.get(id);
    const alarm = now ?? { ...this.last.get(id), state: "NORM" };
    if (now) this.last.set(id, now);
    return { alarm, verbs: now ? this.on.verbs(now) : [], under: this.top(id) !== null, late: isLate(alarm) };
  }

  /** What the line shows under which others are folded. */
  folded(id) {
    const top = id.slice(FOLD.length);
    const alarms = this.under.get(top).map((one) => this.alarms.get(one.id)).filter(Boolean);
    return { top, alarms, open: this.opened.has(top), isLost: LOST.has(this.alarms.get(top)?.kind) };
  }

  /** Under which alarm this one is folded, null where it stands by itself. */
  top(id) {
    for (const [top, alarms] of this.under) if (alarms.some((one) => one.id === id)) return top;
    return null;
  }

  /** Open or close what is folded under an alarm. */
  toggle(top, open = !this.opened.has(top)) {
    if (!this.under.has(top)) return;
    this.opened[open ? "add" : "delete"](top);
    if (!open && this.top(this.chosen) === top) this.chosen = FOLD + top;
    this.arrange();
  }

  lasted(alarm) {
    const end = alarm.ended ?? alarm.closed;
    return (end ? Date.parse(end) : now()) - Date.parse(alarm.onset);
  }

  chip() {
    const waiting = this.alarms.count((alarm) => !this.known?.has(alarm.id) && this.passes(alarm));
    show(at("chip"), waiting > 0);
    say(at("chip"), waiting > 0 ? t("newRows", { n: waiting }) : "");
  }

  empty() {
    let note = this.body.querySelector(".note");
    if (this.order.length > 0 && !this.message) {
      note?.remove();
      return;
    }
    if (!note) {
      note = make("div", "note");
      this.body.append(note);
    }
    const text = this.message || (this.alarms.byId.size > 0 ? t("noMatch") : t("noAlarms"));
    const look = text + Boolean(this.retry);
    if (note.look === look) return;
    note.look = look;
    note.replaceChildren(make("span", "", text));
    if (this.retry) note.append(button("plain", t("retry"), this.retry));
  }

  choose(id) {
    if (!this.order.includes(id) && this.top(id) !== null) this.toggle(this.top(id), true);
    this.chosen = id;
    this.touched = performance.now();
    const n = this.order.indexOf(id);
    if (n * this.row < this.body.scrollTop) this.body.scrollTop = n * this.row;
    const bottom = (n + 1) * this.row - this.body.clientHeight;
    if (bottom > this.body.scrollTop) this.body.scrollTop = bottom;
    this.paint();
    const alarm = this.alarms.get(id) ?? this.last.get(id);
    if (alarm) this.on.choose(alarm);
  }

  move(by) {
    if (this.order.length === 0) return;
    const n = this.order.indexOf(this.chosen) + by;
    this.choose(this.order[Math.min(this.order.length - 1, Math.max(0, n))]);
  }

  /** Keys of the table; also called for keys that no field wanted. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in STEPS) {
      // or Enter would press the button that had the focus before
      if (document.activeElement !== document.body && !this.body.contains(document.activeElement)) this.body.focus();
      this.move(STEPS[event.key]);
    } else if (!this.unfold(event) && !this.act(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Enter, → and ← open and close what is folded; a button keeps its Enter. */
  unfold({ key, target }) {
    const top = this.chosen?.startsWith(FOLD) ? this.chosen.slice(FOLD.length) : this.top(this.chosen) ?? this.chosen;
    if (!this.under.has(top)) return false;
    if (key === "ArrowRight" || key === "ArrowLeft") this.toggle(top, key === "ArrowRight");
    else if ((key === "Enter" || key === " ") && !target.closest("button, a")) this.toggle(top);
    else return false;
    return true;
  }

  /** Do with the chosen alarm what the key says, if this person may. */
  act(key) {
    const alarm = this.alarms.get(this.chosen);
    if (!(key in KEYS) && key !== "m") return false;
    if (!alarm) return true;
    const may = this.on.verbs(alarm);
    if (key === "m") this.rows.more(alarm, may, this.shown.get(alarm.id) ?? this.body);
    const verb = KEYS[key]?.find((one) => may.includes(one));
    if (verb) this.on.act(verb, alarm);
    return true;
  }
}
