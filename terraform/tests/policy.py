#!/usr/bin/env python3
"""What must hold of a plan, whatever the environment: `policy.py PLAN.json ENVIRONMENT FUNCTIONS`.

PLAN.json is the answer of `terraform show -json`, FUNCTIONS the folder of the manifests that it was made from. Each rule
(rules/) is a sentence; before it is trusted it must find the fault that is put into a copy of the plan for it. Exit status
1 when a rule does not hold, or can't fail.
"""

import copy
import importlib
import json
import sys
from pathlib import Path

from plan import RULES, Plan

# Each file of rules registers its own.
for file in sorted(Path(__file__).parent.glob("rules/*.py")):
    importlib.import_module(f"rules.{file.stem}")


def main():
    if len(sys.argv) != 4:
        print(__doc__)
        return 0 if {"--help", "-h"} & set(sys.argv) else 2
    document, environment = json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]
    manifests = {
        path.parent.name: json.loads(path.read_text()) for path in sorted(Path(sys.argv[3]).glob("*/function.json"))
    }
    plan = Plan(document, environment, manifests)
    rules = [rule for rule in RULES if rule.only in (None, environment)]
    failed = False
    for rule in rules:
        violations = list(rule.check(plan))
        broken = copy.deepcopy(plan)
        rule.fault(broken)
        blind = list(rule.check(broken)) == violations
        print(f"{'FAIL' if violations or blind else 'ok  '} {environment}: {rule.sentence}")
        for violation in violations:
            print(f"       {violation}")
        if blind:
            print("       the rule does not find the fault that was put in for it")
        failed |= bool(violations) or blind
    print(f"{environment}: {len(plan.resources)} resources, {len(rules)} rules")
    return 1 if failed or not manifests else 0


if __name__ == "__main__":
    sys.exit(main())
