mock_provider "aws" {
  source = "../../testing"
}

variables {
  account_id = "000000000000"
  alias      = "alias/millrace-test-data"
  actions    = ["kms:Decrypt"]
}

run "names_the_key_and_who_asks_for_it" {
  command = apply

  variables {
    services = ["s3", "sqs"]
  }

  assert {
    condition     = one(data.aws_iam_policy_document.this.statement[0].resources) == "arn:aws:kms:eu-central-1:000000000000:key/*"
    error_message = "keys of this account and region"
  }

  assert {
    condition = { for it in data.aws_iam_policy_document.this.statement[0].condition : it.variable => it.values } == {
      "kms:ResourceAliases" = tolist(["alias/millrace-test-data"])
      "kms:ViaService"      = tolist(["s3.eu-central-1.amazonaws.com", "sqs.eu-central-1.amazonaws.com"])
    }
    error_message = "the key of this alias, by these services"
  }
}

run "names_what_was_encrypted" {
  command = apply

  variables {
    context = { "aws:scheduler:schedule:arn" = "arn:aws:scheduler:eu-central-1:000000000000:schedule/millrace-test-rate/*" }
  }

  assert {
    condition = { for it in data.aws_iam_policy_document.this.statement[0].condition : it.variable => "${it.test} ${one(it.values)}" } == {
      "kms:ResourceAliases"                              = "ForAnyValue:StringEquals alias/millrace-test-data"
      "kms:EncryptionContext:aws:scheduler:schedule:arn" = "ArnLike arn:aws:scheduler:eu-central-1:000000000000:schedule/millrace-test-rate/*"
    }
    error_message = "the key of this alias, for these schedules"
  }
}

run "refuses_any_use_of_any_key" {
  command = plan

  variables {
    alias   = "millrace-test-data"
    actions = ["kms:*"]
  }

  expect_failures = [var.alias, var.actions, var.context]
}
