mock_provider "aws" {
  source = "../../testing"
}

variables {
  name               = "millrace-test"
  account_id         = "000000000000"
  principal          = "group/default/bi"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
  database           = { host = "db", secret_arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:millrace-test/mysql/bi-abcdef" }
  data_key_alias     = "alias/millrace-test-data"
}

run "makes_a_data_set_for_each_view" {
  command = apply

  assert {
    condition     = length(aws_quicksight_data_set.this) == 11 && contains(keys(aws_quicksight_data_set.this), "bi_churn_scores") && alltrue([for set in aws_quicksight_data_set.this : set.import_mode == "DIRECT_QUERY"])
    error_message = "each view, read where it is"
  }

  assert {
    condition     = !aws_quicksight_data_source.this.ssl_properties[0].disable_ssl
    error_message = "TLS"
  }

  assert {
    condition     = aws_iam_role_policy.secret.role == "aws-quicksight-secretsmanager-role-v0"
    error_message = "the role of QuickSight's console may decrypt the secret"
  }
}

run "names_people_where_they_live" {
  command = apply

  assert {
    condition     = alltrue([for permission in aws_quicksight_data_source.this.permission : permission.principal == "arn:aws:quicksight:eu-central-1:000000000000:group/default/bi"])
    error_message = "in the region of the deploy"
  }
}

run "names_people_of_another_region" {
  command = apply

  variables {
    identity_region = "us-east-1"
  }

  assert {
    condition     = alltrue([for set in values(aws_quicksight_data_set.this) : alltrue([for permission in set.permissions : permission.principal == "arn:aws:quicksight:us-east-1:000000000000:group/default/bi"])])
    error_message = "in the region that QuickSight was signed up in"
  }
}

run "refuses_what_could_not_work" {
  command = plan

  variables {
    subnet_ids      = ["subnet-1", "subnet-1"]
    principal       = "*"
    identity_region = "Virginia"
    secrets_role    = "arn:aws:iam::000000000000:role/service-role/aws-quicksight-secretsmanager-role-v0"
  }

  expect_failures = [
    var.subnet_ids,
    var.principal,
    var.identity_region,
    var.secrets_role,
  ]
}
