mock_provider "aws" {
  source = "../../testing"
}

variables {
  name       = "millrace-test"
  account_id = "000000000000"
}

run "makes_two_keys_that_rotate" {
  command = apply

  assert {
    condition     = alltrue([for key in aws_kms_key.this : key.enable_key_rotation])
    error_message = "a key does not rotate"
  }

  assert {
    condition     = output.aliases == { data = "alias/millrace-test-data", telemetry = "alias/millrace-test-telemetry" }
    error_message = "policies name keys by these aliases"
  }
}

run "refuses_what_could_not_work" {
  command = plan

  variables {
    account_id           = "my-account"
    name                 = "Millrace Test"
    deletion_window_days = 1
  }

  expect_failures = [
    var.account_id,
    var.name,
    var.deletion_window_days,
  ]
}
