provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { Project = "millrace", Environment = "prod", ManagedBy = "terraform" }
  }
}

module "millrace" {
  source = "../../modules/platform"

  name = "millrace-prod"
  cidr = "10.30.0.0/16"

  # Three brokers, a database that fails over, two document instances; docs/cost.md says what to raise when it grows.
  streaming = {
    variant = "provisioned"
    broker  = { count = 3, type = "kafka.m7g.large", storage_gib = 500 }
    topics = {
      usage-events    = { partitions = 12 }
      sensor-readings = { partitions = 4 }
      customers       = { partitions = 4 }
    }
  }

  database = {
    instance_class        = "db.r7g.xlarge"
    storage               = { initial_gib = 500, most_gib = 4000 }
    multi_az              = true
    backup_retention_days = 35
    proxy                 = true
  }

  documents           = { instance_class = "db.r6g.large", instances = 2 }
  spark               = { vcpu = 64, memory_gb = 256 }
  log_retention_days  = 365
  deletion_protection = true
  shift               = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
  alarms              = { emails = var.emails, thresholds = { database-connections = 1500 } }

  account_id       = var.account_id
  zones            = [for zone in ["a", "b", "c"] : "${var.region}${zone}"]
  manifests        = "${path.module}/../../../functions"
  packages         = var.packages
  secrets          = var.secrets
  secrets_version  = 1 # raise it to send new secrets (docs/deploy.md, Rotate secrets)
  triggers_enabled = var.triggers_enabled
  webhooks         = var.webhooks
  dashboard        = { domain = var.domain }
  bi               = var.bi
  nifi             = var.nifi
  pipeline         = var.pipeline
}
