terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Which bucket, and where: environments/*/backend.hcl, and scripts/terraform for what differs between accounts. A lock
  # object beside the state keeps out a second run.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
