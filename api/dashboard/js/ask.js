/** The question before an acknowledgement, and the word about what came of it. */
import { at, say, show } from "./dom.js";
import { moment } from "./format.js";
import { t } from "./i18n.js";
import { acknowledge, reason } from "./server.js";

const TOAST_MS = 5000;

export class Ask {
  /** `on` has: refused() when the session is over. */
  constructor(on) {
    this.on = on;
    this.alarm = null;
    this.toasting = null;
    at("ask-cancel").addEventListener("click", () => at("ask").close());
    at("ask-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  get open() {
    return at("ask").open;
  }

  /** Ask for a comment on this alarm; `place` says where it is. */
  show(alarm, place) {
    this.alarm = alarm;
    say(at("ask-what"), `${alarm.priority} · ${place} · ${alarm.text || alarm.name}`);
    at("ask-form").reset();
    show(at("ask-trouble"), false);
    at("ask").showModal();
    at("ask-form").elements.comment.focus();
  }

  async send() {
    try {
      const outcome = await acknowledge(this.alarm.id, at("ask-form").elements.comment.value.trim());
      at("ask").close();
      this.toast(told(outcome));
    } catch (error) {
      if (error.status === 401) this.on.refused();
      say(at("ask-trouble"), reason(error));
      show(at("ask-trouble"), true);
    }
  }

  toast(text) {
    say(at("toast"), text);
    show(at("toast"), true);
    clearTimeout(this.toasting);
    this.toasting = setTimeout(() => show(at("toast"), false), TOAST_MS);
  }
}

function told(outcome) {
  if (!outcome.already) return outcome.transition ? t("done") : t("accepted");
  const { by, at: when } = outcome.already;
  return t("already", { by, at: when ? moment(new Date(when)) : "–" });
}
