variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_ids" {
  description = "The groups that reach AWS services."
  type        = list(string)
}

variable "bucket_arn" {
  description = "The bucket of the archive, the models and the jobs."
  type        = string
}

variable "data_key" {
  description = "The KMS key of the bucket."
  type        = object({ arn = string, alias = string })
}

variable "limit" {
  description = "The most that all jobs together may use."
  type        = object({ vcpu = optional(number, 64), memory_gb = optional(number, 256) })
  default     = {}

  validation {
    condition     = var.limit.vcpu >= 4 && var.limit.memory_gb >= 16
    error_message = "limit must allow at least 4 vCPU and 16 GB, a driver and an executor."
  }
}

variable "log_key_arn" {
  description = "The KMS key of the jobs' log."
  type        = string
}

variable "log_retention_days" {
  description = "How long the jobs' log is kept, in days."
  type        = number
  default     = 365
}
