# The state's bucket and region are given at init (scripts/deploy); a lock object beside the state keeps out a second run.
terraform {
  backend "s3" {
    key          = "millrace/prod/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
