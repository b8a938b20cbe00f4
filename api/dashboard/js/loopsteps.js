/** Steps of a case's loop, and what the form of each asks. Pure. */
const ORDER = ["receive", "handle", "feedback", "review", "close"];
const NEXT = {
  open: "receive", received: "handle", handled: "feedback", fed_back: "review", reviewed: "close", settled: "calm",
};

/** Which step comes next. */
export function nextStep(warning) {
  return NEXT[warning.state] ?? "closed";
}

/** The steps in order: { name, done, next, by, at, said, files, due }; due in milliseconds or null. */
export function stepsOf(warning) {
  const { loop } = warning;
  const due = new Map((loop?.deadlines ?? []).map((one) => [one.duty, Date.parse(one.due)]));
  const reached = ORDER.indexOf(nextStep(warning));
  return ORDER.map((name, n) => {
    const deed = deedOf(name, warning);
    const done = reached === -1 ? true : n < reached;
    return {
      name, done: done && deed !== null, next: n === reached, due: due.get(name) ?? null,
      by: null, at: null, said: null, files: [], ...deed,
    };
  });
}

function deedOf(name, { loop, receipts, state }) {
  if (name === "receive") {
    const since = receipts.filter((one) => !loop?.rose || Date.parse(one.at) >= Date.parse(loop.rose));
    const first = since.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))[0];
    return state === "open" || !first ? null : { by: first.by, at: first.at };
  }
  if (name === "handle") return deed(loop?.handled);
  if (name === "review") return deed(loop?.review);
  if (name === "feedback") return loop?.feedback ? reported(loop.feedback) : null;
  return loop?.closing ? closed(loop.closing) : null;
}

function deed(one) {
  return one ? { by: one.by, at: one.at, said: one.comment } : null;
}

function reported(one) {
  const said = [one.text, one.reading, one.person].filter(Boolean).join(" · ");
  return { by: one.by, at: one.at, said, files: one.files };
}

function closed(one) {
  const by = one.second ? `${one.by}, ${one.second}` : one.by;
  return { by, at: one.second_at ?? one.at, said: one.reason };
}

const given = (form, name) => form.get(name)?.trim() || null;

/** The form of a step: { step, verb, path, fields, body(form) }; null where nobody has to say anything. */
export function formOf(step, warning) {
  const level = (form) => ({ level: form.get("level") });
  const comment = { name: "comment", kind: "text" };
  const forms = {
    handle: {
      verb: "handle", path: "handling", fields: [{ ...comment, required: true }],
      body: (form) => ({ comment: given(form, "comment"), ...level(form) }),
    },
    feedback: {
      verb: "feedback", path: "feedback",
      fields: [
        { ...comment, name: "report" }, { name: "reading", kind: "line" },
        { name: "person", kind: "line" }, { name: "files", kind: "files" },
      ],
      body: (form) => ({
        comment: given(form, "report"), reading: given(form, "reading"), person: given(form, "person"),
        files: form.getAll("files"), ...level(form),
      }),
    },
    review: {
      verb: "review", path: "review",
      fields: [{ name: "verdict", kind: "select", options: ["approve", "back"] }, comment],
      body: (form) => ({
        approve: form.get("verdict") === "approve", comment: given(form, "comment"), ...level(form),
      }),
    },
    close: {
      verb: "close", path: "closing",
      fields: [{ name: "kind", kind: "select", options: ["real", "false_alarm", "maintenance"] }, comment],
      body: (form) => ({ kind: form.get("kind"), comment: given(form, "comment"), ...level(form) }),
    },
  };
  if (step === "close" && warning.colour === "red") return null;
  return forms[step] ? { step, ...forms[step] } : null;
}
