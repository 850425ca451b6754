# AWS, or an emulator of it on this machine, where made-up credentials are good enough and nothing may reach AWS.

locals {
  emulated = var.emulator != null
}

provider "aws" {
  region              = var.region
  allowed_account_ids = local.emulated ? [] : [var.account_id]

  access_key                  = local.emulated ? "local" : null
  secret_key                  = local.emulated ? "local" : null
  max_retries                 = local.emulated ? 2 : null # an emulator's 500 is final
  s3_use_path_style           = local.emulated
  skip_credentials_validation = local.emulated
  skip_metadata_api_check     = local.emulated ? "true" : null
  skip_requesting_account_id  = local.emulated

  # An emulator wants every service named.
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
    rds            = var.emulator
    s3             = var.emulator
    scheduler      = var.emulator
    secretsmanager = var.emulator
    sns            = var.emulator
    sqs            = var.emulator
    sts            = var.emulator
    wafv2          = var.emulator
  }

  default_tags {
    tags = { Project = "millrace", Environment = var.environment, ManagedBy = "terraform" }
  }
}
