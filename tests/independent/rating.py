#!/usr/bin/env python3
"""What a usage event costs, worked out a second time.

This is written from docs/tariffs.md alone, in the plainest way that came to mind, and shares nothing with the engine in
crates/domain: fractions instead of ticks, minute after minute and increment after increment instead of edges and steps.
Tests hold the two against each other. It asks for a tariff file that is right, and an event of the topic usage-events.

As a module:   price(tariff, event, allowance_left) -> charge, a dict; one with an "error" when there is no price
As a program:  one {"tariff": …, "event": …, "allowance_left": …} a line on stdin, one charge a line on stdout;
               with --tariff FILE, one event a line, allowances by calendar month as `millrace rate` spends them
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from zoneinfo import ZoneInfo

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MINUTE = 60_000
# What stores hold: 18 digits, 4 of them decimals.
LARGEST = Decimal("99999999999999.9999")


def price(tariff, event, allowance_left=0):
    """Prices one event. `allowance_left` units of its service are still free for its number in its cycle."""
    usage = int(event["usage"])
    rates = rates_of_longest_prefix(tariff, event)
    voice = event["service"] == "voice"
    start = milliseconds(event["started_at"])

    # The rate of every minute of the event: timings change with a minute of the clock, and clocks are put forward and back at
    # full minutes. An event without length has the instant at which it starts.
    end = start + 1000 * usage if voice and usage > 0 else start + 1
    by_minute = {}
    for minute in range(start // MINUTE, (end - 1) // MINUTE + 1):
        rate = rate_at(tariff, rates, minute)
        if rate is None:
            return {"event_id": event["event_id"], "error": "no_rate"}
        by_minute[minute] = rate

    def rate_of(unit):
        return by_minute[(start + 1000 * unit) // MINUTE] if voice else by_minute[start // MINUTE]

    spans = []
    for first, last, rate in stretches(start, usage, by_minute, voice):
        if spans and spans[-1]["rate"] is rate:
            spans[-1]["end"] = last
        else:
            spans.append({"rate": rate, "begin": first, "end": last, "charged": 0, "cost": Fraction(0)})
    first_rate = spans[0]["rate"]

    free = min(allowance_left, usage)
    fee = Fraction(first_rate["connect_fee"]) if free < usage else Fraction(0)
    position = free
    at = 0
    while position < usage:
        while position >= spans[at]["end"]:
            at += 1
        rate = rate_of(position)
        assert rate is spans[at]["rate"]
        step, next_from = step_at(rate, position)
        increments = 1
        if not voice:
            # All increments of the step cost the same, and there may be millions.
            stop = usage if next_from is None else min(usage, next_from)
            increments = ceil(Fraction(stop - position, step["increment"]))
        units = increments * step["increment"]
        spans[at]["charged"] += units
        spans[at].setdefault("at_price", {}).setdefault((step["price"], step["per"]), 0)
        spans[at]["at_price"][(step["price"], step["per"])] += units
        position += units
    for span in spans:
        for (of_step, per), units in span.get("at_price", {}).items():
            span["cost"] += Fraction(of_step) * units / per

    total = fee + sum(span["cost"] for span in spans)
    limited = first_rate.get("max_cost") is not None and total > Fraction(first_rate["max_cost"])
    if limited:
        if first_rate["after_max"] == "reject":
            return {"event_id": event["event_id"], "error": "max_cost"}
        total = Fraction(first_rate["max_cost"])
        fee = min(fee, total)
    amount = rounded(total, first_rate["rounding"], first_rate["decimals"])
    if amount > LARGEST:
        return {"event_id": event["event_id"], "error": "too_large"}
    zone = first_rate.get("zone")
    return {
        "event_id": event["event_id"],
        "amount": amount,
        "currency": tariff["currency"],
        "connect_fee": fee,
        "allowance_used": free,
        "zone": zone if zone is not None else digits(first_rate["prefix"]) or "all",
        # What lies behind a limit is free: these say what it would have cost.
        "limited": limited,
        "spans": [
            {
                "timing": span["rate"]["timing"],
                "units": span["end"] - span["begin"],
                "charged_units": span["charged"],
                "amount": span["cost"],
            }
            for span in spans
        ],
    }


def rates_of_longest_prefix(tariff, event):
    destination = digits(event.get("destination") or "") if event["service"] != "data" else ""
    roaming = bool(event.get("roaming"))
    matching = [
        rate
        for rate in tariff["rates"]
        if rate["service"] == event["service"]
        and rate.get("roaming") in (None, roaming)
        and destination.startswith(digits(rate["prefix"]))
    ]
    longest = max((len(digits(rate["prefix"])) for rate in matching), default=0)
    return [rate for rate in matching if len(digits(rate["prefix"])) == longest]


def digits(number):
    return number.removeprefix("+")


def rate_at(tariff, rates, minute):
    """The rate that holds in a minute of UTC, counted from 1970."""
    clock = wall_clock(tariff["timezone"], minute)
    holding = [rate for rate in rates if holds(tariff["timings"][rate["timing"]], clock)]
    return max(holding, key=lambda rate: rate["weight"], default=None)


@lru_cache(maxsize=200_000)
def wall_clock(name, minute):
    return (EPOCH + timedelta(minutes=minute)).astimezone(ZoneInfo(name))


def holds(timing, clock):
    of_day = f"{clock.hour:02}:{clock.minute:02}"
    checks = [
        ("weekdays", lambda days: WEEKDAYS[clock.weekday()] in days),
        ("from", lambda begin: begin <= of_day),
        ("to", lambda end: of_day < end),
        ("months", lambda months: clock.month in months),
        ("month_days", lambda days: clock.day in days),
        ("years", lambda years: clock.year in years),
    ]
    return all(timing.get(key) is None or check(timing[key]) for key, check in checks)


def stretches(start, usage, by_minute, voice):
    """The units that begin in each minute, as (first, behind the last, rate)."""
    if not voice or usage == 0:
        yield 0, usage, by_minute[start // MINUTE]
        return
    for minute, rate in by_minute.items():
        first = max(0, ceil(Fraction(minute * MINUTE - start, 1000)))
        behind = min(usage, ceil(Fraction((minute + 1) * MINUTE - start, 1000)))
        if first < behind:
            yield first, behind, rate


def step_at(rate, position):
    """The step of a unit, and where the next one begins."""
    steps = rate["steps"]
    at = max(number for number, step in enumerate(steps) if step["from"] <= position)
    return steps[at], steps[at + 1]["from"] if at + 1 < len(steps) else None


def rounded(amount, rounding, decimals):
    scaled = amount * 10**decimals
    whole = {"up": ceil, "down": floor, "half_up": lambda value: floor(value + Fraction(1, 2))}[rounding](scaled)
    return Decimal(whole).scaleb(-decimals)


@lru_cache(maxsize=100_000)
def milliseconds(text):
    """Since 1970, cut to the millisecond."""
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // timedelta(milliseconds=1)


class Month:
    """Allowances as `millrace rate` spends them: by number, service and calendar month of the tariff's time zone."""

    def __init__(self, tariff):
        self.tariff = tariff
        self.amounts = {entry["service"]: entry["amount"] for entry in tariff.get("allowances") or []}
        self.spent = {}

    def price(self, event):
        clock = wall_clock(self.tariff["timezone"], milliseconds(event["started_at"]) // MINUTE)
        key = (event["subscriber"], event["service"], clock.year, clock.month)
        spent = self.spent.get(key, 0)
        charge = price(self.tariff, event, max(0, self.amounts.get(event["service"], 0) - spent))
        self.spent[key] = spent + charge.get("allowance_used", 0)
        return charge


def to_json(value):
    if isinstance(value, Fraction):
        return str(rounded(value, "half_up", 8))
    return str(value)


def main(arguments):
    month = None
    if arguments:
        with open(arguments[arguments.index("--tariff") + 1], encoding="utf-8") as file:
            month = Month(json.load(file))
    for line in sys.stdin:
        asked = json.loads(line)
        if month is not None:
            charge = month.price(asked)
        else:
            charge = price(asked["tariff"], asked["event"], asked["allowance_left"])
        sys.stdout.write(json.dumps(charge, default=to_json) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
