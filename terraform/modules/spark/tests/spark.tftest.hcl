mock_provider "aws" {
  source = "../../testing"
}

variables {
  name               = "millrace-test"
  account_id         = "000000000000"
  subnet_ids         = ["subnet-1"]
  security_group_ids = ["sg-1"]
  bucket_arn         = "arn:aws:s3:::millrace-test-objects"
  data_key           = { arn = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000", alias = "alias/millrace-test-data" }
  log_key_arn        = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
}

run "makes_an_application_that_costs_nothing_between_jobs" {
  command = apply

  assert {
    condition     = aws_emrserverless_application.this.auto_stop_configuration[0].enabled && length(aws_emrserverless_application.this.initial_capacity) == 0
    error_message = "it stops, and keeps nothing warm"
  }

  assert {
    condition     = aws_emrserverless_application.this.maximum_capacity[0].cpu == "64 vCPU"
    error_message = "jobs are limited"
  }

  assert {
    condition     = startswith(aws_emrserverless_application.this.release_label, "emr-spark-8.") && aws_emrserverless_application.this.architecture == "ARM64"
    error_message = "infra/spark/README.md tells of Spark 4.0 on arm64"
  }

  assert {
    condition     = strcontains(output.start_command, "\"logGroupName\":\"/millrace-test/spark\"")
    error_message = "a job's log can be read"
  }
}

run "refuses_less_than_a_driver_and_an_executor" {
  command = plan

  variables {
    limit = { vcpu = 1, memory_gb = 2 }
  }

  expect_failures = [var.limit]
}
