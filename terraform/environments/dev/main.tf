provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { Project = "millrace", Environment = "dev", ManagedBy = "terraform" }
  }
}

module "millrace" {
  source = "../../modules/platform"

  name = "millrace-dev"
  cidr = "10.20.0.0/16"

  # Serverless Kafka, one database, one document instance: little to pay, little to lose.
  streaming = {
    variant = "serverless"
    topics = {
      usage-events    = { partitions = 4 }
      sensor-readings = { partitions = 2 }
      customers       = { partitions = 2 }
    }
  }

  database = {
    instance_class        = "db.t4g.medium"
    storage               = { initial_gib = 50, most_gib = 200 }
    multi_az              = false
    backup_retention_days = 7
    proxy                 = false
  }

  documents           = { instance_class = "db.t4g.medium", instances = 1 }
  spark               = { vcpu = 16, memory_gb = 64 }
  log_retention_days  = 30
  deletion_protection = false
  shift               = "CodeDeployDefault.LambdaAllAtOnce"
  alarms              = { emails = var.emails, thresholds = { database-connections = 200 } }

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
