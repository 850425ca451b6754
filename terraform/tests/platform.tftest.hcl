# What an environment may not say. What it makes is held to rules in its plan (policy.py).

mock_provider "aws" {
  source = "./testing"
}

variables {
  environment         = "dev"
  account_id          = "000000000000"
  cidr                = "10.9.0.0/16"
  log_retention_days  = 1
  deletion_protection = false
  secrets_version     = 1

  external = { mysql_url = "mysql://127.0.0.1/millrace", documents_url = "mongodb://127.0.0.1/", kafka_brokers = "127.0.0.1:9092" }

  secrets = {
    mysql_functions         = "offline-offline-offline-1"
    mysql_bi                = "offline-offline-offline-2"
    dashboard_password_hash = "$argon2id$offline"
    session                 = "0000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "refuses_an_emulator_outside_of_local" {
  command = plan

  variables {
    emulator = "http://127.0.0.1:4566"
  }

  expect_failures = [var.emulator]
}

run "refuses_local_without_an_emulator" {
  command = plan

  variables {
    environment = "local"
  }

  expect_failures = [var.emulator]
}

run "refuses_an_emulator_on_another_machine" {
  command = plan

  variables {
    environment = "local"
    emulator    = "https://aws.example.com"
  }

  expect_failures = [var.emulator]
}

run "refuses_to_leave_out_the_page_on_aws" {
  command = plan

  variables {
    page = false
  }

  expect_failures = [var.page]
}

run "local_can_do_without_the_page" {
  command = plan

  variables {
    environment = "local"
    emulator    = "http://127.0.0.1:4566"
    page        = false
  }

  assert {
    condition     = length(module.dashboard) == 0 && output.sign_in == null
    error_message = "the page's API and its sign-in must be left out"
  }

  assert {
    condition     = !anytrue([for variable in output.variables["dashboard"] : startswith(variable, "MILLRACE_SIGN_IN_")])
    error_message = "the page must not be told of a sign-in that is not there"
  }

  assert {
    condition     = contains(keys(output.functions), "dashboard")
    error_message = "the function behind the page stays"
  }
}

run "refuses_a_place_that_is_not_there" {
  command = plan

  variables {
    region          = "Frankfurt"
    zones           = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    secrets_version = 0
  }

  expect_failures = [var.region, var.zones, var.secrets_version]
}

run "refuses_a_runbook_that_nobody_can_open" {
  command = plan

  variables {
    runbook = "docs/runbook.md"
  }

  expect_failures = [var.runbook]
}

run "refuses_what_is_no_account_or_secret" {
  command = plan

  variables {
    account_id = "millrace"
    manifests  = "./tests"

    secrets = {
      mysql_functions         = "offline-offline-offline-1"
      mysql_bi                = "offline-offline-offline-2"
      dashboard_password_hash = "the password itself"
      session                 = "short"
    }
  }

  expect_failures = [var.account_id, var.manifests, var.secrets]
}

run "refuses_what_is_no_address" {
  command = plan

  variables {
    emails = { critical = ["on-call@example.com"], warning = ["team"] }
  }

  expect_failures = [var.emails]
}
