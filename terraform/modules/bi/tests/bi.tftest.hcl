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
}

run "refuses_one_zone_and_everyone" {
  command = plan

  variables {
    subnet_ids = ["subnet-1", "subnet-1"]
    principal  = "*"
  }

  expect_failures = [
    var.subnet_ids,
    var.principal,
  ]
}
