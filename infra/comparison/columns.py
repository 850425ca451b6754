"""The columns that every library is given: the same features, in the same order."""

LABEL = "churn"

# What a document has.
STORED = [
    "account_length",
    "international_plan",
    "voice_mail_plan",
    "number_vmail_messages",
    "total_day_minutes",
    "total_day_calls",
    "total_day_charge",
    "total_eve_minutes",
    "total_eve_calls",
    "total_eve_charge",
    "total_night_minutes",
    "total_night_calls",
    "total_night_charge",
    "total_intl_minutes",
    "total_intl_calls",
    "total_intl_charge",
    "customer_service_calls",
]

# Ours adds these up itself; the others are given them.
PARTS = ["day", "eve", "night", "intl"]
SUMS = {f"total_{what}": [f"total_{part}_{what}" for part in PARTS] for what in ("minutes", "calls", "charge")}

COLUMNS = [*STORED, *SUMS]

FAMILIES = ["logistic", "forest", "boosted"]

# The same size of model for each library: what a fit costs is compared, not how it was tuned.
# `columns` is the share of columns that are looked at: at each split, or by Millrace's boosted trees for each tree.
FOREST = {"trees": 100, "depth": 12, "columns": 0.6}
BOOSTED = {"trees": 150, "depth": 4, "learning_rate": 0.05, "columns": 0.7}
SEED = 20261121
