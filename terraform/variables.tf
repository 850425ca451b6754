# ---- what the environment is (environments/*/values.tfvars)

variable "environment" {
  description = "The environment: a folder of environments/, and what every name ends its beginning with, such as millrace-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,9}$", var.environment))
    error_message = "environment must be 1 to 10 lower-case letters and digits."
  }
}

variable "region" {
  description = "The AWS region (scripts/terraform takes it from AWS_REGION)."
  type        = string
  default     = "eu-central-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be one of AWS', such as eu-central-1."
  }
}

variable "account_id" {
  description = "The AWS account, 12 digits (scripts/terraform finds it)."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "zones" {
  description = "Three availability zones of the region, by the letters that their names end with."
  type        = list(string)
  default     = ["a", "b", "c"]

  validation {
    condition     = alltrue([for zone in var.zones : can(regex("^[a-z]$", zone))])
    error_message = "zones must be letters, such as a, b and c."
  }
}

variable "cidr" {
  description = "The VPC's addresses."
  type        = string
}

variable "emulator" {
  description = "The address of an emulator of AWS; null for AWS itself."
  type        = string
  default     = null

  validation {
    condition     = var.emulator == null || can(regex("^http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?$", var.emulator))
    error_message = "emulator must be on this machine, such as http://127.0.0.1:4566."
  }

  validation {
    condition     = (var.emulator != null) == (var.environment == "local")
    error_message = "emulator must be set in the environment local and nowhere else: nothing there may reach AWS."
  }
}

variable "manifests" {
  description = "The folder of the functions, each with its function.json."
  type        = string
  default     = "../functions"

  validation {
    condition     = length(fileset(var.manifests, "*/function.json")) > 0
    error_message = "manifests must be a folder with <function>/function.json."
  }
}

variable "packages" {
  description = "The folder of cargo lambda's zips, <function>/bootstrap.zip."
  type        = string
  default     = "../target/lambda"
}

variable "streaming" {
  description = "Kafka on MSK; null where Kafka is external."
  type = object({
    variant = string
    topics  = map(object({ partitions = number, retention_hours = optional(number, 168) }))
    broker = optional(object({
      count       = optional(number, 3)
      type        = optional(string, "kafka.m7g.large")
      storage_gib = optional(number, 100)
      most_gib    = optional(number, 4000)
    }), {})
  })
  default = null
}

variable "database" {
  description = "The database on RDS; null where it is external."
  type = object({
    engine                = optional(string, "rds")
    engine_version        = optional(string, "8.4")
    instance_class        = string
    storage               = optional(object({ initial_gib = number, most_gib = number }), { initial_gib = 100, most_gib = 1000 })
    multi_az              = bool
    backup_retention_days = number
    proxy                 = bool
  })
  default = null
}

variable "documents" {
  description = "DocumentDB; null where documents are external."
  type        = object({ instance_class = string, instances = number })
  default     = null
}

variable "external" {
  description = "Services that are not AWS', beside an emulator: their addresses."
  type        = object({ mysql_url = optional(string), documents_url = optional(string), kafka_brokers = optional(string) })
  default     = {}
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
}

variable "tracing" {
  description = "Whether invocations are traced."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether deleting databases, users and buckets that hold objects is refused."
  type        = bool
}

variable "require_tls" {
  description = "Whether buckets deny requests without TLS. Only an emulator goes without."
  type        = bool
  default     = true
}

variable "shift" {
  description = "How traffic moves to new versions; null moves the alias without CodeDeploy, where it can't be had."
  type        = string
  default     = "CodeDeployDefault.LambdaAllAtOnce"
}

variable "alarms" {
  description = "The thresholds of this environment by alarm, and whether alarms of one group page as one."
  type = object({
    thresholds = optional(map(number), {})
    composite  = optional(bool, true)
  })
  default = {}
}

variable "page" {
  description = "Whether there is the page's API and its sign-in. Only an emulator that has neither goes without (scripts/terraform finds out)."
  type        = bool
  default     = true

  validation {
    condition     = var.page || var.environment == "local"
    error_message = "page must be true outside of the environment local: people see the platform by it."
  }
}

variable "waf" {
  description = "Whether WAF stands before the page's sign-in."
  type        = bool
  default     = true
}

variable "spark" {
  description = "EMR Serverless for infra/spark; null for none."
  type        = object({ vcpu = number, memory_gb = number })
  default     = null
}

# ---- what a deploy gives (scripts/terraform)

variable "secrets" {
  description = "The secrets' values. They are sent when secrets_version changes and are never in the state."
  type        = object({ mysql_functions = string, mysql_bi = string, dashboard_password_hash = string, session = string })
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.secrets.session))
    error_message = "secrets.session must be 32 bytes in hex."
  }

  validation {
    condition     = startswith(var.secrets.dashboard_password_hash, "$argon2")
    error_message = "secrets.dashboard_password_hash must be an argon2 PHC string."
  }
}

variable "secrets_version" {
  description = "Raised to send new secrets."
  type        = number

  validation {
    condition     = var.secrets_version >= 1 && floor(var.secrets_version) == var.secrets_version
    error_message = "secrets_version must be a whole number from 1."
  }
}

variable "triggers_enabled" {
  description = "Whether mappings and schedules run; false until the first deploy has made the schema."
  type        = bool
  default     = true
}

# ---- what a person or a place gives (environments/*/private.tfvars, not in git)

variable "emails" {
  description = "Who is written to, by severity. Each address confirms once."
  type        = object({ critical = optional(set(string), []), warning = optional(set(string), []) })
  default     = {}

  validation {
    condition     = alltrue([for address in setunion(var.emails.critical, var.emails.warning) : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", address))])
    error_message = "emails must be addresses, such as on-call@example.com."
  }
}

variable "webhooks" {
  description = "HTTPS targets of on-call services that confirm a subscription of SNS, by severity. They hold secrets."
  type        = object({ critical = optional(list(string), []), warning = optional(list(string), []) })
  default     = {}
  sensitive   = true
}

variable "slack" {
  description = "Slack's channels that are told, by severity, and their workspace; both by their ids. null for none."
  type = object({
    team_id  = string
    channels = object({ critical = optional(string), warning = optional(string) })
  })
  default = null
}

variable "teams" {
  description = "Microsoft Teams' channels that are told, by severity, with their team and tenant; all by their ids. null for none."
  type = object({
    team_id   = string
    tenant_id = string
    channels  = object({ critical = optional(string), warning = optional(string) })
  })
  default = null
}

variable "runbook" {
  description = "The address of docs/runbook.md where people read it, which alarms link to; null for its path here."
  type        = string
  default     = null

  validation {
    condition     = var.runbook == null || can(regex("^https://[^\\s#]+$", var.runbook))
    error_message = "runbook must be an address without a section, such as https://github.com/OWNER/NAME/blob/main/docs/runbook.md."
  }
}

variable "domain" {
  description = "An own domain of the page with its certificate; null for API Gateway's address."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}

variable "bi" {
  description = "QuickSight on the views: who sees them, the region that it was signed up in when it is not the deploy's, and the role by which it reads secrets; null for none."
  type = object({
    principal       = string
    identity_region = optional(string)
    secrets_role    = optional(string, "aws-quicksight-secretsmanager-role-v0")
  })
  default = null
}

variable "nifi" {
  description = "NiFi on Fargate; null for none."
  type        = object({ image = string })
  default     = null
}

variable "pipeline" {
  description = "The GitHub repository (OWNER/NAME) whose workflows may release in the GitHub environment of this environment's name, and whether to make GitHub's identity provider, of which an account has one; null for none."
  type        = object({ repository = string, make_provider = optional(bool, true) })
  default     = null
}
