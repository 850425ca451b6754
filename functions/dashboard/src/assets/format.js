// How figures, times and text are shown.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const twoDecimals = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const threePlaces = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const UNKNOWN = "–";

export function count(value) {
  return value == null ? UNKNOWN : whole.format(value);
}

export function short(value) {
  return value == null ? UNKNOWN : value < 10000 ? whole.format(value) : compact.format(value);
}

export function rate(value) {
  if (value == null) return UNKNOWN;
  return value < 100 ? oneDecimal.format(value) : whole.format(value);
}

export function money(value, currency) {
  return `${twoDecimals.format(value)}${currency ? ` ${currency}` : ""}`;
}

/** A number as it is, to three places. */
export function decimal(value) {
  return value == null ? UNKNOWN : threePlaces.format(value);
}

export function percent(share) {
  return share == null ? UNKNOWN : `${Math.round(share * 100)} %`;
}

export function degrees(value) {
  return value == null ? UNKNOWN : `${oneDecimal.format(value)} °C`;
}

/** A span of time in the two largest units that matter. */
export function span(seconds) {
  if (seconds == null) return UNKNOWN;
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const two = (n) => String(n).padStart(2, "0");

export function clock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function clockMillis(date) {
  return `${clock(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export function hourOf(date) {
  return `${two(date.getHours())}:00`;
}

/** An hour that may be of another day: `Sun 04:00`. */
export function clockOfHour(date) {
  return `${date.toLocaleDateString("en", { weekday: "short" })} ${hourOf(date)}`;
}

/** The time alone for today, with its day before that. */
export function moment(date, now) {
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === now.toDateString()) return clock(date);
  return `${date.toLocaleDateString("en", { day: "numeric", month: "short" })}, ${time}`;
}
