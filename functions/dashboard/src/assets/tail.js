// The live tail: records as they are in Kafka, newest first.

import { clockMillis, count } from "./format.js";
import { element, mark, setText } from "./panels.js";

const TOPICS = ["usage-events", "sensor-readings", "customers"];
/** Records that are kept to be filtered. */
const KEPT = 1000;
/** Rows that are shown. */
const SHOWN = 250;
/** So many records behind, the tail goes on from now. */
const TOO_FAR_BEHIND = 2000;

export class Tail {
  constructor(panel) {
    this.panel = panel;
    this.list = panel.querySelector("#tail");
    this.records = [];
    this.waiting = [];
    this.topics = new Set(TOPICS);
    this.text = "";
    this.cursor = null;
    this.number = 0;
    this.buildControls();
  }

  buildControls() {
    const choices = this.panel.querySelector("#tail-topics");
    for (const topic of TOPICS) {
      const button = element("button", `topic ${topic}`, topic);
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        if (!this.topics.delete(topic)) this.topics.add(topic);
        button.setAttribute("aria-pressed", String(this.topics.has(topic)));
        this.render();
      });
      choices.append(button);
    }
    this.pauseButton = this.panel.querySelector("#tail-pause");
    this.pauseButton.addEventListener("click", () => this.pause(!this.paused));
    const wrap = this.panel.querySelector("#tail-wrap");
    wrap.addEventListener("click", () => {
      const wrapped = this.list.classList.toggle("wrapped");
      wrap.setAttribute("aria-pressed", String(wrapped));
    });
    this.panel.querySelector("#tail-filter").addEventListener("input", (event) => {
      this.text = event.target.value.trim().toLowerCase();
      this.render();
    });
  }

  pause(paused) {
    this.paused = paused;
    this.pauseButton.setAttribute("aria-pressed", String(paused));
    if (!paused) {
      this.take(this.waiting);
      this.waiting = [];
      this.render();
    }
    this.sayPaused();
  }

  sayPaused() {
    const waiting = this.waiting.length;
    setText(this.pauseButton, !this.paused ? "Pause" : waiting ? `Resume (${count(waiting)}${waiting >= KEPT ? "+" : ""} new)` : "Resume");
  }

  /** Asks for what came since the last time. Returns whether there is more to be had at once. */
  async poll(fetchJson) {
    const answer = await fetchJson(this.cursor ? `/api/live?cursor=${encodeURIComponent(this.cursor)}` : "/api/live");
    if (answer.badRequest) {
      this.cursor = null;
      return true;
    }
    this.cursor = answer.cursor;
    const records = answer.records.map((record) => ({ ...record, id: ++this.number, found: `${record.key} ${record.value}`.toLowerCase() }));
    if (answer.behind > TOO_FAR_BEHIND) {
      this.cursor = null;
      records.push({ id: ++this.number, skipped: answer.behind });
    }
    if (this.paused) {
      this.waiting = [...this.waiting, ...records].slice(-KEPT);
      this.sayPaused();
    } else if (records.length) {
      this.take(records);
      this.render();
    }
    mark(this.panel, null);
    return answer.behind > 0;
  }

  take(records) {
    this.records = [...this.records, ...records].slice(-KEPT);
  }

  failed(since) {
    mark(this.panel, since ? `no answer from Kafka · showing ${since}` : "no answer from Kafka");
  }

  /** Adds the rows of new records above those that are there; the rest stays untouched. */
  render() {
    const wanted = this.records
      .filter((record) => record.skipped || (this.topics.has(record.topic) && (!this.text || record.found.includes(this.text))))
      .slice(-SHOWN);
    const ids = new Set(wanted.map((record) => record.id));
    for (const row of [...this.list.children]) {
      if (!ids.has(Number(row.dataset.id))) row.remove();
    }
    const present = new Set([...this.list.children].map((row) => Number(row.dataset.id)));
    let place = this.list.firstElementChild;
    for (const record of wanted.reverse()) {
      if (present.has(record.id)) place = place.nextElementSibling;
      else this.list.insertBefore(row(record), place);
    }
    const empty = this.panel.querySelector("[data-empty]");
    empty.hidden = wanted.length > 0;
    setText(empty, this.records.length ? "No record matches the filter." : "Waiting for records…");
  }
}

function row(record) {
  const item = element("li");
  item.dataset.id = record.id;
  if (record.skipped) {
    item.className = "skipped";
    item.textContent = `${count(record.skipped)} records were left out to keep up`;
    return item;
  }
  const time = element("time", "", clockMillis(new Date(record.timestamp)));
  time.dateTime = record.timestamp;
  time.title = "the time that its producer gave it";
  const place = element("span", "place", `${record.partition}:${record.offset}`);
  place.title = `partition ${record.partition}, offset ${record.offset}`;
  const value = element("code", "", record.value ?? "no value");
  if (record.truncated) value.append(element("em", "", " … cut"));
  item.append(time, element("span", `topic ${record.topic}`, record.topic), place, element("span", "key", record.key ?? ""), value);
  return item;
}
