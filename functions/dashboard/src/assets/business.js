// Panels of the business: revenue by cycle, customers who may leave, and the model that says so.

import { count, decimal, moment, money, percent } from "./format.js";
import { element, empty, follow, setData, setText } from "./panels.js";

/** Columns of the revenue table: the field, and whether it is money. */
const REVENUE = [["invoices", false], ["net", true], ["tax", true], ["total", true], ["open_charges", true]];

export function revenue(panel, cycles) {
  const currency = cycles[0]?.currency ?? "";
  setText(panel.querySelector("[data-currency]"), currency);
  follow(panel.querySelector("tbody"), cycles, (cycle) => cycle.cycle, () => {
    const row = element("tr");
    const name = element("th");
    name.scope = "row";
    row.append(name, ...REVENUE.map(([column]) => element("td", `number ${column}`)));
    return row;
  }, (row, cycle) => {
    setText(row.children[0], cycle.cycle);
    REVENUE.forEach(([column, isMoney], n) => {
      setText(row.children[n + 1], isMoney ? money(cycle[column]) : count(cycle[column]));
    });
    setData(row, "open", Number(cycle.open_charges) !== 0 ? "yes" : null);
  });
  empty(panel, cycles.length === 0);
}

export function customers(panel, found, now) {
  follow(panel.querySelector("ol"), found, (customer) => customer.customer_id, () => {
    const row = element("li");
    const what = element("div", "what");
    what.append(element("strong", "customer"), element("span", "seen"));
    const bar = element("span", "bar");
    bar.append(element("span", "fill"));
    row.append(what, bar, element("span", "value"), element("span", "version"), element("ul", "reasons"));
    return row;
  }, (row, customer) => {
    setData(row, "state", customer.churn_predicted ? "critical" : null);
    setText(row.querySelector(".customer"), customer.customer_id);
    const seen = row.querySelector(".seen");
    setText(seen, moment(new Date(customer.observed_at), now));
    seen.title = `observed ${customer.observed_at}, scored ${customer.scored_at}`;
    setText(row.querySelector(".value"), percent(customer.probability));
    setText(row.querySelector(".version"), `model ${customer.model_version}`);
    const width = percent(customer.probability).replace(" ", "");
    const fill = row.querySelector(".fill");
    if (fill.style.width !== width) fill.style.width = width;
    follow(row.querySelector(".reasons"), customer.reasons, (reason) => reason.feature, () => {
      const item = element("li");
      item.append(element("span", "feature"), element("b"));
      return item;
    }, (item, reason) => {
      const leaves = reason.contribution > 0;
      setData(item, "speaks", leaves ? "leave" : "stay");
      item.title = `${leaves ? "speaks for leaving" : "speaks for staying"}: ${decimal(reason.contribution)}`;
      setText(item.firstChild, words(reason.feature));
      setText(item.lastChild, reason.value == null ? "unknown" : typeof reason.value === "number" ? decimal(reason.value) : reason.value);
    });
  });
  empty(panel, found.length === 0);
}

export function model(panel, known, now) {
  const rows = known ? described(known, now) : [];
  follow(panel.querySelector("dl"), rows, ([name]) => name, ([name]) => {
    const row = element("div");
    row.append(element("dt", "", name), element("dd"));
    return row;
  }, (row, [, value]) => setText(row.lastChild, value));
  empty(panel, !known);
}

/** Figures on customers that no model was trained on, with their 95 % intervals. */
const METRICS = [["roc_auc", "ROC AUC"], ["pr_auc", "PR AUC"], ["f1", "F1"], ["log_loss", "Log loss"]];

function described({ version, candidate, trained_at, champion_since, card }, now) {
  const rows = [
    ["Version", `${version} · ${words(candidate)}`],
    ["Trained", moment(new Date(trained_at), now)],
    ["In use since", moment(new Date(champion_since), now)],
  ];
  if (!card) return [...rows, ["Card", "not written yet"]];
  const { data, metrics, intervals, threshold, importances, library, why } = card;
  if (library) rows[0][1] += ` (${library})`;
  if (data) rows.push(["Learned from", `${count(data.trained_on)} customers, ${count(data.trained_on_churned)} left`]);
  if (metrics) {
    for (const [metric, name] of METRICS) {
      const band = intervals?.[metric];
      rows.push([name, `${decimal(metrics[metric])}${band ? ` (${decimal(band.low)} to ${decimal(band.high)})` : ""}`]);
    }
  }
  if (threshold) rows.push(["Predicted to leave from", percent(threshold.probability)]);
  if (importances?.length) rows.push(["What counts most", importances.slice(0, 3).map(([feature, share]) => `${words(feature)} ${percent(share)}`).join(", ")]);
  if (why) rows.push(["Why this one", why]);
  return rows;
}

function words(name) {
  return name.replaceAll("_", " ");
}
