// Charts, drawn as SVG: a line of the last figures, and bars by hour.

import { hourOf, money, short, count } from "./format.js";
import { element, follow, setText } from "./panels.js";

const SVG = "http://www.w3.org/2000/svg";

export function shape(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  set(made, attributes);
  return made;
}

export function set(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value);
    if (target.getAttribute(name) !== text) target.setAttribute(name, text);
  }
}

/** A line over the figures `[{at, value}]`, from the first one until now. */
export function sparkline(svg, samples, now) {
  const [width, height] = [300, 48];
  set(svg, { viewBox: `0 0 ${width} ${height}` });
  const line = svg.querySelector(".line") ?? svg.appendChild(shape("path", { class: "line", "vector-effect": "non-scaling-stroke" }));
  const area = svg.querySelector(".area") ?? svg.insertBefore(shape("path", { class: "area" }), line);
  if (samples.length < 2) {
    set(line, { d: "" });
    set(area, { d: "" });
    return;
  }
  const span = now - samples[0].at;
  const most = 1.1 * Math.max(1, ...samples.map((sample) => sample.value));
  const points = samples.map(({ at, value }) => {
    const x = width - ((now - at) / span) * width;
    return [x.toFixed(1), (height - 2 - (value / most) * (height - 6)).toFixed(1)];
  });
  const path = points.map(([x, y], n) => `${n ? "L" : "M"}${x} ${y}`).join("");
  set(line, { d: path });
  set(area, { d: `${path}L${points.at(-1)[0]} ${height}L${points[0][0]} ${height}Z` });
}

const SERVICES = ["voice", "sms", "data"];
const HEIGHT = 220;
const MARGIN = { top: 10, right: 4, bottom: 24, left: 48 };

/** Steps of 1, 2 or 5 times a power of ten, so that about four lines reach `most`. */
function ticks(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const lines = [];
  for (let value = 0; value < most + step; value += step) lines.push(value);
  return lines;
}

/** Stacked bars of the services' usage by hour. */
export class HourChart {
  constructor(container, legend) {
    this.container = container;
    this.legend = legend;
    this.svg = shape("svg", { role: "img", "aria-label": "Usage by hour, by service" });
    this.grid = this.svg.appendChild(shape("g", { class: "grid" }));
    this.bars = this.svg.appendChild(shape("g", { class: "bars" }));
    this.labels = this.svg.appendChild(shape("g", { class: "labels" }));
    this.readout = element("p", "readout");
    container.append(this.svg, this.readout);
    for (const service of SERVICES) {
      const item = element("span", `key ${service}`, service);
      legend.append(item);
    }
    this.measure = "events";
    this.chosen = null;
    new ResizeObserver(() => this.draw()).observe(container);
    this.svg.addEventListener("pointermove", (event) => this.choose(event));
    this.svg.addEventListener("pointerdown", (event) => this.choose(event));
    this.svg.addEventListener("pointerleave", () => this.choose(null));
  }

  show(usage) {
    this.currency = usage.currency;
    const first = new Date(usage.since).getTime();
    this.hours = Array.from({ length: 24 }, (_, n) => ({ at: first + n * 3600000, events: {}, amount: {} }));
    for (const sum of usage.hours) {
      const hour = this.hours[Math.round((new Date(sum.hour).getTime() - first) / 3600000)];
      if (!hour) continue;
      hour.events[sum.service] = sum.events;
      hour.amount[sum.service] = Number(sum.amount);
    }
    this.draw();
  }

  by(measure) {
    this.measure = measure;
    this.draw();
  }

  choose(event) {
    const slot = event && this.slot ? Math.floor((event.clientX - this.svg.getBoundingClientRect().left - MARGIN.left) / this.slot) : -1;
    this.chosen = slot >= 0 && slot < 24 ? slot : null;
    this.draw();
  }

  draw() {
    const width = this.container.clientWidth;
    if (!this.hours || width === 0) return;
    const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
    this.slot = inner.width / 24;
    set(this.svg, { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT });
    const total = (hour) => SERVICES.reduce((sum, service) => sum + (hour[this.measure][service] ?? 0), 0);
    const lines = ticks(Math.max(1, ...this.hours.map(total)));
    const y = (value) => MARGIN.top + inner.height * (1 - value / lines.at(-1));
    this.drawGrid(lines, y, width);
    this.drawBars(y);
    this.drawLabels();
    this.say(total);
  }

  drawGrid(lines, y, width) {
    follow(this.grid, lines, (value) => value, () => {
      const line = shape("g");
      line.append(shape("line"), shape("text", { "text-anchor": "end" }));
      return line;
    }, (line, value) => {
      const at = y(value).toFixed(1);
      set(line.firstChild, { x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at });
      set(line.lastChild, { x: MARGIN.left - 8, y: Number(at) + 4 });
      setText(line.lastChild, short(value));
    });
  }

  drawBars(y) {
    const bars = this.hours.flatMap((hour, n) => {
      let below = 0;
      return SERVICES.map((service) => {
        const value = hour[this.measure][service] ?? 0;
        const bar = { n, service, at: hour.at, top: y(below + value), bottom: y(below) };
        below += value;
        return bar;
      });
    });
    const gap = this.slot > 14 ? 0.28 : 0.16;
    follow(this.bars, bars, (bar) => `${bar.at}${bar.service}`, (bar) => shape("rect", { class: bar.service }), (rect, bar) => {
      set(rect, {
        x: (MARGIN.left + this.slot * (bar.n + gap / 2)).toFixed(1),
        width: (this.slot * (1 - gap)).toFixed(1),
        y: bar.top.toFixed(1),
        height: Math.max(0, bar.bottom - bar.top).toFixed(1),
        opacity: this.chosen == null || this.chosen === bar.n ? 1 : 0.35,
      });
    });
  }

  drawLabels() {
    const every = this.slot < 20 ? 6 : 3;
    const labelled = this.hours.map((hour, n) => ({ n, date: new Date(hour.at) })).filter(({ date }) => date.getHours() % every === 0);
    follow(this.labels, labelled, ({ date }) => date.getTime(), () => shape("text", { "text-anchor": "middle" }), (text, { n, date }) => {
      set(text, { x: (MARGIN.left + this.slot * (n + 0.5)).toFixed(1), y: HEIGHT - 6 });
      setText(text, hourOf(date));
    });
  }

  /** Spells out the chosen hour, or the last one. */
  say(total) {
    const hour = this.hours[this.chosen ?? 23];
    const shown = (value, currency) => (this.measure === "amount" ? money(value, currency) : count(value));
    const parts = SERVICES.map((service) => `${service} ${shown(hour[this.measure][service] ?? 0)}`);
    const from = new Date(hour.at);
    const to = new Date(hour.at + 3600000);
    setText(this.readout, `${hourOf(from)}–${hourOf(to)} · ${shown(total(hour), this.currency)} · ${parts.join(" · ")}`);
  }
}
