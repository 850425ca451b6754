#!/usr/bin/env python3
"""What an operator's invoices must say, worked out a second time.

This is written from docs/billing.md and docs/reference-data.md alone and shares nothing with the billing of the project: the whole
world lies in dictionaries, days are counted one by one, and what waits for an invoice lies in a bag of its account. Prices are
rating.py's. Tests hold the outcome against the views of a stack on which the same steps were done.

    billing.py FOLDER

does what FOLDER/steps.json lists, a list of
    {"do": "import", "kind": "plans", "file": "plans.json"}
    {"do": "replay", "file": "events.jsonl"}
    {"do": "rerate", "from": "2026-02-10", "to": "2026-03-25T12:00:00Z", "subscriber": "2126…"}     subscriber is optional
    {"do": "bill", "cycle": "2026-02", "as_of": "2026-03-16T12:00:00Z"}
and writes FOLDER/expected/{invoices,lines,events}.txt: sorted lines with fields between |, an invoice's number being its place in the
order of issue. It takes files that are right, and says nothing of credit notes by hand or of payments.
"""

import csv
import json
import sys
from collections import defaultdict
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import rating

ONE_DAY = timedelta(days=1)
CENT = Decimal("0.01")
NOTHING = Decimal(0)


def cents(amount):
    return amount.quantize(CENT, ROUND_HALF_UP)


class Cycle:
    """The days of one cycle of one account."""

    def __init__(self, cycle_day, year, month):
        self.name = f"{year:04}-{month:02}"
        self.first = date(year, month, cycle_day)
        self.end = date(year + month // 12, month % 12 + 1, cycle_day)

    @staticmethod
    def named(cycle_day, name):
        year, month = name.split("-")
        return Cycle(cycle_day, int(year), int(month))

    @staticmethod
    def around(cycle_day, day):
        """Goes back a day at a time to the day on which the cycle began."""
        while day.day != cycle_day:
            day -= ONE_DAY
        return Cycle(cycle_day, day.year, day.month)

    def days(self):
        return [self.first + number * ONE_DAY for number in range((self.end - self.first).days)]


class Operator:
    """The reference data as they are at the moment, and every event with what became of it."""

    def __init__(self):
        self.settings = {}
        self.tariffs = {}
        self.plans = {}
        self.accounts = {}
        self.subscriptions = defaultdict(dict)
        self.events = {}
        # Units of an allowance that are spent, by number, service and first day of the cycle.
        self.spent = defaultdict(int)
        # For each account the names of its closed cycles.
        self.closed = defaultdict(set)
        # For each account what its next invoice takes along: events that were late, and differences of invoiced charges.
        self.late = defaultdict(dict)
        self.differences = defaultdict(lambda: defaultdict(Decimal))
        self.invoices = []

    # Reference data

    def load(self, kind, path):
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file)) if kind in ("accounts", "subscriptions") else json.load(file)
        getattr(self, f"load_{kind}")(rows)

    def load_operator(self, settings):
        self.settings = settings
        self.zone = ZoneInfo(settings["timezone"])

    def load_tariffs(self, versions):
        for version in versions:
            self.tariffs[version["name"], self.instant(version["valid_from"])] = version

    def load_plans(self, plans):
        for plan in plans:
            self.plans[plan["plan"]] = plan

    def load_accounts(self, rows):
        for row in rows:
            self.accounts[row["account_id"]] = row

    def load_subscriptions(self, rows):
        for row in rows:
            self.subscriptions[row["msisdn"]][row["active_from"]] = row

    # Time

    def instant(self, text):
        """A time, or a date, which is its first instant here; milliseconds since 1970."""
        return self.begin(date.fromisoformat(text)) if len(text) == 10 else rating.milliseconds(text)

    def begin(self, day):
        midnight = datetime.combine(day, time(0), self.zone).astimezone(timezone.utc)
        return (midnight - rating.EPOCH) // timedelta(milliseconds=1)

    def day_of(self, instant):
        return (rating.EPOCH + timedelta(milliseconds=instant)).astimezone(self.zone).date()

    # Events

    def subscription(self, msisdn, day):
        for row in self.subscriptions.get(msisdn, {}).values():
            if date.fromisoformat(row["active_from"]) <= day and (not row["active_to"] or day < date.fromisoformat(row["active_to"])):
                return row
        return None

    def tariff(self, name, instant):
        for (named, valid_from), version in self.tariffs.items():
            if named == name and valid_from <= instant and (version["valid_to"] is None or instant < self.instant(version["valid_to"])):
                return version["tariff"]
        raise LookupError(f"no version of the tariff {name} is in force at {instant}")

    def price(self, event):
        """Prices an event by what is in force, spends its allowance, and returns account, cycle, zone, amount and error."""
        day = self.day_of(event["at"])
        row = self.subscription(event["subscriber"], day)
        if row is None:
            event.update(account="", cycle=None, zone="", amount=None, error="no_subscription", free=0)
            return
        tariff = self.tariff(self.plans[row["plan"]]["tariff"], event["at"])
        cycle = Cycle.around(int(self.accounts[row["account_id"]]["cycle_day"]), day)
        pot = (event["subscriber"], event["service"], cycle.first)
        allowed = sum(entry["amount"] for entry in tariff.get("allowances") or [] if entry["service"] == event["service"])
        charge = rating.price(tariff, event["record"], max(0, allowed - self.spent[pot]))
        event.update(
            account=row["account_id"],
            cycle=cycle.name,
            zone=charge.get("zone", ""),
            amount=charge.get("amount"),
            error=charge.get("error", ""),
            free=charge.get("allowance_used", 0),
            pot=pot,
        )
        self.spent[pot] += event["free"]

    def replay(self, path):
        with open(path, encoding="utf-8") as file:
            records = [json.loads(line) for line in file if line.strip()]
        for record in records:
            at = rating.milliseconds(record["started_at"])
            identity = (record["event_id"].lower(), at)
            if identity in self.events:
                continue
            event = {"record": record, "at": at, "subscriber": record["subscriber"], "service": record["service"], "place": None}
            event["usage"] = int(record["usage"])
            self.events[identity] = event
            self.price(event)
            self.put(identity, event)

    def put(self, identity, event):
        """A charge that is on no invoice waits in its open cycle, or, when that is closed, in the bag of its account."""
        if event["place"] == "late":
            del self.late[event["bag"]][identity]
        event["place"] = None
        if event["amount"] is None:
            return
        if event["cycle"] in self.closed[event["account"]]:
            event.update(place="late", bag=event["account"])
            self.late[event["account"]][identity] = event
        else:
            event["place"] = "open"

    def rerate(self, begin, end, subscriber=None):
        begin, end = self.instant(begin), self.instant(end)
        chosen = [
            (identity, event)
            for identity, event in self.events.items()
            if begin <= event["at"] < end and subscriber in (None, event["subscriber"])
        ]
        for _, event in chosen:
            if event["free"]:
                self.spent[event["pot"]] -= event["free"]
        # Dictionaries keep the order in which events were stored.
        for identity, event in chosen:
            before = event["amount"] or NOTHING
            self.price(event)
            if event["place"] == "issued":
                difference = (event["amount"] or NOTHING) - before
                self.differences[event["account"]][event["subscriber"], event["service"], event["cycle"]] += difference
            else:
                self.put(identity, event)

    # Invoices

    def bill(self, name, as_of):
        as_of = rating.milliseconds(as_of)
        # What an account has, so that nothing is looked through for each of them.
        self.events_of_cycle, self.rows_of_account = defaultdict(list), defaultdict(list)
        for event in self.events.values():
            self.events_of_cycle[event["account"], event["cycle"]].append(event)
        for rows in self.subscriptions.values():
            for row in rows.values():
                self.rows_of_account[row["account_id"]].append(row)
        # Python orders text by code points, which is the order of the bytes of its UTF-8.
        for account_id, account in sorted(self.accounts.items()):
            cycle = Cycle.named(int(account["cycle_day"]), name)
            if name not in self.closed[account_id] and self.begin(cycle.end) <= as_of:
                self.closed[account_id].add(name)
                self.issue(account_id, account, cycle)

    def issue(self, account_id, account, cycle):
        own = [event for event in self.events_of_cycle[account_id, cycle.name] if event["place"] == "open"]
        late = list(self.late.pop(account_id, {}).values())
        differences = self.differences.pop(account_id, {})
        lines = [
            *self.fees(account_id, cycle),
            *usage_lines("usage", own, lambda event: ""),
            *usage_lines("late_usage", late, lambda event: event["cycle"]),
            *(
                {"kind": "credit", "msisdn": msisdn, "service": service, "zone": "", "own_cycle": closed, "quantity": "", "exact": exact}
                for (msisdn, service, closed), exact in differences.items()
                if exact != 0
            ),
        ]
        for event in own + late:
            event["place"] = "issued"
        if not lines:
            return
        for line in lines:
            line["net"] = cents(line["exact"])
        net = sum(line["net"] for line in lines)
        exempt = account["tax_exempt"] == "true"
        tax = NOTHING if exempt else cents(net * Decimal(self.settings["tax_rate"]))
        self.invoices.append(
            {
                "account": account_id,
                "customer": account["name"],
                "cycle": cycle.name,
                "start": self.begin(cycle.first),
                "end": self.begin(cycle.end),
                "net": net,
                "tax": tax,
                "total": net + tax,
                "rounding": sum(line["exact"] - line["net"] for line in lines if line["kind"] != "fee"),
                "lines": lines,
            }
        )

    def fees(self, account_id, cycle):
        days = [day.isoformat() for day in cycle.days()]
        for row in self.rows_of_account[account_id]:
            active = sum(1 for day in days if row["active_from"] <= day < (row["active_to"] or "9999-12-31"))
            if active:
                fee = cents(Decimal(self.plans[row["plan"]]["fee"]) * active / len(days))
                yield {"kind": "fee", "msisdn": row["msisdn"], "service": "", "zone": "", "own_cycle": "", "quantity": active, "exact": fee}

    # Steps

    def do(self, step, folder):
        match step["do"]:
            case "import":
                self.load(step["kind"], folder / step["file"])
            case "replay":
                self.replay(folder / step["file"])
            case "rerate":
                self.rerate(step["from"], step["to"], step.get("subscriber"))
            case "bill":
                self.bill(step["cycle"], step["as_of"])
            case other:
                raise ValueError(f"there is no step {other}")


def usage_lines(kind, events, own_cycle):
    sums = defaultdict(lambda: [0, NOTHING])
    for event in events:
        found = sums[event["subscriber"], event["service"], event["zone"], own_cycle(event)]
        found[0] += event["usage"]
        found[1] += event["amount"]
    for (msisdn, service, zone, closed), (quantity, exact) in sums.items():
        yield {"kind": kind, "msisdn": msisdn, "service": service, "zone": zone, "own_cycle": closed, "quantity": quantity, "exact": exact}


# What is written


def money(amount):
    return f"{amount + 0:.4f}" if amount else "0.0000"


def moment(instant):
    return (rating.EPOCH + timedelta(milliseconds=instant)).strftime("%Y-%m-%d %H:%M:%S.000")


def invoice_rows(operator):
    for number, invoice in enumerate(operator.invoices, 1):
        yield (
            f"{number:08}",
            invoice["account"],
            invoice["customer"],
            invoice["cycle"],
            moment(invoice["start"]),
            moment(invoice["end"]),
            *(money(invoice[name]) for name in ("net", "tax", "total", "rounding")),
            operator.settings["currency"],
        )


def line_rows(operator):
    for number, invoice in enumerate(operator.invoices, 1):
        for line in invoice["lines"]:
            said = (line[name] for name in ("kind", "msisdn", "service", "zone", "own_cycle", "quantity"))
            yield (f"{number:08}", *map(str, said), money(line["net"]))


def event_rows(operator):
    for (event_id, _), event in operator.events.items():
        amount = "" if event["amount"] is None else money(event["amount"])
        yield (event_id, event["account"], event["zone"], amount, event["error"])


def main(arguments):
    folder = Path(arguments[0])
    operator = Operator()
    for step in json.loads((folder / "steps.json").read_text(encoding="utf-8")):
        operator.do(step, folder)
    expected = folder / "expected"
    expected.mkdir(exist_ok=True)
    for name, rows in [("invoices", invoice_rows), ("lines", line_rows), ("events", event_rows)]:
        text = "".join(f"{'|'.join(row)}\n" for row in sorted(rows(operator)))
        (expected / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
