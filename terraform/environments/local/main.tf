# An emulator of AWS on this machine. What emulators lack (MSK, RDS, DocumentDB) runs beside them, and the local host drives
# the functions; state stays in a file here.

provider "aws" {
  region     = "eu-central-1"
  access_key = "local"
  secret_key = "local"

  max_retries                 = 2
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  # moto wants every service named.
  endpoints {
    apigatewayv2   = var.emulator
    cloudwatch     = var.emulator
    codedeploy     = var.emulator
    cognitoidp     = var.emulator
    ec2            = var.emulator
    iam            = var.emulator
    kms            = var.emulator
    lambda         = var.emulator
    logs           = var.emulator
    s3             = var.emulator
    scheduler      = var.emulator
    secretsmanager = var.emulator
    sns            = var.emulator
    sqs            = var.emulator
    sts            = var.emulator
    wafv2          = var.emulator
  }

  default_tags {
    tags = { Project = "millrace", Environment = "local", ManagedBy = "terraform" }
  }
}

module "millrace" {
  source = "../../modules/platform"

  name       = "millrace-local"
  account_id = var.account_id
  cidr       = "10.40.0.0/16"
  zones      = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  manifests  = "${path.module}/../../../functions"
  packages   = var.packages

  external            = var.external
  dashboard           = { waf = false }
  alarms              = { composite = false } # emulators have no composite alarms
  shift               = null
  require_tls         = false # an emulator speaks http
  log_retention_days  = 1
  deletion_protection = false
  tracing             = false
  secrets_version     = 1

  # Known to everyone, and good for nothing but an emulator.
  secrets = {
    mysql_functions         = "local-only-local-only-functions"
    mysql_bi                = "local-only-local-only-bi-user-x"
    dashboard_password_hash = "$argon2id$v=19$m=19456,t=2,p=1$bG9jYWwtb25seS1zYWx0$bG9jYWwtb25seS1ub3QtYS1yZWFsLWhhc2gtYXQtYWxs"
    session                 = "0000000000000000000000000000000000000000000000000000000000000000"
  }
}
