// Parts of the page that follow the data: only what changed is touched, so that nothing flickers and selections stay.

import { UNKNOWN, count, degrees, moment, rate, span } from "./format.js";

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setData(element, name, value) {
  if (value == null) {
    if (name in element.dataset) delete element.dataset[name];
  } else if (element.dataset[name] !== value) {
    element.dataset[name] = value;
  }
}

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text != null) made.textContent = text;
  return made;
}

/** Makes the children of a container follow a list: one for each key, in the list's order. */
export function follow(container, items, keyOf, make, update) {
  const rows = (container.rowsByKey ??= new Map());
  const seen = new Set();
  let place = container.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    seen.add(key);
    let row = rows.get(key);
    if (!row) {
      row = make(item);
      rows.set(key, row);
    }
    if (row === place) place = place.nextElementSibling;
    else container.insertBefore(row, place);
    update(row, item);
  }
  for (const [key, row] of rows) {
    if (!seen.has(key)) {
      row.remove();
      rows.delete(key);
    }
  }
}

/** Says on a panel that what it shows is not fresh, or takes that back. */
export function mark(panel, note) {
  setData(panel, "state", note ? "stale" : null);
  setText(panel.querySelector("[data-note]"), note ?? "");
}

export function figure(tile, text, state, hint) {
  setText(tile.querySelector("[data-figure]"), text);
  setData(tile, "state", state);
  if (hint != null) setText(tile.querySelector("[data-hint]"), hint);
}

const TOPIC_COLUMNS = ["produced", "stored", "duplicates", "rejects", "given_up", "lag", "per_second"];

/** A few records are always on their way: behind is what takes some ten seconds to come. */
export function isBehind(lag, perSecond) {
  return lag > Math.max(100, 10 * (perSecond ?? 0));
}

export function topics(body, rows) {
  follow(body, rows, (row) => row.topic, () => {
    const row = element("tr");
    const name = element("th");
    name.scope = "row";
    row.append(name, ...TOPIC_COLUMNS.map((column) => element("td", `number ${column}`)));
    return row;
  }, (row, topic) => {
    setText(row.children[0], topic.topic);
    TOPIC_COLUMNS.forEach((column, n) => {
      const value = topic[column];
      setText(row.children[n + 1], column === "per_second" ? rate(value) : count(value));
    });
    setData(row.querySelector(".rejects"), "state", topic.rejects > 0 ? "warning" : null);
    setData(row.querySelector(".given_up"), "state", topic.given_up > 0 ? "critical" : null);
    setData(row.querySelector(".lag"), "state", isBehind(topic.lag, topic.per_second) ? "warning" : null);
  });
  setData(body.closest("table"), "givenUp", rows.some((topic) => topic.given_up > 0) ? "yes" : null);
}

export function alarms(list, latest, now) {
  follow(list, latest, (alarm) => alarm.alarm_id, () => {
    const row = element("li");
    const what = element("div", "what");
    what.append(element("strong", "sensor"), element("span", "site"));
    const figures = element("div", "figures");
    figures.append(element("span", "peak"), element("time", "opened"));
    row.append(element("span", "badge severity"), what, element("span", "life"), figures);
    return row;
  }, (row, alarm) => {
    const opened = new Date(alarm.opened_at);
    const end = alarm.closed_at ? new Date(alarm.closed_at) : now;
    const lasted = span((end - opened) / 1000);
    setData(row, "open", alarm.closed_at ? null : "yes");
    setData(row, "severity", alarm.severity);
    setText(row.querySelector(".severity"), alarm.severity);
    setText(row.querySelector(".sensor"), alarm.sensor_id);
    setText(row.querySelector(".site"), alarm.site);
    setText(row.querySelector(".peak"), alarm.kind === "temperature" ? degrees(alarm.peak_value) : alarm.kind);
    setText(row.querySelector(".life"), alarm.closed_at ? `closed after ${lasted}` : `open for ${lasted}`);
    const time = row.querySelector(".opened");
    setText(time, moment(opened, now));
    if (time.dateTime !== alarm.opened_at) time.dateTime = alarm.opened_at;
  });
}

/** The platform's own alarms. There is no panel where nobody evaluates them (on AWS, CloudWatch shows them). */
export function platform(panel, told, now) {
  panel.hidden = !told;
  if (!told) return;
  setText(panel.querySelector("[data-watched]"), told.at ? `${count(told.watched)} watched` : "first looked at within a minute");
  follow(panel.querySelector("ol"), told.alarms, (alarm) => alarm.name, () => {
    const row = element("li");
    const what = element("div", "what");
    what.append(element("strong", "alarm"), element("span", "site"));
    row.append(element("span", "badge"), what, element("span", "life"), element("p", "reason"));
    setData(row, "open", "yes");
    return row;
  }, (row, alarm) => {
    setData(row, "severity", alarm.severity);
    setText(row.querySelector(".badge"), alarm.severity);
    setText(row.querySelector(".alarm"), alarm.name);
    setText(row.querySelector(".site"), alarm.meaning);
    setText(row.querySelector(".life"), alarm.since ? `for ${span((now - new Date(alarm.since)) / 1000)}` : "");
    setText(row.querySelector(".reason"), `${alarm.reason}. See ${alarm.runbook}`);
  });
  empty(panel, told.at != null && told.alarms.length === 0);
}

/** Bars of temperature begin at 0 °C and are full at 100 °C. */
const FULL_BAR_C = 100;
const RANK = { critical: 0, warning: 1 };

export function sensors(list, all, now) {
  // Those in alarm first, and else in one order, so that rows stay where they are.
  const rank = (sensor) => RANK[sensor.alarm] ?? 2;
  const sorted = [...all].sort((a, b) => rank(a) - rank(b) || (a.sensor_id < b.sensor_id ? -1 : 1));
  follow(list, sorted, (sensor) => sensor.sensor_id, () => {
    const row = element("li");
    const what = element("div", "what");
    what.append(element("strong", "sensor"), element("span", "site"));
    const bar = element("span", "bar");
    bar.append(element("span", "fill"));
    row.append(what, bar, element("span", "value"), element("span", "when"));
    return row;
  }, (row, sensor) => {
    const state = sensor.alarm ?? (sensor.silent ? "silent" : null);
    setData(row, "state", state);
    setText(row.querySelector(".sensor"), sensor.sensor_id);
    setText(row.querySelector(".site"), sensor.site || UNKNOWN);
    setText(row.querySelector(".value"), degrees(sensor.temperature_c));
    const age = (now - new Date(sensor.measured_at)) / 1000;
    setText(row.querySelector(".when"), sensor.silent ? `silent ${span(age)}` : age < 1 ? "now" : `${span(age)} ago`);
    const width = `${Math.min(100, Math.max(0, (sensor.temperature_c / FULL_BAR_C) * 100)).toFixed(1)}%`;
    const fill = row.querySelector(".fill");
    if (fill.style.width !== width) fill.style.width = width;
  });
}

export function empty(panel, isEmpty) {
  const note = panel.querySelector("[data-empty]");
  if (note.hidden === isEmpty) note.hidden = !isEmpty;
}
