# NiFi on Fargate, for the flow of nifi/: it has no address of its own; people reach it by ECS Exec and port forwarding.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  arn = "arn:${data.aws_partition.current.partition}"
  at  = "${data.aws_region.current.name}:${var.account_id}"

  # incoming, done and set-aside lie here in the bucket.
  intake_prefix = "intake/"
}

resource "aws_ecs_cluster" "this" {
  name = "${var.name}-nifi"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "this" {
  #checkov:skip=CKV_AWS_336:NiFi writes its flow and repositories to its own disk, which lives as long as the task
  family                   = "${var.name}-nifi"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.vcpu
  memory                   = var.memory_mib
  execution_role_arn       = aws_iam_role.this["start"].arn
  task_role_arn            = aws_iam_role.this["flow"].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  container_definitions = jsonencode([{
    name      = "nifi"
    image     = var.image
    essential = true
    user      = "nifi"
    environment = [
      { name = "NIFI_WEB_HTTPS_HOST", value = "127.0.0.1" },
      { name = "KAFKA_BROKERS", value = var.kafka.brokers },
      { name = "KAFKA_SECURITY_PROTOCOL", value = "SASL_SSL" },
      { name = "INTAKE_BUCKET", value = var.intake.bucket },
      { name = "INTAKE_PREFIX", value = local.intake_prefix },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.current.name
        awslogs-stream-prefix = "nifi"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name                   = "${var.name}-nifi"
  cluster                = aws_ecs_cluster.this.id
  task_definition        = aws_ecs_task_definition.this.arn
  desired_count          = 1
  launch_type            = "FARGATE"
  platform_version       = "LATEST"
  enable_execute_command = true

  # Two of them would send a file twice.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/nifi"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}
