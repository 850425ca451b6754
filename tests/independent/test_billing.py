#!/usr/bin/env python3
"""Holds billing.py against invoices that were worked out by hand, with the sums beside them."""

import json
import tempfile
import unittest
from pathlib import Path

import billing

ACCOUNTS = """account_id,name,segment,city,cycle_day,tax_exempt,customer_id
A,Ann,home,Rabat,15,false,
B,Ben,home,Rabat,1,true,
C,Cora,home,Rabat,1,false,
"""
SUBSCRIPTIONS = """msisdn,active_from,account_id,plan,active_to
212600001,2026-02-20,A,first,2026-03-01
212600001,2026-03-01,A,second,
212600002,2025-01-01,B,zero,
"""


def tariff(price, free):
    rate = {"service": "voice", "prefix": "", "timing": "any", "weight": 1, "connect_fee": "0", "zone": "calls"}
    rate |= {"steps": [{"from": 0, "price": price, "per": 60, "increment": 1}], "rounding": "up", "decimals": 4}
    whole = {"currency": "MAD", "timezone": "Africa/Casablanca", "timings": {"any": {}}, "rates": [rate]}
    return [{"name": "t", "valid_from": "2025-01-01", "valid_to": None, "tariff": whole | {"allowances": [{"service": "voice", "amount": free}]}}]


def call(number, msisdn, started_at, usage):
    event_id = f"00000000-0000-4000-8000-{number:012}"
    return {"event_id": event_id, "service": "voice", "subscriber": msisdn, "destination": "1", "started_at": started_at, "usage": usage}


class ByHand(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.operator = billing.Operator()
        operator = {"name": "O", "address": [], "currency": "MAD", "timezone": "Africa/Casablanca", "tax_rate": "0.20"}
        self.load("operator", json.dumps(operator))
        self.load("tariffs", json.dumps(tariff("1", 60)))
        plans = [{"plan": plan, "description": "", "fee": fee, "tariff": "t"} for plan, fee in [("first", "31.00"), ("second", "10"), ("zero", "0")]]
        self.load("plans", json.dumps(plans))
        self.load("accounts", ACCOUNTS)
        self.load("subscriptions", SUBSCRIPTIONS)

    def load(self, kind, text):
        file = self.folder / "file"
        file.write_text(text, encoding="utf-8")
        self.operator.load(kind, file)

    def replay(self, *calls):
        file = self.folder / "file"
        file.write_text("".join(json.dumps(one) + "\n" for one in calls), encoding="utf-8")
        self.operator.replay(file)

    def invoices(self):
        return ["|".join(row) for row in billing.invoice_rows(self.operator)]

    def lines(self):
        return ["|".join(row) for row in billing.line_rows(self.operator)]

    def test_two_cycles_with_a_plan_change_an_allowance_a_late_call_and_a_correction(self):
        self.replay(
            # 60 seconds are free, 30 cost 0.5.
            call(1, "212600001", "2026-02-20T10:00:00Z", 90),
            # A's cycle ends at midnight by clocks that show UTC then: the last millisecond of it. 61 / 60, rounded up: 1.0167.
            call(2, "212600001", "2026-03-14T23:59:59.999Z", 61),
            # The next cycle, with its own 60 free seconds: 1 / 60, rounded up: 0.0167.
            call(3, "212600001", "2026-03-15T00:00:00Z", 61),
            call(3, "212600001", "2026-03-15T00:00:00Z", 99),
            # All 40 are free; then 20 of 40 are, and 20 / 60 cost 0.3334.
            call(5, "212600002", "2026-02-16T10:00:00Z", 40),
            call(6, "212600002", "2026-02-25T10:00:00Z", 40),
            # Nobody's number.
            call(7, "212600003", "2026-02-25T10:00:00Z", 40),
        )
        # A's cycle is 28 days long and ends at that very instant. 31 × 9 / 28 = 9.964…; 10 × 14 / 28 = 5; usage 1.5167.
        self.operator.bill("2026-02", "2026-03-15T00:00:00Z")
        # Late, without free seconds: 7 / 60 = 0.1167.
        self.replay(call(4, "212600001", "2026-02-21T10:00:00Z", 7))
        # Twice the price and half the free seconds, for the calls from the 20th on that began before A's new cycle:
        # 60 of 90 seconds at 2 a minute: 2, so 1.5 more; 61 of 61: 2.0334, so 1.0167 more; the late one 0.2334; for B the earlier call
        # keeps its 40 seconds and nothing is left: 40 seconds cost 1.3334, so 1.0000 more.
        self.load("tariffs", json.dumps(tariff("2", 30)))
        self.operator.rerate("2026-02-20", "2026-03-15")
        # A's cycle ends at midnight by clocks an hour ahead.
        self.operator.bill("2026-03", "2026-04-14T22:59:59.999Z")
        self.operator.bill("2026-03", "2026-04-14T23:00:00Z")
        for cycle in ("2026-02", "2026-03"):
            self.operator.bill(cycle, "2026-04-14T23:00:00Z")
        self.assertEqual(
            self.invoices(),
            [
                # Net 9.96 + 5 + 1.52; its fifth is 3.296. The cycle began before the clocks went back.
                "00000001|A|Ann|2026-02|2026-02-14 23:00:00.000|2026-03-15 00:00:00.000|16.4800|3.3000|19.7800|-0.0033|MAD",
                "00000002|B|Ben|2026-02|2026-01-31 23:00:00.000|2026-03-01 00:00:00.000|0.3300|0.0000|0.3300|0.0034|MAD",
                "00000003|B|Ben|2026-03|2026-03-01 00:00:00.000|2026-03-31 23:00:00.000|1.0000|0.0000|1.0000|0.0000|MAD",
                # Net 10 + 0.02 + 0.23 + 2.52; rounding -0.0033 + 0.0034 - 0.0033.
                "00000004|A|Ann|2026-03|2026-03-15 00:00:00.000|2026-04-14 23:00:00.000|12.7700|2.5500|15.3200|-0.0032|MAD",
            ],
        )
        self.assertEqual(
            self.lines(),
            [
                "00000001|fee|212600001||||9|9.9600",
                "00000001|fee|212600001||||14|5.0000",
                "00000001|usage|212600001|voice|calls||151|1.5200",
                "00000002|fee|212600002||||28|0.0000",
                "00000002|usage|212600002|voice|calls||80|0.3300",
                "00000003|fee|212600002||||31|0.0000",
                "00000003|credit|212600002|voice||2026-02||1.0000",
                "00000004|fee|212600001||||31|10.0000",
                "00000004|usage|212600001|voice|calls||61|0.0200",
                "00000004|late_usage|212600001|voice|calls|2026-02|7|0.2300",
                "00000004|credit|212600001|voice||2026-02||2.5200",
            ],
        )

    def test_what_is_free_afterwards_makes_a_credit_note_and_a_number_that_is_registered_later_is_late(self):
        self.replay(
            call(1, "212600002", "2026-02-03T10:00:00Z", 61),
            call(2, "212600004", "2026-02-03T10:00:00Z", 120),
            call(3, "212600004", "2026-03-03T10:00:00Z", 120),
        )
        self.operator.bill("2026-02", "2026-03-01T00:00:00Z")
        self.load("tariffs", json.dumps(tariff("1", 600)))
        self.load("subscriptions", "msisdn,active_from,account_id,plan,active_to\n212600004,2026-03-01,C,second,\n")
        self.operator.rerate("2026-02-01", "2026-04-01")
        self.load("tariffs", json.dumps(tariff("1", 0)))
        self.load("subscriptions", "msisdn,active_from,account_id,plan,active_to\n212600004,2026-02-01,C,zero,2026-03-01\n")
        self.operator.rerate("2026-02-01", "2026-04-01", "212600004")
        self.operator.bill("2026-03", "2026-04-01T00:00:00Z")
        self.assertEqual(
            self.lines(),
            [
                "00000001|fee|212600002||||28|0.0000",
                "00000001|usage|212600002|voice|calls||61|0.0200",
                "00000002|fee|212600002||||31|0.0000",
                "00000002|credit|212600002|voice||2026-02||-0.0200",
                # No fee for a day of the closed cycle.
                "00000003|fee|212600004||||31|10.0000",
                "00000003|usage|212600004|voice|calls||120|2.0000",
                "00000003|late_usage|212600004|voice|calls|2026-02|120|2.0000",
            ],
        )
        # 0.0167 was billed as 0.02 and so is given back: what rounding kept comes to nothing over both.
        self.assertIn("|-0.0200|0.0000|-0.0200|0.0033|", self.invoices()[1])
        self.assertIn("|14.0000|2.8000|16.8000|0.0000|", self.invoices()[2])


if __name__ == "__main__":
    unittest.main()
