variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "instance_class" {
  description = "The instances' class, such as db.t4g.medium."
  type        = string

  validation {
    condition     = can(regex("^db\\.(t3\\.medium|t4g\\.medium|(r5|r6g|r8g)\\.(large|([248]|12|16|24)?xlarge))$", var.instance_class))
    error_message = "instance_class must be db.t3.medium, db.t4g.medium, or of db.r5, db.r6g or db.r8g from large up: DocumentDB has not all of RDS' classes."
  }
}

variable "instances" {
  description = "How many instances: one, or more for failover and reads."
  type        = number

  validation {
    condition     = var.instances >= 1 && var.instances <= 16
    error_message = "instances must be 1 to 16."
  }
}

variable "backup_retention_days" {
  description = "How far back any second can be restored, in days. The documents can be made again from the database."
  type        = number
  default     = 1

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days must be 1 to 35."
  }
}

variable "deletion_protection" {
  description = "Whether deleting the cluster is refused."
  type        = bool
}

variable "subnet_ids" {
  description = "Private subnets of at least two zones."
  type        = list(string)

  validation {
    condition     = length(distinct(var.subnet_ids)) >= 2
    error_message = "subnet_ids must name subnets of at least two zones."
  }
}

variable "security_group_ids" {
  description = "The cluster's security groups."
  type        = list(string)
}

variable "data_key_arn" {
  description = "The KMS key of disks and backups."
  type        = string
}

variable "log_key_arn" {
  description = "The KMS key of the logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long audit and profiler logs are kept, in days."
  type        = number
  default     = 365
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}
