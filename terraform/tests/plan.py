"""A plan as the rules see it, how a rule is written, and the faults that are put in for it."""

import json
from typing import NamedTuple

# What stands for a value that is only known once applied.
UNKNOWN = "(known after apply)"
RULES = []


class Plan:
    """A plan's resources with what is planned for them, and the manifests that it was made from."""

    def __init__(self, document, environment, manifests):
        self.environment = environment
        self.manifests = manifests
        self.name = f"millrace-{environment}"
        self.resources = []
        # The provider hides a function's variables as soon as one of them is unknown; an output says their names.
        self.variables = document["output_changes"]["variables"]["after"]
        for change in document["resource_changes"]:
            if change["mode"] == "managed" and "create" in change["change"]["actions"]:
                values = self.merged(change["change"]["after"], change["change"]["after_unknown"])
                self.resources.append(Resource(change["address"], change["type"], change.get("index"), values))

    @classmethod
    def merged(cls, after, unknown):
        if unknown is True:
            return UNKNOWN
        if isinstance(after, dict) or isinstance(unknown, dict) and after is None:
            after, unknown = after or {}, unknown or {}
            return {key: cls.merged(after.get(key), unknown.get(key, False)) for key in {*after, *unknown}}
        if isinstance(after, list):
            unknown = unknown or []
            return [cls.merged(value, unknown[i] if i < len(unknown) else False) for i, value in enumerate(after)]
        return after

    def of(self, *types):
        return [resource for resource in self.resources if resource.type in types]

    def function(self, name):
        return next(
            (it for it in self.of("aws_lambda_function") if it.values["function_name"] == f"{self.name}-{name}"), None
        )


class Resource:
    def __init__(self, address, kind, index, values):
        self.address, self.type, self.index, self.values = address, kind, index, values

    def __getitem__(self, key):
        return self.values.get(key)


class Rule(NamedTuple):
    sentence: str
    check: object
    fault: object
    only: str | None


def rule(sentence, fault, only=None):
    """A rule yields a line for each violation. `fault` breaks a copy of the plan so that the rule must find it. `only` is
    the one environment that it holds of."""

    def register(check):
        RULES.append(Rule(sentence, check, fault, only))
        return check

    return register


def set_on(*kinds, **values):
    """On the first resource of these types: a platform has one engine or the other."""

    def fault(plan):
        plan.of(*kinds)[0].values.update(values)

    return fault


def add(kind, **values):
    def fault(plan):
        plan.resources.append(Resource(f"{kind}.added", kind, None, values))

    return fault


def drop(kind):
    def fault(plan):
        plan.resources.remove(plan.of(kind)[0])

    return fault


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(text):
    return json.loads(text)["Statement"] if text and text != UNKNOWN else []
