mock_provider "aws" {
  source = "../../testing"
}

variables {
  name               = "millrace-test"
  variant            = "provisioned"
  topics             = { usage-events = { partitions = 4 }, customers = { partitions = 2, retention_hours = 24 } }
  subnet_ids         = ["subnet-1", "subnet-2", "subnet-3"]
  security_group_ids = ["sg-1"]
  data_key_arn       = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
  log_key_arn        = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
}

run "makes_brokers_that_lose_nothing" {
  command = apply

  assert {
    condition     = strcontains(aws_msk_configuration.this[0].server_properties, "min.insync.replicas=2") && strcontains(aws_msk_configuration.this[0].server_properties, "unclean.leader.election.enable=false")
    error_message = "a record must be on two brokers before its producer is answered"
  }

  assert {
    condition     = strcontains(aws_msk_configuration.this[0].server_properties, "log.message.timestamp.type=LogAppendTime")
    error_message = "the ledger counts on the broker's time"
  }

  assert {
    condition     = aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && aws_msk_cluster.this[0].client_authentication[0].sasl[0].iam
    error_message = "TLS and IAM only"
  }

  assert {
    condition     = aws_msk_cluster.this[0].enhanced_monitoring == "DEFAULT"
    error_message = "no metric is paid for that no alarm watches"
  }

  assert {
    condition     = length(aws_msk_serverless_cluster.this) == 0
    error_message = "one variant at a time"
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.topics[0].template_body).Resources.UsageEvents.Properties.PartitionCount == 4
    error_message = "usage-events has four partitions"
  }

  assert {
    condition     = alltrue([for topic in values(jsondecode(aws_cloudformation_stack.topics[0].template_body).Resources) : topic.DeletionPolicy == "RetainExceptOnCreate"])
    error_message = "taking a topic out of the list must not delete its records; a failed stack can be tried again"
  }

  assert {
    condition     = aws_appautoscaling_target.disks[0].min_capacity == 100 && aws_appautoscaling_target.disks[0].max_capacity == 4000 && aws_appautoscaling_policy.disks[0].target_tracking_scaling_policy_configuration[0].disable_scale_in
    error_message = "disks grow before they are full, and never shrink"
  }

  assert {
    condition     = strcontains(base64decode(jsondecode(aws_cloudformation_stack.topics[0].template_body).Resources.Customers.Properties.Configs), "retention.ms=86400000")
    error_message = "a day is 86,400,000 ms"
  }
}

run "makes_the_serverless_variant" {
  command = apply

  variables {
    variant = "serverless"
  }

  assert {
    condition     = length(aws_msk_cluster.this) == 0 && length(aws_appautoscaling_target.disks) == 0 && aws_msk_serverless_cluster.this[0].client_authentication[0].sasl[0].iam[0].enabled
    error_message = "serverless with IAM, and no brokers"
  }

  assert {
    condition     = output.brokers == ""
    error_message = "the serverless address is asked of MSK"
  }

  assert {
    condition     = length(aws_cloudformation_stack.topics) == 0 && length(output.topic_commands) == 2
    error_message = "MSK makes no topics on a serverless cluster: a person does"
  }

  assert {
    condition     = output.topic_commands[0] == "python3 msk/topic.py ${output.cluster_arn} customers 2 message.timestamp.type=LogAppendTime retention.ms=86400000"
    error_message = "a topic is made as it would be on brokers"
  }
}

run "refuses_what_could_not_work" {
  command = plan

  variables {
    variant = "express"
    broker  = { count = 4 }
    topics  = { none = { partitions = 0 }, forgetful = { partitions = 1, retention_hours = 1 } }

    subnet_ids = ["subnet-1", "subnet-2", "subnet-2"]
  }

  expect_failures = [
    var.variant,
    var.broker,
    var.topics,
    var.subnet_ids,
  ]
}

run "refuses_disks_that_could_not_grow" {
  command = plan

  variables {
    broker = { storage_gib = 500, most_gib = 400 }
  }

  expect_failures = [var.broker]
}

run "refuses_a_topic_that_cloudformation_could_not_name" {
  command = plan

  variables {
    topics = { "usage_events" = { partitions = 1 } }
  }

  expect_failures = [var.topics]
}

run "refuses_topics_that_cloudformation_could_not_tell_apart" {
  command = plan

  variables {
    topics = { a-1 = { partitions = 1 }, a1 = { partitions = 1 } }
  }

  expect_failures = [var.topics]
}

run "takes_each_size_of_broker" {
  command = plan

  variables {
    broker = { type = "kafka.m7g.xlarge" }
  }
}

run "refuses_a_size_that_is_not_there" {
  command = plan

  variables {
    broker = { type = "kafka.m7g.24xlarge" }
  }

  expect_failures = [var.broker]
}

run "refuses_express_brokers" {
  command = plan

  variables {
    broker = { type = "express.m7g.large" }
  }

  expect_failures = [var.broker]
}

run "refuses_another_service_s_type" {
  command = plan

  variables {
    broker = { type = "m7g.large" }
  }

  expect_failures = [var.broker]
}
