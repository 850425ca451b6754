variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "principal" {
  description = "Who sees the data in QuickSight, such as user/default/analyst or group/default/bi."
  type        = string

  validation {
    condition     = can(regex("^(user|group)/[^/]+/.+$", var.principal))
    error_message = "principal must be user/NAMESPACE/NAME or group/NAMESPACE/NAME."
  }
}

variable "identity_region" {
  description = "The region that QuickSight was signed up in, where its users and groups live; null for the region of the deploy."
  type        = string
  default     = null

  validation {
    condition     = var.identity_region == null || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.identity_region))
    error_message = "identity_region must be one of AWS' regions, such as us-east-1."
  }
}

variable "subnet_ids" {
  description = "Private subnets of at least two zones."
  type        = list(string)

  validation {
    condition     = length(distinct(var.subnet_ids)) >= 2
    error_message = "subnet_ids must name at least two subnets: QuickSight wants two zones."
  }
}

variable "security_group_ids" {
  description = "The groups that reach the database."
  type        = list(string)
}

variable "database" {
  description = "The database's host and the BI user's secret."
  type        = object({ host = string, secret_arn = string })
}

variable "data_key_alias" {
  description = "The alias of the KMS key of that secret, by which policies name it."
  type        = string
}

variable "secrets_role" {
  description = "The name of the role by which QuickSight reads secrets, which its console makes when a secret is first allowed."
  type        = string
  default     = "aws-quicksight-secretsmanager-role-v0"

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.secrets_role))
    error_message = "secrets_role must be a role's name, such as aws-quicksight-secretsmanager-role-v0, without ARN and path."
  }
}
