// Asks for figures and records, and says clearly when there is no answer.

import { customers, model, revenue } from "./business.js";
import { HourChart, sparkline } from "./charts.js";
import { clock, count, rate, short, span } from "./format.js";
import { forecasts } from "./forecasts.js";
import { alarms, empty, figure, isBehind, mark, platform, sensors, setData, setText, topics } from "./panels.js";
import { Tail } from "./tail.js";

const OVERVIEW_EVERY = 1500;
const TAIL_EVERY = 1000;
/** Documents that the cache writes once a minute. */
const BUSINESS_EVERY = 15000;
const PATIENCE = 6000;
/** Without an answer for so long, what is shown is called stale. */
const STALE_AFTER = 6000;
const BUSINESS_STALE_AFTER = 40000;
const SPARK_SECONDS = 120;

const $ = (id) => document.getElementById(id);
const chart = new HourChart($("usage-chart"), $("usage-legend"));
const tail = new Tail($("panel-tail"));
const panels = ["topics", "usage", "alarms", "sensors"].map((name) => $(`panel-${name}`));
const businessPanels = ["revenue", "churn", "model", "forecasts", "platform"].map((name) => $(`panel-${name}`));
const NAMES = { mysql: "MySQL", documents: "The document database", kafka: "Kafka" };

let samples = [];
let lastProduced = null;
let lastAnswer = null;
let lastTail = null;
let problems = [];
let failure = null;
/** The server's clock less this one: ages are told by the server's. */
let clockOffset = 0;
const freshness = {};
let businessAsked = false;

async function fetchJson(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE), cache: "no-store", headers: { accept: "application/json" } });
  if (answer.status === 401) {
    location.assign("/sign-in");
    throw new Error("signed out");
  }
  if (answer.status === 400) return { badRequest: true };
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `status ${answer.status}`);
  return answer.json();
}

/** Does the work again and again, so long after it began last; at once when it says that there is more. */
async function repeat(every, work) {
  for (;;) {
    const begun = performance.now();
    let more = false;
    if (!document.hidden) more = await work();
    const left = more ? 50 : Math.max(100, every - (performance.now() - begun));
    await new Promise((done) => setTimeout(done, left));
  }
}

async function refresh() {
  try {
    const overview = await fetchJson("/api/overview");
    lastAnswer = new Date();
    failure = null;
    clockOffset = new Date(overview.at) - lastAnswer;
    problems = overview.problems;
    show(overview);
  } catch (error) {
    failure = error;
  }
  tick();
}

function show(overview) {
  const now = new Date(overview.at);
  const total = (what) => overview.topics.reduce((sum, topic) => (topic[what] == null ? sum : (sum ?? 0) + topic[what]), null);
  const lag = total("lag");
  sample(overview.topics[0]?.produced, now);
  figure($("tile-rate"), rate(overview.events_per_second));
  figure($("tile-stored"), short(total("stored")), null, `of ${short(total("produced"))} produced`);
  figure($("tile-lag"), short(lag), isBehind(lag, total("per_second")) ? "warning" : null);
  const { age_seconds: age, stale } = overview.cache;
  const hint = problems.includes("documents") ? "no answer" : age == null ? "not filled yet" : "refreshed each minute";
  figure($("tile-cache"), span(age), stale ? "warning" : null, hint);

  keep("topics", overview.topics.some((topic) => topic.stored != null || topic.produced != null), () => topics($("topics"), overview.topics));
  keep("usage", overview.usage, () => chart.show(overview.usage));
  keep("alarms", overview.alarms, () => {
    const { open, latest } = overview.alarms;
    const worst = latest.filter((alarm) => !alarm.closed_at).some((alarm) => alarm.severity === "critical") ? "critical" : "warning";
    figure($("tile-alarms"), count(open), open > 0 ? worst : null, open > 0 ? `worst: ${worst}` : "all is quiet");
    alarms($("alarms"), latest, now);
    empty($("panel-alarms"), latest.length === 0);
  });
  keep("sensors", overview.sensors, () => {
    sensors($("sensors"), overview.sensors, now);
    empty($("panel-sensors"), overview.sensors.length === 0);
  });
}

/** Shows a part that came, or leaves what is there and says how old it is. */
function keep(name, part, draw) {
  if (part) {
    freshness[name] = new Date();
    draw();
  }
}

/** Notes how many records came since the last time. */
function sample(produced, now) {
  if (produced != null && lastProduced && produced >= lastProduced.produced) {
    const seconds = (now - lastProduced.at) / 1000;
    if (seconds > 0) samples.push({ at: now, value: (produced - lastProduced.produced) / seconds });
  }
  lastProduced = produced == null ? null : { produced, at: now };
  samples = samples.filter((sample) => now - sample.at < SPARK_SECONDS * 1000);
  sparkline($("sparkline"), samples, now);
}

/** Says how fresh the page is. */
function tick() {
  const now = new Date();
  const silence = lastAnswer ? now - lastAnswer : null;
  const lost = failure && (silence == null || silence > STALE_AFTER);
  const state = lost ? "error" : problems.length ? "warning" : lastAnswer ? "live" : "waiting";
  setData($("status"), "state", state);
  const text = {
    error: lastAnswer ? `No answer since ${clock(lastAnswer)}` : "No answer",
    warning: "Partly out of date",
    live: `Live · ${clock(new Date(now.getTime() + clockOffset))}`,
    waiting: "Connecting…",
  }[state];
  setText($("status").querySelector(".text"), text);
  const notice = $("notice");
  const missing = problems.map((store) => NAMES[store] ?? store);
  const message = lost
    ? `The dashboard does not answer${failure.message ? ` (${failure.message})` : ""}. ${lastAnswer ? `What you see is from ${clock(lastAnswer)}.` : ""} Trying again.`
    : missing.length
      ? `${missing.join(" and ")} ${missing.length > 1 ? "do" : "does"} not answer. What depends on ${missing.length > 1 ? "them" : "it"} is kept as it was.`
      : "";
  setData($("tiles"), "state", lost ? "stale" : null);
  setText(notice, message);
  notice.hidden = !message;
  for (const panel of panels) age(panel, now, STALE_AFTER, lastAnswer != null || lost);
  for (const panel of businessPanels) age(panel, now, BUSINESS_STALE_AFTER, businessAsked);
}

/** Marks a panel whose data are old, or which has none though they were asked for. */
function age(panel, now, staleAfter, asked) {
  const fresh = freshness[panel.id.replace("panel-", "")];
  const old = fresh ? now - fresh > staleAfter : asked;
  mark(panel, old ? (fresh ? `as of ${clock(fresh)}` : "no data yet") : null);
}

/** What changes by the minute: each part by itself, so that one that fails leaves the others. */
async function business() {
  const now = () => new Date(Date.now() + clockOffset);
  const parts = {
    "/api/revenue": ({ cycles }) => keep("revenue", cycles, () => revenue($("panel-revenue"), cycles)),
    "/api/churn": (churn) => {
      keep("churn", churn.customers, () => customers($("panel-churn"), churn.customers, now()));
      keep("model", churn, () => model($("panel-model"), churn.model, now()));
    },
    "/api/platform-alarms": (told) => keep("platform", told, () => platform($("panel-platform"), told.platform, now())),
    "/api/forecasts": (found) => keep("forecasts", found.forecasts, () => forecasts($("panel-forecasts"), found, now())),
  };
  await Promise.allSettled(Object.entries(parts).map(async ([path, show]) => show(await fetchJson(path))));
  businessAsked = true;
  tick();
}

async function follow() {
  try {
    const more = await tail.poll(fetchJson);
    lastTail = new Date();
    return more;
  } catch {
    tail.failed(lastTail && clock(lastTail));
    return false;
  }
}

for (const button of document.querySelectorAll("[data-measure]")) {
  button.addEventListener("click", () => {
    for (const other of document.querySelectorAll("[data-measure]")) other.setAttribute("aria-pressed", String(other === button));
    chart.by(button.dataset.measure);
  });
}

setInterval(tick, 1000);
repeat(OVERVIEW_EVERY, refresh);
repeat(TAIL_EVERY, follow);
repeat(BUSINESS_EVERY, business);
