"""What scripts/deploy asks of `aws` and of `terraform`, answered from a file: an account that is made up, for deploy.py.

It keeps of Lambda and CodeDeploy what a release depends on: code that is what was published last gets no new version, traffic
moves only when a deployment succeeds, and Terraform sends a package only when it is not the one that it sent last. A package
that holds `bad` fails while traffic moves to it. `--query` is not read: each answer is what its question picks.
"""

import json
import sys
from pathlib import Path


def empty():
    """An account before its first deploy."""
    return {"latest": {}, "published": {}, "live": {}, "sent": {}, "deployments": [], "done": []}


class Account:
    def __init__(self, path):
        self.path = Path(path)
        self.state = json.loads(self.path.read_text())

    def save(self):
        self.path.write_text(json.dumps(self.state))

    def put(self, function, code):
        published = self.state["published"].setdefault(function, [])
        if published[-1:] != [code]:
            published.append(code)
        self.state["latest"][function] = code
        self.state["live"].setdefault(function, len(published))
        return len(published)

    def deploy(self, group, revision, description):
        content = json.loads(json.loads(revision)["appSpecContent"]["content"])
        said = next(iter(content["Resources"][0].values()))["Properties"]
        function, target = said["Name"], int(said["TargetVersion"])
        succeeds = self.state["published"][function][target - 1] != "bad"
        number = len(self.state["deployments"])
        # CodeDeploy's identifiers say nothing of their order.
        name = f"d-{9 - number}"
        status = "Succeeded" if succeeds else "Stopped"
        found = {"id": name, "group": group, "status": status, "description": description, "creator": "user"}
        self.state["deployments"].append(found | {"time": f"2026-01-01T00:00:{number:02}+00:00"})
        self.state["done"].append(f"{function} {said['CurrentVersion']} -> {target}")
        if succeeds:
            self.state["live"][function] = target
        return name

    def aws(self, arguments):
        words = {key: value for key, value in zip(arguments, arguments[1:]) if key.startswith("--")}
        asked = " ".join(arguments[:2])
        function = words.get("--function-name")
        if asked == "sts get-caller-identity":
            return "000000000000"
        if asked == "lambda get-alias":
            return self.state["live"][function]
        if asked == "lambda get-function-configuration":
            if int(words["--qualifier"]) > len(self.state["published"][function]):
                sys.exit("ResourceNotFoundException")
            return words["--qualifier"]
        if asked == "lambda update-function-code":
            return self.put(function, Path(words["--zip-file"].removeprefix("fileb://")).read_text())
        if asked == "lambda wait":
            return ""
        if asked == "lambda invoke":
            self.state["done"].append(f"invoked {function}:{words['--qualifier']}")
            return "None"
        if asked == "deploy create-deployment":
            return self.deploy(words["--deployment-group-name"], words["--revision"], words["--description"])
        if asked == "deploy wait":
            status = next(it["status"] for it in self.state["deployments"] if it["id"] == words["--deployment-id"])
            return "" if status == "Succeeded" else sys.exit(255)
        if asked == "deploy list-deployments":
            group, status = words["--deployment-group-name"], words["--include-only-statuses"]
            found = [it["id"] for it in self.state["deployments"] if (it["group"], it["status"]) == (group, status)]
            return "\t".join(sorted(found))
        if asked == "deploy batch-get-deployments":
            wanted = arguments[arguments.index("--deployment-ids") + 1 :]
            found = [it for it in self.state["deployments"] if it["id"] in wanted]
            return "\n".join(f"{it['time']}\t{it['description']}" for it in reversed(found))
        sys.exit(f"the made-up account does not know aws {asked}")

    def terraform(self, arguments):
        command = next(it for it in arguments if not it.startswith("-"))
        if command == "output":
            return "true" if "triggers_enabled" in arguments else "{}"
        if command == "show":
            return '{"resource_changes": []}'
        if command == "apply":
            for package in sorted(Path("target/lambda").glob("*/bootstrap.zip")):
                function, code = f"millrace-dev-{package.parent.name}", package.read_text()
                if self.state["sent"].get(function) != code:
                    self.put(function, code)
                self.state["sent"][function] = code
        return ""


if __name__ == "__main__":
    account = Account(sys.argv[1])
    answer = getattr(account, sys.argv[2])(sys.argv[3:])
    account.save()
    print(answer)
