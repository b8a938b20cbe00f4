/** The question before somebody decides something, and the word about what came of it. */
import { at, make, say, show } from "./dom.js";
import { moment } from "./format.js";
import { t, word } from "./i18n.js";
import { refusal } from "./refusals.js";
import { decide, newKey, reason } from "./server.js";

const TOAST_MS = 6000;

/**
 * A question is { verb, path, what, levels, form }: verb names its words (acknowledge, receive, release),
 * what are the elements that say what it is about, levels those that the person may speak for. form
 * stands instead of the comment: { fields, body(), refused(error, text) }; the latter says whether the
 * form shows the text itself.
 */
export class Ask {
  /** `on` has: refused() when the session is over; accepted(question, action) when it has to wait. */
  constructor(on) {
    this.on = on;
    this.question = null;
    this.toasting = null;
    at("ask-cancel").addEventListener("click", () => at("ask").close());
    at("ask").addEventListener("close", () => this.open || at("ask-more").replaceChildren());
    at("ask-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  get open() {
    return at("ask").open;
  }

  close() {
    if (this.open) at("ask").close();
  }

  show(question) {
    this.question = { ...question, key: newKey() };
    const levels = question.levels ?? [];
    at("ask-form").reset();
    say(at("ask-title"), t(`${question.verb}_title`));
    at("ask-what").replaceChildren(...question.what);
    say(at("ask-note"), t(`${question.verb}_note`));
    say(at("ask-send"), t(`${question.verb}_send`));
    show(at("ask-as"), levels.length > 0);
    at("ask-level").replaceChildren(...levels.map((level) => option(level)));
    const { form } = question;
    show(at("ask-comment"), !form);
    at("ask-more").replaceChildren(...(form?.fields ?? []));
    show(at("ask-trouble"), false);
    at("ask").showModal();
    const first = form ? at("ask-more").querySelector("select, input") : at("ask-form").elements.comment;
    first?.focus();
  }

  async send() {
    const { path, key, levels, form } = this.question;
    const { comment, level } = at("ask-form").elements;
    const body = form ? form.body() : { comment: comment.value.trim() || null };
    if (levels?.length > 0) body.level = level.value;
    at("ask-send").disabled = true;
    try {
      const outcome = await decide(path, body, key);
      at("ask").close();
      this.tell(this.question.verb, outcome);
      const open = !outcome.transition && !outcome.already;
      if (open) this.on.accepted(this.question, outcome.action);
    } catch (error) {
      if (error.status === 401) this.on.refused();
      this.again(error, form);
    }
    at("ask-send").disabled = false;
  }

  /** What was refused may be said otherwise: under another key, for it is another decision. */
  again(error, form) {
    if (error.status > 0 && error.status < 500) this.question.key = newKey();
    const told = form?.refused(error, reason(error)) ?? false;
    say(at("ask-trouble"), told ? "" : reason(error));
    show(at("ask-trouble"), !told);
  }

  /** Say what came of a decision: done, somebody was first, refused, or still open. */
  tell(verb, outcome) {
    this.toast(told(verb, outcome));
  }

  toast(text) {
    say(at("toast"), text);
    show(at("toast"), true);
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => show(at("toast"), false), TOAST_MS);
  }
}

function option(level) {
  const choice = make("option", "", word(level));
  choice.value = level;
  return choice;
}

function told(verb, outcome) {
  if (outcome.transition) return t(outcome.note ? `${verb}_half` : `${verb}_done`);
  if (outcome.refused) return t("refused", { why: refusal(outcome.refused) });
  if (!outcome.already) return t("accepted");
  const { by, at: when } = outcome.already;
  return t(`${verb}_already`, { by: by ?? "–", at: when ? moment(new Date(when)) : "–" });
}
