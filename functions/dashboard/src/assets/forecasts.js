// The next hours as forecasts see them: a line in its band for each series, and what may cross a limit.

import { shape, set } from "./charts.js";
import { clockOfHour, moment, percent, short } from "./format.js";
import { element, empty, follow, setData, setText } from "./panels.js";

const WIDTH = 260;
const HEIGHT = 84;

export function forecasts(panel, { forecasts: all, alerts }, now) {
  follow(panel.querySelector(".forecast-list"), all, (forecast) => forecast.series, () => {
    const card = element("li");
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    for (const name of ["band", "limit", "line"]) svg.append(shape("path", { class: name, "vector-effect": "non-scaling-stroke" }));
    const scale = element("p", "scale");
    scale.append(element("time"), element("time"));
    card.append(element("h3"), element("p", "next"), svg, scale, element("p", "made"));
    return card;
  }, (card, forecast) => draw(card, forecast, now));
  follow(panel.querySelector(".forecast-alerts"), alerts, (alert) => `${alert.series} ${alert.above} ${alert.threshold}`, () => {
    const row = element("li");
    row.append(element("span", "badge", "alert"), element("strong"), element("span", "expected"));
    return row;
  }, (row, { above, threshold, unit, expected, ...alert }) => {
    setText(row.children[1], name(alert));
    const at = moment(new Date(expected.time), now);
    setText(row.children[2], `${above ? "rises above" : "falls below"} ${figure(threshold, unit)}: ${figure(expected.value, unit)} expected at ${at}`);
  });
  empty(panel, all.length === 0);
}

function draw(card, forecast, now) {
  const { points, unit, threshold } = forecast;
  const [next] = points;
  setText(card.querySelector("h3"), name(forecast));
  setData(card, "reason", next ? null : "yes");
  if (!next) {
    setText(card.querySelector(".next"), forecast.reason ?? "nothing is expected");
    setText(card.querySelector(".made"), moment(new Date(forecast.made_at), now));
    return;
  }
  const peak = points.reduce((most, point) => (point.value > most.value ? point : most), next);
  setText(card.querySelector(".next"), `${figure(next.value, unit)} next hour · peak ${figure(peak.value, unit)} at ${clockOfHour(new Date(peak.time))}`);
  const [first, last] = card.querySelectorAll("time");
  setText(first, clockOfHour(new Date(next.time)));
  setText(last, clockOfHour(new Date(points.at(-1).time)));
  const held = forecast.coverage == null ? "" : ` · band held ${percent(forecast.coverage)}`;
  setText(card.querySelector(".made"), `${forecast.method.replaceAll("_", " ")} · ${moment(new Date(forecast.made_at), now)}${held}`);

  const values = points.flatMap(({ low, high }) => [low, high]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (n) => ((n / Math.max(1, points.length - 1)) * WIDTH).toFixed(1);
  const y = (value) => (HEIGHT - 3 - ((value - least) / (most - least || 1)) * (HEIGHT - 6)).toFixed(1);
  const path = (of) => points.map((point, n) => `${n ? "L" : "M"}${x(n)} ${y(point[of])}`).join("");
  const back = points.map((point, n) => `L${x(n)} ${y(point.low)}`).reverse().join("");
  const svg = card.querySelector("svg");
  set(svg, { "aria-label": `Forecast of ${name(forecast)} with its band` });
  set(svg.querySelector(".band"), { d: `${path("high")}${back}Z` });
  set(svg.querySelector(".line"), { d: path("value") });
  const crossed = threshold != null && threshold <= most && threshold >= least;
  set(svg.querySelector(".limit"), { d: crossed ? `M0 ${y(threshold)}H${WIDTH}` : "" });
}

function name({ series }) {
  return series.replaceAll("/", " · ").replaceAll("_", " ");
}

function figure(value, unit) {
  // Without a unit it is a count.
  if (!unit) return short(Math.round(value));
  return `${Math.abs(value) < 100 ? value.toFixed(1) : short(Math.round(value))} ${unit}`;
}
