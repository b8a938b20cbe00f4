/** What people decide on this page: acknowledge an alarm, sign for a case, release red. */
import { Ask } from "./ask.js";
import { make } from "./dom.js";
import { riskMark } from "./marks.js";
import { levelsOf, toRelease, toSign } from "./signing.js";

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

  /** The levels for which this person may sign a case now, release red, and take a step of the loop. */
  may(warning) {
    const levels = levelsOf(this.gate.session?.roles ?? [], this.tree.nodes, warning);
    const loop = warning.state === "open" ? [] : levels;
    return { sign: toSign(levels, warning), release: toRelease(levels, warning), loop };
  }

  acknowledge(alarm, place) {
    this.alarm("acknowledge", alarm, place);
  }

  /** Let go of a latched alarm. */
  reset(alarm, place) {
    this.alarm("reset", alarm, place);
  }

  alarm(verb, alarm, place) {
    const what = `${alarm.priority} · ${place} · ${alarm.text || alarm.name}`;
    this.ask.show({ verb, path: `/alarms/${alarm.id}/${verb}`, what: [what] });
  }

  /** verb: receive or release. */
  decide(verb, warning, place) {
    const { sign, release } = this.may(warning);
    this.ask.show({
      verb, target: warning.id, path: `/warnings/${warning.id}/${verb}`,
      what: [riskMark(warning), make("b", "", place)], levels: verb === "receive" ? sign : release,
    });
  }

  /** Say what came of a step of the loop; wait for it where no worker has done it yet. */
  async told(verb, outcome, warning) {
    this.ask.tell(verb, outcome);
    if (outcome.transition || outcome.already) return;
    await this.follow({ verb, target: warning.id }, outcome.action);
  }

  /** No worker has done it yet: the case says so until one has. */
  async follow({ verb, target }, action) {
    if (!target) return;
    const result = await this.cases.follow(target, verb, action);
    if (result && this.gate.session) this.ask.tell(verb, result);
  }

  /** Ask no more: the session is over. */
  close() {
    this.ask.close();
  }
}
