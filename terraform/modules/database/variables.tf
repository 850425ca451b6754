variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "engine" {
  description = "rds: one MySQL 8.4 instance, Multi-AZ when asked. aurora: Aurora MySQL, for those who outgrow it."
  type        = string
  default     = "rds"

  validation {
    condition     = contains(["rds", "aurora"], var.engine)
    error_message = "engine must be rds or aurora."
  }
}

variable "engine_version" {
  description = "The engine's version: 8.4 for rds, whose minor versions come by themselves; such as 8.0.mysql_aurora.3.10.0 for aurora, which is raised here."
  type        = string
  default     = "8.4"

  validation {
    condition     = startswith(var.engine_version, var.engine == "aurora" ? "8.0.mysql_aurora.3." : "8.4")
    error_message = "engine_version must be 8.4 for rds and an 8.0.mysql_aurora.3 for aurora: the parameter groups are of these, and MySQL 8.0 itself is past its end."
  }
}

variable "instance_class" {
  description = "The instances' class, such as db.r7g.large."
  type        = string

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class must begin with db."
  }

  validation {
    condition     = !can(regex(var.engine == "aurora" ? "^db\\.(t2|t3)\\.|\\.(micro|small)$" : "\\.(micro|small)$", var.instance_class))
    error_message = "instance_class must be medium or larger, such as db.t4g.medium, and for aurora not of db.t2 or db.t3: the others have no Performance Insights."
  }
}

variable "storage" {
  description = "Disk of the rds engine in GiB, and how far it grows by itself."
  type        = object({ initial_gib = number, most_gib = number })
  default     = { initial_gib = 100, most_gib = 1000 }

  validation {
    condition     = var.storage.initial_gib >= 20 && var.storage.most_gib >= 1.1 * var.storage.initial_gib
    error_message = "storage.initial_gib must be at least 20, and storage.most_gib at least a tenth more than it: RDS takes no less."
  }
}

variable "multi_az" {
  description = "Whether a second zone takes over; on aurora, whether there is a second instance."
  type        = bool
}

variable "backup_retention_days" {
  description = "How far back any second can be restored, in days."
  type        = number

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days must be 1 to 35: without backups a mistake is final."
  }
}

variable "deletion_protection" {
  description = "Whether deleting the database is refused."
  type        = bool
}

variable "proxy" {
  description = "Whether clients connect by RDS Proxy: faster failover, shared connections; prepared statements pin theirs."
  type        = bool
}

variable "subnet_ids" {
  description = "Private subnets of at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name subnets of at least two zones."
  }
}

variable "security_group_ids" {
  description = "The database's and its proxy's security groups."
  type        = list(string)
}

variable "data_key_arn" {
  description = "The KMS key of disks, backups and secrets."
  type        = string
}

variable "data_key_alias" {
  description = "The same key's alias, by which policies name it."
  type        = string
}

variable "log_key_arn" {
  description = "The KMS key of the logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long the logs are kept, in days."
  type        = number
  default     = 365
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "passwords" {
  description = "The passwords of the users functions and bi. They are sent when passwords_version changes and are never in the state."
  type        = object({ functions = string, bi = string })
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = length(var.passwords.functions) >= 24 && length(var.passwords.bi) >= 24 && var.passwords.functions != var.passwords.bi
    error_message = "passwords must be two different ones of at least 24 characters."
  }
}

variable "passwords_version" {
  description = "Raised to send new passwords."
  type        = number
}
