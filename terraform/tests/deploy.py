#!/usr/bin/env python3
"""scripts/deploy on an account that is made up (account.py): what is live after a release, a revert and a roll back."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import account

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("migrate", "rate")


class Deploy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.clone = Path(folder.name)
        self.account = self.clone / "account.json"
        self.account.write_text(json.dumps(account.empty()))
        for name in ("scripts/deploy", *(f"scripts/lib/{it}.sh" for it in ("say", "terraform"))):
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.clone / name)
        for function in FUNCTIONS:
            (self.clone / "functions" / function).mkdir(parents=True)
            (self.clone / "functions" / function / "function.json").touch()
        (self.clone / "terraform/environments/dev").mkdir(parents=True)
        (self.clone / "terraform/environments/dev/values.tfvars").touch()
        for command in ("aws", "terraform"):
            self.command(
                f"bin/{command}", f'exec "{sys.executable}" -IS "{account.__file__}" "{self.account}" {command} "$@"'
            )
        self.command("bin/curl", "true")
        self.command(
            "scripts/package",
            'for f in functions/*/; do d=target/lambda/$(basename "$f"); mkdir -p "$d"; printf %s "$CODE" >"$d/bootstrap.zip"; done',
        )

    def command(self, name, text):
        path = self.clone / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/usr/bin/env bash\n{text}\n")
        path.chmod(0o755)

    def deploy(self, *arguments, code="", fails=False):
        variables = {"AWS_REGION": "eu-central-1", "STATE_BUCKET": "state", "CODE": code}
        path = f"{self.clone / 'bin'}:{os.environ['PATH']}"
        ran = subprocess.run(
            [self.clone / "scripts/deploy", "dev", "--yes", *arguments],
            env={**os.environ, **variables, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(ran.returncode != 0, fails, ran.stderr)
        return ran.stderr

    def state(self):
        return json.loads(self.account.read_text())

    def live_code(self):
        state = self.state()
        return state["published"]["millrace-dev-rate"][state["live"]["millrace-dev-rate"] - 1]

    def live(self):
        return self.state()["live"]["millrace-dev-rate"]

    def test_a_revert_is_live_though_terraform_sees_no_change(self):
        self.deploy(code="one")
        self.deploy("--code", code="two")
        self.assertEqual(self.live_code(), "two")
        self.deploy(code="one")
        self.assertEqual(self.live_code(), "one")

    def test_a_deploy_of_what_is_live_moves_nothing(self):
        self.deploy(code="one")
        self.deploy("--code", code="one")
        self.assertEqual(self.state()["deployments"], [])

    def test_the_schema_is_migrated_by_the_new_version_before_traffic_moves(self):
        self.deploy(code="one")
        self.deploy(code="two")
        done = self.state()["done"]
        moved = ["millrace-dev-migrate 1 -> 2", "millrace-dev-rate 1 -> 2"]
        self.assertEqual(done, ["invoked millrace-dev-migrate:1", "invoked millrace-dev-migrate:2", *moved])

    def test_a_roll_back_goes_to_what_the_release_took_over_from_and_not_to_one_that_failed(self):
        for code in ("one", "two"):
            self.deploy(code=code)
        self.deploy("--code", code="bad", fails=True)
        self.assertEqual(self.live(), 2)
        self.deploy("--code", code="four")
        self.assertEqual(self.live(), 4)
        self.deploy("--roll-back", "rate")
        self.assertEqual(self.live(), 2)
        self.assertEqual(self.state()["live"]["millrace-dev-migrate"], 4)
        # A second one does not go forward again.
        self.deploy("--roll-back", "rate")
        self.assertEqual(self.live(), 1)

    def test_a_release_names_what_takes_it_back_and_that_does(self):
        self.deploy(code="one")
        said = self.deploy(code="two").splitlines()
        line = next(it for it in said if it.startswith("to take this release back: "))
        self.assertEqual(line.split("--roll-back ")[1], "migrate=1 rate=1")
        self.deploy("--roll-back", "migrate=1", "rate=1")
        self.assertEqual(set(self.state()["live"].values()), {1})

    def test_a_version_that_is_not_there_is_refused_before_anything_moves(self):
        self.deploy(code="one")
        self.deploy(code="two")
        for argument, expected in (
            ("rate=9", "rate has no version 9"),
            ("rate=2", "rate is on version 2 already"),
            ("rate=live", "rate=live does not name a version"),
            ("oracle", "oracle is no option, and no function"),
        ):
            self.assertIn(expected, self.deploy("--roll-back", "migrate", argument, fails=True))
            self.assertEqual(set(self.state()["live"].values()), {2})

    def test_a_function_without_a_release_has_no_version_before(self):
        self.deploy(code="one")
        self.assertIn("name the version to go to", self.deploy("--roll-back", "rate", fails=True))


if __name__ == "__main__":
    unittest.main()
