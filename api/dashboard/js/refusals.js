/** Why the server refused, in the reader's language where this page knows the reason. */
import { shortly, since } from "./format.js";
import { t, word } from "./i18n.js";
import { now } from "./servertime.js";

const words = (levels) => levels.split(", ").map(word).join(t("comma"));
/** 30 min or 8 h as the server says it, and 11-22 08:30 UTC. */
const span = (text) => t(text.endsWith("h") ? "hours" : "minutes", { n: parseInt(text, 10) });
const day = (text) => shortly(new Date(`${new Date(now()).getUTCFullYear()}-${text.replace(" ", "T")}Z`));

/** How the server's sentences begin, and what this page says instead. */
const SENTENCES = [
  [/^red still holds: (floor|score|unknown)/, (why) => t(`holds_${why}`)],
  [/^red still holds: not red/, () => t("notRed")],
  [/^red still holds: (.+)/, (why) => t("holds", { why })],
  [/^the colour is (\w+)/, (colour) => t("colourIs", { colour: word(colour).toLowerCase() })],
  [/^nobody has signed/, () => t("nobodySigned")],
  [/^red is released by/, () => t("releasers")],
  [/^red is verified/, () => t("verifiers")],
  [/^only red is verified .*the colour is (\w+)/, (colour) => t("onlyRedVerified", { colour: word(colour).toLowerCase() })],
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
  [/^a shelf needs `until`/, () => t("needsUntil")],
  [/^(P\d) is never shelved/, (priority) => t("neverShelved", { priority })],
  [/^a (P\d) alarm.* may be shelved for (\d+ (?:min|h)) at most/, (priority, most) => t("shelfTooLong", { priority, most: span(most) })],
  [/^the warning of its source is (\w+): it stays loud/, (colour) => t("staysLoud", { colour: word(colour).toLowerCase() })],
  [/^gas, fire and safety-critical alarms need a second/, () => t("graveSecond")],
  [/^P1, P2 and gas alarms need a second/, () => t("severeSecond")],
  [/the second person has to be another/, () => t("otherSecond")],
  [/the second person's name or password is wrong/, () => t("secondWrong")],
  [/the second person does not speak/, () => t("secondElsewhere")],
  [/^\/second_password: is missing/, () => t("secondSilent")],
  [/^it was shelved (\d+) times within a day: .* until (\S+ \S+) UTC/, (n, time) => t("shelvedOften", { n, time: day(time) })],
  [/^only what is of one tag/, () => t("onlyTags")],
  [/^no open permit of (.+?): /, (name) => t("noPermit", { name })],
  [/^the permit has no end/, () => t("endlessPermit")],
  [/^a permit to calibrate takes nothing/, () => t("calibrationOnly")],
  [/^it is the last detector of its zone/, () => t("lastDetector")],
  [/^it is closed: shelve/, () => t("closedShelve")],
  [/^it is closed: its next/, () => t("closedRemove")],
  [/^(?:An alarm|This alarm) is silenced by/, () => t("onlyOwn")],
  [/^This alarm is .+ by the desk of its/, () => t("onlySeen")],
  [/^(?:Only the desks of .+ say|已阅 seen is for)/, () => t("notAbove")],
  [/^[Ii]t is closed.*: 已阅/, () => t("alarmGone")],
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
