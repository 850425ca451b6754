# One function, whichever: its manifest says what it is.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  full_name = "${var.name}-${var.function}"
  region    = data.aws_region.current.name
  partition = data.aws_partition.current.partition

  # ARNs are put together from names, which are stable, so that a plan shows what a policy grants.
  function_arn = "arn:${local.partition}:lambda:${local.region}:${var.account_id}:function:${local.full_name}"
  alias_arn    = "${local.function_arn}:live"
  log_arn      = "arn:${local.partition}:logs:${local.region}:${var.account_id}:log-group:/aws/lambda/${local.full_name}"

  needs     = toset(var.manifest.needs)
  kafka     = { for trigger in var.manifest.triggers : trigger.kafka.topic => trigger.kafka if trigger.kafka != null && local.msk }
  schedules = { for trigger in var.manifest.triggers : trigger.schedule.name => trigger.schedule if trigger.schedule != null }

  msk         = var.services.kafka == null ? false : !var.services.kafka.external
  owns_schema = var.schema_owner != null

  variables_of = {
    mysql = var.services.mysql == null ? {} : local.owns_schema ? {
      MILLRACE_MYSQL_URL                 = var.schema_owner.url
      MILLRACE_MYSQL_PASSWORD_SECRET_ARN = var.schema_owner.admin_secret_arn
      MILLRACE_MYSQL_USER_SECRET_ARNS    = join(",", [for user in sort(keys(var.schema_owner.user_secret_arns)) : var.schema_owner.user_secret_arns[user]])
      } : merge(
      { MILLRACE_MYSQL_URL = var.services.mysql.url },
      var.services.mysql.external ? {} : { MILLRACE_MYSQL_PASSWORD_SECRET_ARN = var.services.mysql.secret_arn },
    )
    documents = var.services.documents == null ? {} : merge(
      { MILLRACE_DOCUMENTS_URL = var.services.documents.url, MILLRACE_DOCUMENTS_DATABASE = "millrace" },
      var.services.documents.external ? {} : {
        MILLRACE_DOCUMENTS_USER                = var.services.documents.user
        MILLRACE_DOCUMENTS_PASSWORD_SECRET_ARN = var.services.documents.secret_arn
      },
    )
    objects = var.services.objects == null ? {} : {
      MILLRACE_OBJECTS_BUCKET = var.services.objects.bucket
    }
    # MSK is asked for its brokers: their addresses change, an ARN does not.
    kafka = var.services.kafka == null ? {} : local.msk ? { MILLRACE_KAFKA_CLUSTER_ARN = var.services.kafka.cluster_arn } : { MILLRACE_KAFKA_BROKERS = var.services.kafka.brokers }
    session = var.services.session == null ? {} : merge(
      {
        MILLRACE_DASHBOARD_PASSWORD_HASH_SECRET_ARN = var.services.session.password_hash_arn
        MILLRACE_SESSION_SECRET_SECRET_ARN          = var.services.session.secret_arn
      },
      var.services.session.sign_in == null ? {} : {
        MILLRACE_SIGN_IN_ADDRESS   = var.services.session.sign_in.address
        MILLRACE_SIGN_IN_CLIENT_ID = var.services.session.sign_in.client_id
      },
    )
  }

  variables = merge(concat([for need in sort(var.manifest.needs) : local.variables_of[need]], [var.environment, var.manifest.environment])...)

  security_group_ids = concat(
    [var.security_group_ids.aws],
    contains(local.needs, "mysql") ? [var.security_group_ids.mysql] : [],
    contains(local.needs, "documents") ? [var.security_group_ids.documents] : [],
    contains(local.needs, "kafka") ? [var.security_group_ids.kafka] : [],
  )
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.full_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_272:The package comes from this repository's own pipeline, whose role alone may change it (modules/pipeline)
  #checkov:skip=CKV_AWS_116:Mappings have an on-failure destination; a scheduled run that fails is alarmed, and the next one does its work
  function_name = local.full_name
  description   = var.manifest.description
  role          = aws_iam_role.this.arn

  filename         = var.package
  source_code_hash = filebase64sha256(var.package) # of what Terraform sent last; scripts/deploy publishes what differs
  publish          = true
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = ["arm64"]

  timeout                        = var.manifest.timeout_seconds
  memory_size                    = var.manifest.memory_mb
  reserved_concurrent_executions = var.manifest.concurrency
  kms_key_arn                    = var.data_key.arn

  environment {
    variables = local.variables
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = local.security_group_ids
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  logging_config {
    log_format = "Text" # the functions write JSON lines themselves, and EMF must reach the log unchanged
    log_group  = aws_cloudwatch_log_group.this.name
  }

  lifecycle {
    precondition {
      condition     = alltrue([for need in local.needs : length(local.variables_of[need]) > 0])
      error_message = "${var.function} needs what this environment does not have: ${join(", ", [for need in local.needs : need if length(local.variables_of[need]) == 0])}."
    }

    precondition {
      condition     = alltrue([for topic in keys(local.kafka) : contains(keys(var.partitions), topic)])
      error_message = "${var.function} reads a topic that streaming does not make: ${join(", ", [for topic in keys(local.kafka) : topic if !contains(keys(var.partitions), topic)])}."
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

# What is invoked. A deploy moves it to a new version once the schema is there (scripts/deploy).
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What triggers invoke"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}
