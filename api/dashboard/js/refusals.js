/** Why the server refused, in the reader's language where this page knows the reason. */
import { since } from "./format.js";
import { t, word } from "./i18n.js";

const words = (levels) => levels.split(", ").map(word).join(t("comma"));

/** How the server's sentences begin, and what this page says instead. */
const SENTENCES = [
  [/^red still holds: (floor|score|unknown)/, (why) => t(`holds_${why}`)],
  [/^red still holds: not red/, () => t("notRed")],
  [/^red still holds: (.+)/, (why) => t("holds", { why })],
  [/^the colour is (\w+)/, (colour) => t("colourIs", { colour: word(colour).toLowerCase() })],
  [/^nobody has signed/, () => t("nobodySigned")],
  [/^red is released by/, () => t("releasers")],
  [/^(?:No role of this person speaks|no level of the ladder)/, () => t("noLevel")],
  [/^This person speaks for (.+), not for (\w+)/, (held, wanted) => (
    t("otherLevel", { held: words(held), wanted: word(wanted) }))],
  [/^The warning is closed .*since (\S+)\.$/, (time) => t("closedSince", { time: since(new Date(time)) })],
  [/^nobody deals with it yet/, () => t("nobodyHandles")],
  [/^nothing is reported since/, () => t("nothingReported")],
  [/^the feedback is not reviewed/, () => t("notReviewed")],
  [/^it has been fed back/, () => t("alreadyReported")],
  [/^[Tt]he feedback is empty/, () => t("emptyFeedback")],
  [/^the feedback repeats/, () => t("repeatedFeedback")],
  [/^there is no feedback that waits/, () => t("nothingToReview")],
  [/^who fed back does not review/, () => t("ownFeedback")],
  [/^say what is missing/, () => t("sayMissing")],
  [/^a false alarm/, () => t("falseNeedsReason")],
  [/^a second person has to close it, too: (.+) alone/, (by) => t("secondNeeded", { by })],
  [/^the source is red/, () => t("releaseFirst")],
  [/^the loop is complete/, () => t("loopComplete")],
  [/^fire and rescue/, () => t("fireMayNot")],
  [/^no warning /, () => t("noCase")],
  [/^no open alarm /, () => t("alarmGone")],
  [/^acknowledge it first/, () => t("ackFirst")],
  [/^nothing to reset/, () => t("nothingToReset")],
  [/^It was found afterwards/, () => t("fromStore")],
  [/^The key was used before/, () => t("keyUsed")],
];
const TYPES = {
  "not-found": "notFound", "database-away": "databaseAway", "too-many-logins": "tooManyLogins",
};

/** What to tell of a problem (RFC 9457) or of a refusal by the worker; its own text where unknown. */
export function refusal({ type = "", title, detail = title }) {
  for (const [pattern, told] of SENTENCES) {
    const found = pattern.exec(detail);
    if (found) return told(...found.slice(1));
  }
  const known = TYPES[type.split("/").at(-1)];
  return known ? t(known) : detail;
}
