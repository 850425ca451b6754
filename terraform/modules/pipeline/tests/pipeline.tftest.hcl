mock_provider "aws" {
  source = "../../testing"
}

variables {
  name             = "millrace-test"
  account_id       = "000000000000"
  repository       = "example/millrace"
  environment      = "prod"
  functions        = ["millrace-test-rate", "millrace-test-migrate"]
  migrate_function = "millrace-test-migrate"
  data_key_alias   = "alias/millrace-test-data"
}

run "makes_a_role_that_one_environment_of_one_repository_assumes" {
  command = apply

  assert {
    condition     = contains(aws_iam_openid_connect_provider.this[0].client_id_list, "sts.amazonaws.com")
    error_message = "tokens are for STS"
  }

  assert {
    condition     = contains(flatten([for condition in data.aws_iam_policy_document.trust.statement[0].condition : condition.values]), "repo:example/millrace:environment:prod")
    error_message = "one environment of one repository"
  }

  assert {
    condition     = length(setintersection(flatten(data.aws_iam_policy_document.this.statement[*].actions), ["lambda:UpdateFunctionConfiguration", "lambda:UpdateAlias", "iam:PassRole"])) == 0
    error_message = "code moves by CodeDeploy, and settings by a person"
  }

  assert {
    condition     = aws_iam_role.this.max_session_duration == 3600
    error_message = "an hour"
  }
}

run "refuses_wildcards" {
  command = plan

  variables {
    repository  = "example/*"
    environment = "*"
  }

  expect_failures = [
    var.repository,
    var.environment,
  ]
}
