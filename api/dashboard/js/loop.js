/** The loop 闭环 of the chosen source's case: its steps with who and when, and the form of the next one. */
import { at, button, fill, make, redraw, say } from "./dom.js";
import { duration, shortly } from "./format.js";
import { t } from "./i18n.js";
import { drillMark, riskMark } from "./marks.js";
import { formOf, nextStep, stepsOf } from "./loopsteps.js";
import { now } from "./servertime.js";
import { StepForm } from "./stepform.js";

export class Loop {
  /** may(warning): levels of this person. `on` has: sign(warning), refused(), and told(verb, outcome, id),
   * which resolves with what came of it once the case is known anew. */
  constructor(cases, names, may, on) {
    this.cases = cases;
    this.names = names;
    this.may = may;
    this.on = on;
    this.source = null;
    this.forms = new Map();
    this.form = null;
    this.steps = make("ol", "steps scroll");
    this.next = make("div", "next-step");
    this.waiting = make("div", "step-form");
    this.nothing = make("div", "note");
    this.steps.tabIndex = 0;
    this.next.tabIndex = -1;
  }

  choose(source) {
    this.source = source;
    this.draw();
  }

  /** Forget what somebody typed: another person is in. */
  forget() {
    this.forms.clear();
    this.form = null;
    this.choose(null);
  }

  /** Drawn anew only where something differs; a form that somebody works on is never taken away. */
  draw() {
    const warning = this.cases.of(this.source);
    const language = t("loop");
    const heading = [this.source, this.names.get(this.source), warning?.id, warning?.colour, warning?.unknown, warning?.state];
    redraw(at("loop-head"), [language, ...heading], () => this.title(warning));
    const form = this.formFor(warning);
    if (!warning && !form) {
      this.nothing.textContent = t(this.source ? "noCaseOpen" : "chooseCase");
      fill(at("loop"), [this.nothing]);
      return;
    }
    const steps = warning ? stepsOf(warning) : [];
    redraw(this.steps, [language, warning?.id, steps], () => steps.map((one) => this.step(warning, one)));
    this.drawNext(warning, form);
    fill(at("loop"), [this.steps, this.next]);
    this.tick();
  }

  /** The form of the next step, or the one that somebody works on though its step is done; null: none. */
  formFor(warning) {
    const { form } = this;
    const here = form?.source === this.source && (!warning || form.id === warning.id);
    if (here && form.held) return form;
    this.form = null;
    const step = warning && nextStep(warning);
    const what = warning && warning.state !== "open" && this.may(warning).loop.length > 0 ? formOf(step, warning) : null;
    if (!what) return null;
    const key = `${warning.id}/${step}`;
    if (!this.forms.has(key) || this.forms.get(key).over) this.forms.set(key, this.made(warning, what));
    this.form = this.forms.get(key);
    return this.form;
  }

  made({ id, source }, what) {
    const form = new StepForm(id, what, {
      told: (verb, outcome) => this.on.told(verb, outcome, id),
      refused: this.on.refused, over: (had) => this.over(had), aside: () => this.aside(),
    });
    return Object.assign(form, { source });
  }

  /** To what there is to fill in or to press now. */
  enter() {
    const first = this.next.querySelector("textarea, input, select, button:enabled") ?? this.next;
    first.focus({ preventScroll: true });
    this.next.scrollIntoView({ block: "nearest" });
  }

  /** An answer has come; had: whether the focus was in the form, whose button lost it by waiting. */
  over(had) {
    this.draw();
    if (had && document.activeElement === document.body) this.enter();
  }

  /** Go on with the step that is due; what is typed comes back with its step. */
  aside() {
    this.form = null;
    this.draw();
    this.enter();
  }

  drawNext(warning, form) {
    const wanted = Boolean(warning && this.cases.wanted.get(warning.id));
    const step = warning ? nextStep(warning) : "closed";
    const sign = step === "receive" && this.may(warning).sign.length > 0;
    const look = [t("loop"), warning?.id, step, wanted, sign];
    redraw(this.waiting, look, () => this.told(step, wanted, sign && (() => this.on.sign(warning))));
    if (!form || (wanted && !form.held)) {
      fill(this.next, [this.waiting]);
      return;
    }
    const late = form.step.step !== step;
    form.show(warning ? this.may(warning).loop : [], late ? doneBy(form.step.step, warning) : null, wanted);
    fill(this.next, late && step === "receive" ? [this.waiting, form.element] : [form.element]);
  }

  /** What the next step waits for, where this person has nothing to fill in; sign(): false where not theirs. */
  told(step, wanted, sign) {
    if (wanted) return [make("p", "pending", t("accepted"))];
    if (step !== "receive") return [make("p", "muted", t(`wait_${step}`))];
    return [make("p", "muted", t("nobodySigned")), ...(sign ? [button("strong", t("receive_button"), sign, "receive")] : [])];
  }

  title(warning) {
    const name = make("b", "", this.names.get(this.source) ?? "");
    return warning ? [riskMark(warning), ...(warning.drill ? [drillMark()] : []), name, make("span", "muted", t(`case_${warning.state}`))] : [name];
  }

  step(warning, one) {
    const state = one.done ? "done" : one.next ? "next" : "ahead";
    const who = one.done ? `${one.by} · ${shortly(new Date(one.at))}` : one.next ? t("nextStep") : "";
    const said = make("span", "said", one.said ?? "");
    said.title = one.said ?? "";
    const files = (one.files ?? []).map((file) => this.file(warning, file));
    const due = make("span", "due");
    due.tick = () => tick(due, one);
    return make("li", `step ${state}`, [
      make("i", "lamp"), make("b", "", t(`step_${one.name}`)), make("span", "who", who),
      due, make("div", "more", [said, ...files]),
    ]);
  }

  /** Let the clocks of what is due run. */
  tick() {
    this.steps.querySelectorAll(".due").forEach((due) => due.tick());
  }

  file(warning, file) {
    const link = make("a", "file", file.name);
    link.href = `/api/v1/warnings/${warning.id}/files/${file.id}`;
    link.download = file.name;
    link.dataset.key = file.id;
    return link;
  }
}

function tick(element, { due, done }) {
  if (due === null || done) return;
  const left = due - now();
  say(element, t(left > 0 ? "signWithin" : "signLate", { d: duration(Math.abs(left)) }));
  element.classList.toggle("late", left <= 0);
}

/** Who has done a step meanwhile; "" where nobody is named: the case rose, or is closed. */
function doneBy(step, warning) {
  return (warning && stepsOf(warning).find((one) => one.name === step)?.by) ?? "";
}
