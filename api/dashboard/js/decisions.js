/** What people decide on this page: what to do with an alarm, sign for a case, verify red or release it. */
import { Ask } from "./ask.js";
import { settled } from "./cases.js";
import { make } from "./dom.js";
import { verbs } from "./duties.js";
import { t } from "./i18n.js";
import { riskMark } from "./marks.js";
import { decide, newKey, reason } from "./server.js";
import { longest, permitsOf, removal, shelf } from "./shelving.js";
import { levelsOf, oversees, toRelease, toSign, toVerify } from "./signing.js";

/** Verbs whose path on the server is called otherwise. */
const PATHS = { see: "seen", remove_from_service: "remove-from-service", return_to_service: "return-to-service" };

export class Decisions {
  /** gate: who is in; tree: what lies where; cases: those that are open. */
  constructor(gate, tree, cases) {
    this.gate = gate;
    this.tree = tree;
    this.cases = cases;
    this.ask = new Ask({
      refused: () => gate.leave(), accepted: (question, action) => this.follow(question, action),
    });
  }

  get asking() {
    return this.ask.open;
  }

  /** The levels for which this person may sign a case now, verify or release red, and take a step of the loop. */
  may(warning) {
    const levels = levelsOf(this.gate.session?.roles ?? [], this.tree.nodes, warning);
    const loop = warning.state === "open" ? [] : levels;
    return {
      sign: toSign(levels, warning), verify: toVerify(levels, warning), release: toRelease(levels, warning), loop,
    };
  }

  /** What this person may do with an alarm now, the first thing to do first. One of no enterprise
   * belongs to the desk of its area. */
  verbs(alarm) {
    const roles = this.gate.session?.roles ?? [];
    const { nodes } = this.tree;
    if (nodes.get(alarm.enterprise)?.kind !== "enterprise" && oversees(roles, nodes, alarm.enterprise)) {
      return verbs(alarm, ["enterprise"]);
    }
    return verbs(alarm, levelsOf(roles, nodes, alarm));
  }

  /** Do one of these verbs: 已阅 at once, everything else after a question. */
  async alarm(verb, alarm, place) {
    const path = `/alarms/${alarm.id}/${PATHS[verb] ?? verb}`;
    if (verb === "see") return this.see(path);
    const form = await this.form(verb, alarm);
    if (!this.gate.session) return null;
    const what = `${alarm.priority} · ${place} · ${alarm.text || alarm.name}`;
    return this.ask.show({ verb, path, what: [what], form });
  }

  async form(verb, alarm) {
    try {
      if (verb === "remove_from_service") return removal(alarm, await permitsOf(alarm));
      return verb === "shelve" ? shelf(alarm, await longest(alarm)) : null;
    } catch {
      return this.gate.leave();
    }
  }

  async see(path) {
    try {
      const outcome = await decide(path, {}, newKey());
      this.ask.tell("see", outcome);
      if (!outcome.transition && !outcome.already) await this.follow({ verb: "see" }, outcome.action);
    } catch (error) {
      if (error.status === 401) this.gate.leave();
      else this.ask.toast(t("refused", { why: reason(error) }));
    }
  }

  /** verb: receive, verify or release. */
  decide(verb, warning, place) {
    const { sign: receive, verify, release } = this.may(warning);
    this.ask.show({
      verb, target: warning.id, path: `/warnings/${warning.id}/${verb}`,
      what: [riskMark(warning), make("b", "", place)], levels: { receive, verify, release }[verb],
    });
  }

  /** Say what came of a step of the loop; wait for it where no worker has done it yet. Resolves with it. */
  async told(verb, outcome, target) {
    this.ask.tell(verb, outcome);
    if (outcome.transition || outcome.already) return outcome;
    return this.follow({ verb, target }, outcome.action);
  }

  /** No worker has done it yet: a case says so until one has; either way people hear what came of it. */
  async follow({ verb, target }, action) {
    const result = target ? await this.cases.follow(target, verb, action) : await settled(action);
    if (result && this.gate.session) this.ask.tell(verb, result);
    return result;
  }

  /** Ask no more: the session is over. */
  close() {
    this.ask.close();
  }
}
