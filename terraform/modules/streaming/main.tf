# Kafka on MSK: TLS only, clients sign in by IAM.

locals {
  provisioned = var.variant == "provisioned"
  cluster_arn = local.provisioned ? aws_msk_cluster.this[0].arn : aws_msk_serverless_cluster.this[0].arn
}

resource "aws_msk_configuration" "this" {
  count = local.provisioned ? 1 : 0

  name           = "${var.name}-brokers"
  description    = "Nothing is lost: three copies, two of them written before a producer is answered"
  kafka_versions = [var.broker.version]

  server_properties = <<-EOT
    auto.create.topics.enable=false
    default.replication.factor=3
    min.insync.replicas=2
    unclean.leader.election.enable=false
    log.message.timestamp.type=LogAppendTime
  EOT
}

resource "aws_msk_cluster" "this" {
  count = local.provisioned ? 1 : 0

  cluster_name           = var.name
  kafka_version          = var.broker.version
  number_of_broker_nodes = var.broker.count
  enhanced_monitoring    = "DEFAULT" # has all that alarms watch, and is free

  broker_node_group_info {
    instance_type   = var.broker.type
    client_subnets  = var.subnet_ids
    security_groups = var.security_group_ids

    connectivity_info {
      public_access {
        type = "DISABLED"
      }
    }

    storage_info {
      ebs_storage_info {
        volume_size = var.broker.storage_gib
      }
    }
  }

  client_authentication {
    unauthenticated = false

    sasl {
      iam = true
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[0].arn
    revision = aws_msk_configuration.this[0].latest_revision
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.data_key_arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.this[0].name
      }
    }
  }

  lifecycle {
    # Disks grow by themselves (disks.tf) and never shrink.
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size]
  }
}

resource "aws_cloudwatch_log_group" "this" {
  count = local.provisioned ? 1 : 0

  name              = "/${var.name}/brokers"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_msk_serverless_cluster" "this" {
  count = local.provisioned ? 0 : 1

  cluster_name = var.name

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }
}
