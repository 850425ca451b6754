variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "function" {
  description = "The function's name: its folder, package and binary."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.function))
    error_message = "function must be 2 to 31 lower-case letters, digits and hyphens."
  }
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "package" {
  description = "The zip with the binary `bootstrap`, as cargo lambda writes it."
  type        = string
}

variable "environment" {
  description = "Variables beside those of the manifest and of its needs, such as settings of the environment."
  type        = map(string)
  default     = {}
}

variable "services" {
  description = "What there is for functions that need it, by the manifest's groups. A function is given what its manifest needs and no more. An external service is not AWS' own (an emulator's neighbour): no secret, no mapping."
  type = object({
    mysql     = optional(object({ url = string, external = optional(bool, false), secret_pattern = optional(string), secret_arn = optional(string) }))
    documents = optional(object({ url = string, external = optional(bool, false), user = optional(string), cluster_arn = optional(string), secret_arn = optional(string) }))
    objects   = optional(object({ bucket = string, arn = string }))
    kafka     = optional(object({ brokers = optional(string), external = optional(bool, false), cluster_arn = optional(string), cluster_name = optional(string) }))
    session = optional(object({
      password_hash_arn = string, password_hash_pattern = string,
      secret_arn        = string, secret_pattern = string,
      sign_in           = optional(object({ address = string, client_id = string }))
    }))
  })
}

variable "schema_owner" {
  description = "For the function that keeps the schema: the administrator's connection and the secrets of the users that it makes. Null for all others."
  type = object({
    url                  = string
    admin_secret_arn     = string
    database_arn         = string
    user_secret_arns     = map(string)
    user_secret_patterns = list(string)
  })
  default = null
}

variable "partitions" {
  description = "The partitions of each topic: a mapping never has more pollers than that."
  type        = map(number)
  default     = {}
}

variable "failed_batches" {
  description = "The bucket for batches that a mapping gave up on; null where there are no mappings."
  type        = object({ bucket = string, arn = string })
  default     = null
}

variable "triggers_enabled" {
  description = "Whether mappings and schedules run. The first deploy makes them disabled, until the schema is there."
  type        = bool
  default     = true
}

variable "shift" {
  description = "How traffic moves to a new version: a CodeDeploy configuration for Lambda, such as CodeDeployDefault.LambdaCanary10Percent5Minutes."
  type        = string
  default     = "CodeDeployDefault.LambdaAllAtOnce"

  validation {
    condition     = can(regex("^CodeDeployDefault\\.Lambda(AllAtOnce|Canary10Percent(5|10|15|30)Minutes|Linear10PercentEvery(1Minute|(2|3|10)Minutes))$", var.shift))
    error_message = "shift must be one of CodeDeploy's configurations for Lambda: CodeDeployDefault.LambdaAllAtOnce, …LambdaCanary10Percent5Minutes (or 10, 15, 30) or …LambdaLinear10PercentEvery1Minute (or 2Minutes, 3Minutes, 10Minutes)."
  }
}

variable "codedeploy_application" {
  description = "The CodeDeploy application of all functions; null moves the alias at once."
  type        = object({ name = string, role_arn = string })
  default     = null
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Client groups by the manifest's needs, and aws for AWS' own services."
  type        = object({ aws = string, mysql = string, documents = string, kafka = string })
}

variable "data_key" {
  description = "The KMS key of secrets, objects, queues and variables."
  type        = object({ arn = string, alias = string })
}

variable "log_key_arn" {
  description = "The KMS key of the log."
  type        = string
}

variable "log_retention_days" {
  description = "How long the log is kept, in days."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "tracing" {
  description = "Whether invocations are traced by X-Ray."
  type        = bool
  default     = true
}
