#!/usr/bin/env python3
"""Makes an operator whose every cycle of four years is billed: 1,000 accounts with fees that change from month to month, and some usage.

    killed_world.py FOLDER

writes reference files, events and steps.json (billing.py tells its form) to the folder; the same bytes each time.
"""

import csv
import json
import random
import sys
import uuid
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

SEED = 50
ACCOUNTS = 1_000
EVENTS = 10_000
# The cycles that are billed, from January 2022 on.
CYCLES = 51
FIRST, END = date(2022, 1, 1), date(2026, 5, 1)

OPERATOR = {
    "name": "Killed Telecom",
    "address": ["1 rue de la Panne"],
    "currency": "EUR",
    "timezone": "Europe/Paris",
    "tax_rate": "0.196",
    "invoice_prefix": "GM",
    "payment_days": 14,
}


def tariff():
    def rate(service, price, per):
        return {
            "service": service,
            "prefix": "",
            "timing": "any",
            "weight": 1,
            "connect_fee": "0.02",
            "steps": [{"from": 0, "price": price, "per": per, "increment": 1}],
            "rounding": "half_up",
            "decimals": 4,
        }

    return {
        "currency": "EUR",
        "timezone": "Europe/Paris",
        "timings": {"any": {}},
        "rates": [rate("voice", "0.19", 60), rate("sms", "0.07", 1), rate("data", "0.05", 1_000_000)],
        "allowances": [{"service": "sms", "amount": 1}],
    }


def main(arguments):
    folder = Path(arguments[0])
    dice = random.Random(SEED)
    plans = [{"plan": f"P{n}", "description": f"Plan {n}", "fee": f"{5 + 7.37 * n:.2f}", "tariff": "one"} for n in range(6)]
    accounts, subscriptions = [], []
    for number in range(ACCOUNTS):
        account = {"account_id": f"K{dice.randrange(10**6):06}-{number}", "name": f"Customer {number}", "segment": "home", "city": "Lyon"}
        account |= {"cycle_day": 1 + number % 28, "tax_exempt": "true" if number % 17 == 0 else "false", "customer_id": ""}
        accounts.append(account)
        row = {"msisdn": f"336{number:08}", "active_from": "2021-07-14", "account_id": account["account_id"], "plan": "P0", "active_to": ""}
        for day in sorted(dice.sample(range((END - FIRST).days), 8)):
            row["active_to"] = str(FIRST + timedelta(days=day))
            subscriptions.append(row)
            row = {**row, "active_from": row["active_to"], "active_to": "", "plan": dice.choice(plans)["plan"]}
        subscriptions.append(row)

    steps = []
    for kind, content in [
        ("operator", OPERATOR),
        ("tariffs", [{"name": "one", "valid_from": "2021-01-01", "valid_to": None, "tariff": tariff()}]),
        ("plans", plans),
    ]:
        (folder / f"{kind}.json").write_text(json.dumps(content), encoding="utf-8")
        steps.append({"do": "import", "kind": kind, "file": f"{kind}.json"})
    for kind, rows in [("accounts", accounts), ("subscriptions", subscriptions)]:
        with open(folder / f"{kind}.csv", "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)
        steps.append({"do": "import", "kind": kind, "file": f"{kind}.csv"})

    begin = datetime(FIRST.year, 1, 1, tzinfo=timezone.utc)
    with open(folder / "events.jsonl", "w", encoding="utf-8") as file:
        for _ in range(EVENTS):
            service = dice.choice(["voice", "sms", "data"])
            event = {
                "event_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
                "service": service,
                "subscriber": dice.choice(subscriptions)["msisdn"],
                "started_at": (begin + timedelta(seconds=dice.randrange((END - FIRST).days * 86_400))).isoformat(),
                "usage": {"voice": dice.randrange(300), "sms": 1, "data": dice.randrange(10**8)}[service],
            }
            if service != "data":
                event["destination"] = f"+33{dice.randrange(10**8):08}"
            file.write(json.dumps(event) + "\n")
    steps.append({"do": "replay", "file": "events.jsonl"})
    for month in range(CYCLES):
        cycle = f"{FIRST.year + month // 12}-{month % 12 + 1:02}"
        # Long after, so that all have ended.
        steps.append({"do": "bill", "cycle": cycle, "as_of": f"{END}T00:00:00Z"})
    (folder / "steps.json").write_text(json.dumps(steps, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
