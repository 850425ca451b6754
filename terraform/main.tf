# The whole platform of one environment. environments/ give values; what there is stands here.

locals {
  name  = "millrace-${var.environment}"
  zones = [for zone in var.zones : "${var.region}${zone}"]
}

data "aws_partition" "current" {}
data "aws_region" "current" {}

module "keys" {
  source = "./modules/keys"

  name       = local.name
  account_id = var.account_id
}

module "network" {
  source = "./modules/network"

  name               = local.name
  cidr               = var.cidr
  zones              = local.zones
  log_retention_days = var.log_retention_days
  log_key_arn        = module.keys.arns.telemetry

  interface_endpoints = setunion(
    ["lambda", "sts", "secretsmanager", "logs", "xray"],
    var.streaming == null ? [] : ["kafka"],
    var.nifi == null ? [] : ["ecr.api", "ecr.dkr", "ssmmessages"],
  )
}

module "storage" {
  source = "./modules/storage"

  name         = local.name
  account_id   = var.account_id
  data_key_arn = module.keys.arns.data
  require_tls  = var.require_tls

  deletion_protection = var.deletion_protection
}

module "streaming" {
  source = "./modules/streaming"
  count  = var.streaming == null ? 0 : 1

  name               = local.name
  variant            = var.streaming.variant
  topics             = var.streaming.topics
  broker             = var.streaming.broker
  subnet_ids         = module.network.subnet_ids
  security_group_ids = [module.network.security_group_ids.streaming]
  data_key_arn       = module.keys.arns.data
  log_key_arn        = module.keys.arns.telemetry
  log_retention_days = var.log_retention_days
}

module "database" {
  source = "./modules/database"
  count  = var.database == null ? 0 : 1

  name                  = local.name
  account_id            = var.account_id
  engine                = var.database.engine
  engine_version        = var.database.engine_version
  instance_class        = var.database.instance_class
  storage               = var.database.storage
  multi_az              = var.database.multi_az
  backup_retention_days = var.database.backup_retention_days
  deletion_protection   = var.deletion_protection
  proxy                 = var.database.proxy
  subnet_ids            = module.network.subnet_ids
  security_group_ids    = [module.network.security_group_ids.database]
  data_key_arn          = module.keys.arns.data
  data_key_alias        = module.keys.aliases.data
  log_key_arn           = module.keys.arns.telemetry
  log_retention_days    = var.log_retention_days
  passwords             = { functions = var.secrets.mysql_functions, bi = var.secrets.mysql_bi }
  passwords_version     = var.secrets_version
}

module "documents" {
  source = "./modules/documents"
  count  = var.documents == null ? 0 : 1

  name                = local.name
  account_id          = var.account_id
  instance_class      = var.documents.instance_class
  instances           = var.documents.instances
  deletion_protection = var.deletion_protection
  subnet_ids          = module.network.subnet_ids
  security_group_ids  = [module.network.security_group_ids.documents]
  data_key_arn        = module.keys.arns.data
  log_key_arn         = module.keys.arns.telemetry
  log_retention_days  = var.log_retention_days
}

module "dashboard" {
  source = "./modules/dashboard"
  count  = length(local.pages)

  name       = local.name
  account_id = var.account_id
  function = {
    name       = module.function[local.pages[count.index].function].name
    alias_arn  = module.function[local.pages[count.index].function].alias_arn
    invoke_arn = module.function[local.pages[count.index].function].invoke_arn
  }
  paths               = local.pages[count.index].paths
  timeout_seconds     = local.manifests[local.pages[count.index].function].timeout_seconds
  domain              = var.domain
  waf                 = var.waf
  deletion_protection = var.deletion_protection
  log_key_arn         = module.keys.arns.telemetry
  log_retention_days  = var.log_retention_days
}

module "alarms" {
  source = "./modules/alarms"

  name       = local.name
  account_id = var.account_id
  groups     = local.alarms.groups
  silence    = local.alarms.silence
  alarms     = local.alarms.alarms
  thresholds = var.alarms.thresholds
  emails     = var.emails
  webhooks   = var.webhooks
  slack      = var.slack
  teams      = var.teams
  composite  = var.alarms.composite
  runbook    = coalesce(var.runbook, "docs/runbook.md")
  key_arn    = module.keys.arns.telemetry

  functions = { for function, it in module.function : function => {
    full_name = it.name, timeout_ms = it.timeout_ms, mappings = it.mappings, queue = it.schedule_failures_queue,
    seldom    = contains(local.seldom, function)
  } }
  database  = var.database == null ? null : { identifier = module.database[0].identifier, cluster = var.database.engine == "aurora" }
  documents = var.documents == null ? null : module.documents[0].identifier
  streaming = var.streaming == null ? null : { cluster_name = local.name, brokers = var.streaming.variant == "provisioned" ? var.streaming.broker.count : 0 }
}

module "bi" {
  source = "./modules/bi"
  count  = var.bi == null || var.database == null ? 0 : 1

  name               = local.name
  account_id         = var.account_id
  principal          = var.bi.principal
  identity_region    = var.bi.identity_region
  secrets_role       = var.bi.secrets_role
  subnet_ids         = module.network.subnet_ids
  security_group_ids = [module.network.security_group_ids.mysql_client]
  database           = { host = module.database[0].host, secret_arn = module.database[0].user_secret_arns.bi }
  data_key_alias     = module.keys.aliases.data
}

module "spark" {
  source = "./modules/spark"
  count  = var.spark == null ? 0 : 1

  name               = local.name
  account_id         = var.account_id
  limit              = { vcpu = var.spark.vcpu, memory_gb = var.spark.memory_gb }
  subnet_ids         = module.network.subnet_ids
  security_group_ids = [module.network.security_group_ids.aws_client]
  bucket_arn         = module.storage.arns.objects
  data_key           = local.data_key
  log_key_arn        = module.keys.arns.telemetry
  log_retention_days = var.log_retention_days
}

module "nifi" {
  source = "./modules/nifi"
  count  = var.nifi == null || var.streaming == null ? 0 : 1

  name               = local.name
  account_id         = var.account_id
  image              = var.nifi.image
  subnet_ids         = module.network.subnet_ids
  security_group_ids = [module.network.security_group_ids.aws_client, module.network.security_group_ids.kafka_client]
  kafka              = { cluster_name = local.name, brokers = module.streaming[0].brokers, topics = keys(var.streaming.topics) }
  intake             = { bucket = module.storage.buckets.objects, bucket_arn = module.storage.arns.objects, key_alias = local.data_key.alias }
  log_key_arn        = module.keys.arns.telemetry
  log_retention_days = var.log_retention_days
}

module "pipeline" {
  source = "./modules/pipeline"
  count  = var.pipeline == null ? 0 : 1

  name             = local.name
  account_id       = var.account_id
  repository       = var.pipeline.repository
  environment      = var.environment
  make_provider    = var.pipeline.make_provider
  functions        = [for function in sort(keys(local.manifests)) : "${local.name}-${function}"]
  migrate_function = "${local.name}-migrate"
  data_key_alias   = module.keys.aliases.data
}
