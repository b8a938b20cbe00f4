/** What a person may do with an alarm: the enterprise's desk handles it, those above it see it 已阅. Pure. */
import { isActive, isOpen, isResettable, isUnacked } from "./alarms.js";

const ABOVE = ["province", "city", "county", "park"];

/** What this level has said of an alarm, undefined where it has not seen it. */
export const seenBy = (alarm, level) => (alarm.seen ?? []).find((one) => one.level === level);

/** The highest of these levels above the enterprise; undefined where there is none. */
export const overseer = (levels) => ABOVE.find((level) => levels.includes(level));

/** The verbs that make sense now for somebody who speaks for these levels, the first thing to do first. */
export function verbs(alarm, levels) {
  const [own, above] = [levels.includes("enterprise"), overseer(levels)];
  const live = isOpen(alarm);
  const wanted = [
    ["acknowledge", own && isUnacked(alarm)],
    ["reset", own && isResettable(alarm)],
    ["see", above && live && !seenBy(alarm, above)],
    ["unshelve", own && alarm.shelved],
    ["shelve", own && live && !alarm.shelved && alarm.priority !== "P1"],
    ["return_to_service", own && alarm.out_of_service],
    ["remove_from_service", own && isActive(alarm) && alarm.tag && !alarm.out_of_service],
  ];
  return wanted.filter(([, holds]) => holds).map(([verb]) => verb);
}

/** Gas, fire, and P1 or P2 out of service: a second person has to agree. */
export function needsSecond(verb, { priority, class: named = "" }, grave) {
  const severe = grave || /^(GAS|FIRE|O2)/.test(named);
  return severe || (verb === "remove_from_service" && ["P1", "P2"].includes(priority));
}
