mock_provider "aws" {
  source = "../../testing"
}

variables {
  name               = "millrace-test"
  account_id         = "000000000000"
  image              = "000000000000.dkr.ecr.eu-central-1.amazonaws.com/nifi@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  subnet_ids         = ["subnet-1"]
  security_group_ids = ["sg-1"]
  kafka              = { cluster_name = "millrace-test", brokers = "b-1:9098", topics = ["usage-events"] }
  intake             = { bucket = "millrace-test-objects", bucket_arn = "arn:aws:s3:::millrace-test-objects", key_alias = "alias/millrace-test-data" }
  log_key_arn        = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
}

run "makes_one_private_task" {
  command = apply

  assert {
    condition     = aws_ecs_service.this.desired_count == 1 && aws_ecs_service.this.deployment_maximum_percent == 100
    error_message = "two tasks would send a file twice"
  }

  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip
    error_message = "no address on the internet"
  }

  assert {
    condition = {
      for it in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : it.name => it.value
      } == {
      NIFI_WEB_HTTPS_HOST     = "127.0.0.1"
      KAFKA_BROKERS           = "b-1:9098"
      KAFKA_SECURITY_PROTOCOL = "SASL_SSL"
      INTAKE_BUCKET           = "millrace-test-objects"
      INTAKE_PREFIX           = "intake/"
    }
    error_message = "these are what nifi/load gives the flow"
  }
}

run "refuses_a_cluster_without_addresses_and_cores_that_no_task_has" {
  command = plan

  variables {
    kafka = { cluster_name = "millrace-test", brokers = "", topics = ["usage-events"] }
    vcpu  = 3000
  }

  expect_failures = [
    var.kafka,
    var.vcpu,
  ]
}

run "refuses_memory_that_its_cores_cannot_have" {
  command = plan

  variables {
    vcpu       = 2048
    memory_mib = 3072
  }

  expect_failures = [var.memory_mib]
}

run "refuses_an_image_that_may_change" {
  command = plan

  variables {
    image = "apache/nifi:latest"
  }

  expect_failures = [var.image]
}
