#!/usr/bin/env python3
"""Makes the golden months: an operator with 200 accounts whose 100,000 events meet whatever billing has to get right.

    golden_world.py FOLDER

writes reference files, events and steps.json (billing.py tells its form) to the folder; the same bytes each time. The clocks of
Africa/Casablanca go back on 2026-02-15 at 03:00 and forward on 2026-03-22 at 02:00, those of Europe/Paris forward on 2026-03-29.
"""

import csv
import json
import random
import sys
import uuid
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

SEED = 20260215
ZONE = ZoneInfo("Africa/Casablanca")
DAY = timedelta(days=1)
# Cycles begin on the days on which the clocks change, on days beside them, and on days of the month that each month has.
CYCLE_DAYS = [1, 2, 5, 10, 14, 15, 16, 17, 21, 22, 23, 28]
MEGABYTE = 1_048_576

OPERATOR = {
    "name": "Golden Telecom",
    "address": ["12 boulevard de la Mer", "Casablanca"],
    "currency": "MAD",
    "timezone": "Africa/Casablanca",
    "tax_rate": "0.20",
    "invoice_prefix": "GM",
    "payment_days": 30,
}


# Tariffs


def rate(service, prefix, steps, **more):
    """Steps as (from, price, per, increment)."""
    keys = ("from", "price", "per", "increment")
    whole = {"service": service, "prefix": prefix, "timing": "any", "weight": 10, "connect_fee": "0"}
    whole["steps"] = [dict(zip(keys, step)) for step in steps]
    return {**whole, "rounding": "up", "decimals": 4, **more}


def day_tariff(peak, off_peak, free_seconds):
    """Peak hours by Casablanca's clocks; calls to mobiles cost more in the first minute."""
    return {
        "currency": "MAD",
        "timezone": "Africa/Casablanca",
        "timings": {
            "any": {},
            "peak": {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "19:00"},
            "night": {"from": "01:00", "to": "04:30"},
        },
        "rates": [
            rate("voice", "", [(0, "4.5", 60, 30)], connect_fee="0.25", zone="abroad", rounding="half_up", decimals=2),
            rate("voice", "212", [(0, off_peak, 60, 10)], zone="national"),
            rate("voice", "212", [(0, peak, 60, 10)], timing="peak", weight=20, zone="national", connect_fee="0.05"),
            rate("voice", "2126", [(0, "1.1", 60, 60), (60, off_peak, 60, 1)], weight=10, zone="mobile", connect_fee="0.10"),
            rate("voice", "2126", [(0, peak, 60, 20)], timing="night", weight=30, zone="mobile night", rounding="down", decimals=3),
            rate("voice", "", [(0, "11", 60, 60)], roaming=True, zone="roaming", weight=40),
            rate("sms", "", [(0, "0.35", 1, 1)], zone="messages", decimals=2),
            rate("sms", "33", [(0, "0.9999", 1, 1)], zone="messages abroad"),
            rate("data", "", [(0, "0.0375", MEGABYTE, 10_240)], roaming=False),
            rate("data", "", [(0, "1.99", MEGABYTE, 102_400)], roaming=True, zone="data roaming", max_cost="40", after_max="free"),
        ],
        "allowances": [
            {"service": "voice", "amount": free_seconds},
            {"service": "sms", "amount": 7},
            {"service": "data", "amount": 30 * MEGABYTE},
        ],
    }


def world_tariff(france, whole):
    """Weekends by Paris's clocks; without `whole` it lacks prices for Asia. The first premium numbers are refused above a limit."""
    return {
        "currency": "MAD",
        "timezone": "Europe/Paris",
        "timings": {"any": {}, "weekend": {"weekdays": ["sat", "sun"]}, "march": {"months": [3], "to": "12:00"}},
        "rates": [
            rate("voice", "212", [(0, "0.6", 60, 1)], decimals=2, rounding="half_up"),
            rate("voice", "33", [(0, france, 60, 1)], zone="France"),
            rate("voice", "33", [(0, "0.3", 60, 1), (300, "0.15", 60, 15)], timing="weekend", weight=20, zone="France at leisure"),
            rate("voice", "33", [(0, "0.2222", 60, 6)], timing="march", weight=15, zone="France in March"),
            rate("voice", "1900", [(0, "9.99", 60, 60)], max_cost="45", after_max="reject", zone="premium"),
            rate("voice", "1", [(0, "2", 60, 60)], max_cost="10", after_max="free", zone="America", connect_fee="1"),
            rate("sms", "", [(0, "0.125", 1, 1)], rounding="half_up", decimals=2),
            rate("data", "", [(0, "0.01", MEGABYTE, 1024)], zone="data"),
        ]
        + ([rate("voice", "8", [(0, "6.66", 60, 30)], zone="Asia")] if whole else []),
        "allowances": [{"service": "data", "amount": 100 * MEGABYTE}],
    }


def plain_tariff(price):
    return {
        "currency": "MAD",
        "timezone": "Africa/Casablanca",
        "timings": {"any": {}},
        "rates": [
            rate("voice", "", [(0, price, 60, 1)], zone="calls", rounding="half_up"),
            rate("sms", "", [(0, price, 1, 1)], zone="calls"),
            rate("data", "", [(0, "0", 1, 1024)]),
        ],
    }


def version(name, valid_from, valid_to, tariff):
    return {"name": name, "valid_from": valid_from, "valid_to": valid_to, "tariff": tariff}


TARIFFS = [
    version("day", "2025-01-01", "2026-03-10", day_tariff("0.9", "0.4444", 300)),
    version("day", "2026-03-10", None, day_tariff("0.95", "0.5", 240)),
    version("world", "2025-01-01T00:00:00Z", "2026-02-20T09:30:00+01:00", world_tariff("1.2", False)),
    version("world", "2026-02-20T09:30:00+01:00", None, world_tariff("1.3", False)),
    version("plain", "2025-01-01", None, plain_tariff("1.0005")),
]
# Wrong from the start, found after the first bills: what was too dear becomes cheaper, and peak hours of March dearer.
FIRST_CORRECTION = [
    version("day", "2025-01-01", "2026-03-10", day_tariff("0.8", "0.4444", 330)),
    version("day", "2026-03-10", None, day_tariff("1.05", "0.5", 180)),
    version("plain", "2025-01-01", None, plain_tariff("0")),
]
SECOND_CORRECTION = [
    version("day", "2026-03-10", None, day_tariff("1", "0.5", 240)),
    version("world", "2025-01-01T00:00:00Z", "2026-02-20T09:30:00+01:00", world_tariff("1.2", True)),
    version("world", "2026-02-20T09:30:00+01:00", None, world_tariff("1.25", True)),
]

PLANS = [
    {"plan": "basic", "description": "Basic", "fee": "49.99", "tariff": "day"},
    {"plan": "family", "description": "Family", "fee": "99", "tariff": "day"},
    {"plan": "business", "description": "Business", "fee": "250.00", "tariff": "world"},
    {"plan": "odd", "description": "A fee that never divides", "fee": "33.37", "tariff": "world"},
    {"plan": "free", "description": "Pay for what you use", "fee": "0", "tariff": "plain"},
]


# Accounts and subscriptions


class World:
    def __init__(self):
        self.dice = random.Random(SEED)
        self.accounts = []
        self.subscriptions = []
        self.next_number = 212661000000

    def number(self):
        self.next_number += self.dice.randint(1, 97)
        return str(self.next_number)

    def account(self, account_id, cycle_day, exempt=False):
        self.accounts.append(
            {
                "account_id": account_id,
                "name": f"Customer {account_id}",
                "segment": self.dice.choice(["home", "business"]),
                "city": self.dice.choice(["Casablanca", "Rabat", "Fès"]),
                "cycle_day": cycle_day,
                "tax_exempt": "true" if exempt else "false",
                "customer_id": "",
            }
        )
        return account_id

    def subscribe(self, msisdn, account_id, plan, active_from, active_to=""):
        row = {"msisdn": msisdn, "active_from": active_from, "account_id": account_id, "plan": plan, "active_to": active_to}
        self.subscriptions.append(row)

    def some_day(self):
        return date(2026, 2, 1) + self.dice.randrange(86) * DAY

    def populate(self):
        # Ids that a human, a number and a byte put in different orders.
        shapes = ["A-{}", "a-{}", "B{:04}", "{}", "é-{}"]
        for number in range(196):
            account_id = self.account(shapes[number % 5].format(number), CYCLE_DAYS[number % len(CYCLE_DAYS)], number % 13 == 0)
            # One in forty has no subscription and so nothing to bill.
            for _ in range(0 if number % 40 == 39 else 1 + number % 3):
                self.life_of_a_number(account_id)

    def life_of_a_number(self, account_id):
        """A number's subscription rows: one, or a plan change, or a start or an end within the months."""
        dice, msisdn = self.dice, self.number()
        plans = dice.sample([plan["plan"] for plan in PLANS], 3)
        early, late = sorted([self.some_day(), self.some_day()])
        match dice.randrange(12):
            case 0 | 1 | 2:
                self.subscribe(msisdn, account_id, plans[0], "2025-06-01", str(early))
                self.subscribe(msisdn, account_id, plans[1], str(early))
            case 3 if early < late:
                self.subscribe(msisdn, account_id, plans[0], "2025-11-30", str(early))
                self.subscribe(msisdn, account_id, plans[1], str(early), str(late))
                self.subscribe(msisdn, account_id, plans[2], str(late))
            case 4:
                self.subscribe(msisdn, account_id, plans[0], str(early))
            case 5:
                self.subscribe(msisdn, account_id, plans[0], "2025-06-01", str(late))
            case 6:
                # A day of it, and again after a pause.
                self.subscribe(msisdn, account_id, plans[0], str(early), str(early + DAY))
                self.subscribe(msisdn, account_id, plans[1], str(late + 3 * DAY))
            case 7 if self.accounts[0]["account_id"] != account_id:
                # To another account, which has another cycle.
                other = dice.choice(self.accounts[:-1])["account_id"]
                self.subscribe(msisdn, account_id, plans[0], "2025-06-01", str(late))
                self.subscribe(msisdn, other, plans[1], str(late))
            case _:
                self.subscribe(msisdn, account_id, plans[0], "2025-06-01")


# Events


class Events:
    """Made one after the other; a wave goes to a file of its own."""

    def __init__(self, dice, subscribers):
        self.dice = dice
        self.subscribers = subscribers

    def wave(self, count, first, end, subscribers=None):
        """Lines in the order of sending: about the order of time, with duplicates and late comers among them."""
        begin = datetime.combine(first, datetime.min.time(), ZONE).timestamp()
        stop = datetime.combine(end, datetime.min.time(), ZONE).timestamp()
        starts = sorted(self.start(begin, stop) for _ in range(count))
        for _ in range(count // 20):
            starts.append(starts.pop(self.dice.randrange(len(starts))))
        lines = []
        for start in starts:
            record = self.event(start, self.dice.choice(subscribers or self.subscribers))
            lines.append(record)
            if self.dice.random() < 0.01:
                # The same identity a second time; half of them claim another usage.
                again = lines[-self.dice.randint(1, min(50, len(lines)))]
                lines.append(again if self.dice.random() < 0.5 else {**again, "usage": again["usage"] + 1})
        return lines

    def start(self, begin, stop):
        """Milliseconds; every tenth event is right at a midnight of Casablanca, or where clocks or prices change."""
        dice = self.dice
        start = int(1000 * (begin + dice.random() * (stop - begin)))
        if dice.random() < 0.1:
            local = datetime.fromtimestamp(start / 1000, ZONE)
            clock = dice.choice([(0, 0), (0, 0), (1, 0), (2, 0), (3, 0), (4, 30), (8, 0), (19, 0)])
            edge = datetime(local.year, local.month, local.day, *clock, tzinfo=ZONE, fold=dice.randrange(2)).timestamp()
            start = int(1000 * edge) + dice.choice([-60_000, -1_000, -1, 0, 0, 1, 999, 30_500])
        return min(max(start, int(1000 * begin)), int(1000 * stop) - 1)

    def event(self, start, subscriber):
        dice = self.dice
        service = dice.choices(["voice", "sms", "data"], [60, 20, 20])[0]
        stamp = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=start)
        record = {
            "event_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            "service": service,
            "subscriber": subscriber,
            "started_at": stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "usage": self.usage(service),
        }
        if service != "data":
            prefix = dice.choices(["2126", "2125", "33", "1", "1900", "86", "49"], [40, 20, 15, 8, 4, 5, 8])[0]
            record["destination"] = dice.choice(["+", ""]) + prefix + f"{dice.randrange(10**7):07}"
        if dice.random() < 0.06:
            record["roaming"] = True
        return record

    def usage(self, service):
        dice = self.dice
        match service:
            case "sms":
                return 1 if dice.random() < 0.95 else dice.randint(0, 4)
            case "data":
                return int(dice.expovariate(1 / (3 * MEGABYTE)))
            case _:
                return dice.randint(600, 5_400) if dice.random() < 0.02 else int(dice.expovariate(1 / 80))


# The months


def main(arguments):
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    steps = []

    def importing(kind, name, content):
        if isinstance(content, list) and kind in ("accounts", "subscriptions"):
            with open(folder / name, "w", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, content[0])
                table.writeheader()
                table.writerows(content)
        else:
            (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
        steps.append({"do": "import", "kind": kind, "file": name})

    def replaying(name, lines):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        steps.append({"do": "replay", "file": name})

    def billing(cycle, as_of):
        steps.append({"do": "bill", "cycle": cycle, "as_of": as_of})

    def rerating(begin, end, **more):
        steps.append({"do": "rerate", "from": begin, "to": end, **more})

    world = World()
    world.populate()
    # Usage in the first cycle only, that becomes free afterwards: a credit note.
    credited = world.number()
    world.subscribe(credited, world.account("Z-credited", 1), "free", "2025-06-01")
    # Numbers that are used before they are registered: in a cycle that will be closed by then, and in an open one.
    unknown = [world.number() for _ in range(4)]
    world.account("Z-registers", 1)
    world.account("Z-registers-late", 28)

    importing("operator", "operator.json", OPERATOR)
    importing("tariffs", "tariffs.json", TARIFFS)
    importing("plans", "plans.json", PLANS)
    importing("accounts", "accounts.csv", world.accounts)
    importing("subscriptions", "subscriptions.csv", world.subscriptions)

    known = sorted({row["msisdn"] for row in world.subscriptions} - {credited})
    events = Events(world.dice, known + unknown)
    first = events.wave(55_000, date(2026, 2, 1), date(2026, 3, 31))
    first += events.wave(60, date(2026, 2, 11), date(2026, 2, 25), [credited])
    replaying("first.jsonl", first)
    # Closes the cycle of those whose cycle began up to the 16th.
    billing("2026-02", "2026-03-16T12:00:00Z")

    replaying("late.jsonl", events.wave(6_000, date(2026, 2, 1), date(2026, 3, 20)))
    replaying("second.jsonl", events.wave(32_940, date(2026, 3, 15), date(2026, 4, 28)))
    importing("tariffs", "first-correction.json", FIRST_CORRECTION)
    new = len(world.subscriptions)
    for number, msisdn in enumerate(unknown):
        account = ["Z-registers", "Z-registers-late"][number % 2]
        world.subscribe(msisdn, account, "basic", ["2026-02-10", "2026-03-03"][number // 2])
    newcomer = world.account("Z-newcomer", 5)
    world.subscribe(world.number(), newcomer, "family", "2026-02-17")
    importing("accounts", "newcomer.csv", world.accounts[-1:])
    importing("subscriptions", "registered.csv", world.subscriptions[new:])
    rerating("2026-02-10", "2026-03-25")
    # Before the cycle of 2026-02 is closed for the rest.
    billing("2026-03", "2026-04-29T00:00:00Z")
    billing("2026-02", "2026-04-29T00:00:00Z")

    replaying("very-late.jsonl", events.wave(6_000, date(2026, 2, 1), date(2026, 4, 28)))
    importing("tariffs", "second-correction.json", SECOND_CORRECTION)
    rerating("2026-03-01T00:00:00Z", "2026-04-20")
    rerating("2026-02-01", "2026-04-28", subscriber=known[3])
    billing("2026-04", "2026-05-29T00:00:00Z")
    (folder / "steps.json").write_text(json.dumps(steps, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
