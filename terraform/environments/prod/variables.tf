variable "account_id" {
  description = "The AWS account, 12 digits (scripts/deploy finds it)."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "packages" {
  description = "The folder of cargo lambda's zips."
  type        = string
  default     = "../../../target/lambda"
}

variable "triggers_enabled" {
  description = "Whether mappings and schedules run; false in the first deploy, until the schema is there."
  type        = bool
  default     = true
}

variable "emails" {
  description = "Who is written to, by severity."
  type        = object({ critical = optional(set(string), []), warning = optional(set(string), []) })
  default     = {}
}

variable "webhooks" {
  description = "HTTPS targets of chats and on-call services, by severity."
  type        = object({ critical = optional(list(string), []), warning = optional(list(string), []) })
  default     = {}
  sensitive   = true
}

variable "secrets" {
  description = "The secrets' values; sent when secrets_version is raised, never in the state."
  type        = object({ mysql_functions = string, mysql_bi = string, dashboard_password_hash = string, session = string })
  ephemeral   = true
  sensitive   = true
}

variable "domain" {
  description = "An own domain of the page with its certificate; null for API Gateway's address."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}

variable "bi" {
  description = "Who sees the views in QuickSight; null for none."
  type        = object({ principal = string })
  default     = null
}

variable "nifi" {
  description = "NiFi's image; null for none."
  type        = object({ image = string })
  default     = null
}

variable "pipeline" {
  description = "GitHub Actions that may release; null for none."
  type        = object({ repository = string, environment = string, state_bucket = string, state_key = string, make_provider = optional(bool, true) })
  default     = null
}
