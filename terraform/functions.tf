# Every function that has a manifest, as its manifest says.

locals {
  alarms = jsondecode(file("${path.module}/alarms.json"))

  raw = { for file in fileset(var.manifests, "*/function.json") : dirname(file) => jsondecode(file("${var.manifests}/${file}")) }

  # A schedule's event may have any shape: it travels as its JSON.
  manifests = { for function, it in local.raw : function => {
    description     = it.description
    timeout_seconds = it.timeout_seconds
    memory_mb       = it.memory_mb
    concurrency     = try(it.concurrency, 1)
    needs           = try(it.needs, [])
    objects         = try(it.objects, {})
    environment     = try(it.environment, {})
    triggers = [for trigger in try(it.triggers, []) : {
      kafka = try(trigger.kafka, null)
      http  = try(trigger.http, null)
      schedule = !can(trigger.schedule) ? null : {
        name                   = trigger.schedule.name
        expression             = trigger.schedule.expression
        timezone               = try(trigger.schedule.timezone, "UTC")
        input_json             = jsonencode(try(trigger.schedule.input, {}))
        maximum_retry_attempts = try(trigger.schedule.maximum_retry_attempts, 0)
      }
    }]
  } }

  # The functions behind the API, with their paths: the page, or none.
  pages = [for function, it in local.raw : {
    function = function
    paths    = [for trigger in try(it.triggers, []) : trigger.http.path if can(trigger.http)]
  } if var.page && anytrue([for trigger in try(it.triggers, []) : can(trigger.http)])]

  # Those that schedules alone run, less often than each minute: one failed run has an alarm of its own.
  seldom = [for function, it in local.raw : function if length(try(it.triggers, [])) > 0 && alltrue([
    for trigger in try(it.triggers, []) : try(trigger.schedule.expression, "rate(1 minute)") != "rate(1 minute)"
  ])]

  data_key = { arn = module.keys.arns.data, alias = module.keys.aliases.data }

  services = {
    mysql = var.database != null ? {
      url            = module.database[0].url
      external       = false
      secret_pattern = "${local.name}/mysql/functions"
      secret_arn     = module.database[0].user_secret_arns.functions
    } : var.external.mysql_url == null ? null : { url = var.external.mysql_url, external = true, secret_pattern = null, secret_arn = null }

    documents = var.documents != null ? {
      url         = module.documents[0].url
      external    = false
      user        = module.documents[0].username
      cluster_arn = module.documents[0].cluster_arn
      secret_arn  = module.documents[0].secret_arn
    } : var.external.documents_url == null ? null : { url = var.external.documents_url, external = true, user = null, cluster_arn = null, secret_arn = null }

    kafka = var.streaming != null ? {
      brokers      = null
      external     = false
      cluster_arn  = module.streaming[0].cluster_arn
      cluster_name = local.name
    } : var.external.kafka_brokers == null ? null : { brokers = var.external.kafka_brokers, external = true, cluster_arn = null, cluster_name = null }

    objects = { bucket = module.storage.buckets.objects, arn = module.storage.arns.objects }

    session = {
      password_hash_arn     = aws_secretsmanager_secret.session["password-hash"].arn
      password_hash_pattern = "${local.name}/dashboard/password-hash"
      secret_arn            = aws_secretsmanager_secret.session["session"].arn
      secret_pattern        = "${local.name}/dashboard/session"
      # By its index, and not by a walk over the module: the API behind the page waits for the function, the sign-in does not.
      sign_in = length(local.pages) == 0 ? null : { address = module.dashboard[0].sign_in.address, client_id = module.dashboard[0].sign_in.client_id }
    }
  }

  schema_owner = var.database == null ? null : {
    url                  = module.database[0].admin_url
    admin_secret_arn     = module.database[0].admin_secret_arn
    database_arn         = module.database[0].database_arn
    user_secret_arns     = module.database[0].user_secret_arns
    user_secret_patterns = ["${local.name}/mysql/bi", "${local.name}/mysql/functions"]
  }
}

module "function" {
  source   = "./modules/function"
  for_each = local.manifests

  name               = local.name
  function           = each.key
  account_id         = var.account_id
  manifest           = each.value
  package            = "${var.packages}/${each.key}/bootstrap.zip"
  services           = local.services
  schema_owner       = each.key == "migrate" ? local.schema_owner : null
  partitions         = var.streaming == null ? {} : { for topic, it in var.streaming.topics : topic => it.partitions }
  failed_batches     = { bucket = module.storage.buckets["failed-batches"], arn = module.storage.arns["failed-batches"] }
  triggers_enabled   = var.triggers_enabled
  shift              = coalesce(var.shift, "CodeDeployDefault.LambdaAllAtOnce")
  subnet_ids         = module.network.subnet_ids
  data_key           = local.data_key
  log_key_arn        = module.keys.arns.telemetry
  log_retention_days = var.log_retention_days
  tracing            = var.tracing

  codedeploy_application = var.shift == null ? null : { name = aws_codedeploy_app.this[0].name, role_arn = aws_iam_role.codedeploy[0].arn }

  security_group_ids = {
    aws       = module.network.security_group_ids.aws_client
    mysql     = module.network.security_group_ids.mysql_client
    documents = module.network.security_group_ids.documents_client
    kafka     = module.network.security_group_ids.kafka_client
  }
}
