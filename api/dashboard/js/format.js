/** Numbers and times for people: local time, 24 hours, the offset said once. */
import { now } from "./servertime.js";

const two = (n) => String(n).padStart(2, "0");

/** hh:mm:ss */
export function clock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** yyyy-mm-dd hh:mm:ss */
export function moment(date) {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(date)}`;
}

/** UTC+08:00 */
export function offset(date = new Date()) {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** mm-dd hh:mm:ss */
export function dayClock(date) {
  return moment(date).slice(5);
}

/** hh:mm, with mm-dd before it where that is not today. */
export function shortly(date) {
  const text = dayClock(date);
  return text.slice(text.slice(0, 5) === dayClock(new Date(now())).slice(0, 5) ? 6 : 0, 11);
}

/** hh:mm:ss, with mm-dd before it where that is not today. */
export function since(date) {
  return `${shortly(date)}${dayClock(date).slice(11)}`;
}

/** 45s, 12m03s, 3h12m or 2d03h: never to be mistaken for a time of day. */
export function duration(milliseconds) {
  const s = Math.max(0, Math.floor(milliseconds / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(s / unit));
  if (minutes === 0) return `${s}s`;
  if (hours === 0) return `${minutes}m${two(s % 60)}s`;
  return days === 0 ? `${hours}h${two(minutes % 60)}m` : `${days}d${two(hours % 24)}h`;
}

/** A reading with at most five significant digits; a dash where there is none. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  return String(Number(value.toPrecision(5)));
}

/** A reading with its unit. */
export function reading(value, unit) {
  return value === null || value === undefined ? "–" : `${number(value)} ${unit ?? ""}`.trim();
}
