variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "groups" {
  description = "Alarms that page as one, and the groups that may explain them (terraform/alarms.json)."
  type        = list(object({ name = string, silenced_by = list(string) }))

  validation {
    condition     = alltrue(flatten([for group in var.groups : [for by in group.silenced_by : by != group.name && contains(var.groups[*].name, by)]]))
    error_message = "silenced_by must name other groups."
  }
}

variable "silence" {
  description = "How long a page waits for what may explain it, and how long it keeps quiet after that (terraform/alarms.json)."
  type        = object({ wait_seconds = number, extension_seconds = number })
}

variable "alarms" {
  description = "The alarms (terraform/alarms.json), the same that a stack on a laptop evaluates."
  type = list(object({
    name                = string
    group               = string
    for                 = string
    namespace           = string
    metric              = string
    unit                = string
    dimensions          = map(string)
    statistic           = string
    period_seconds      = number
    evaluation_periods  = number
    datapoints_to_alarm = number
    comparison          = string
    threshold           = number
    threshold_of        = optional(string)
    missing_data        = string
    severity            = string
    meaning             = string
  }))

  validation {
    condition     = alltrue([for alarm in var.alarms : contains(["critical", "warning"], alarm.severity)])
    error_message = "severity must be critical or warning."
  }

  validation {
    condition     = alltrue([for alarm in var.alarms : contains(["breaching", "notBreaching", "ignore", "missing"], alarm.missing_data)])
    error_message = "missing_data must be breaching, notBreaching, ignore or missing."
  }

  validation {
    condition     = alltrue([for alarm in var.alarms : alarm.datapoints_to_alarm <= alarm.evaluation_periods])
    error_message = "datapoints_to_alarm must not be more than evaluation_periods."
  }

  validation {
    condition     = alltrue([for alarm in var.alarms : contains([10, 30], alarm.period_seconds) || alarm.period_seconds % 60 == 0])
    error_message = "period_seconds must be 10, 30 or a multiple of 60."
  }

  validation {
    condition     = alltrue([for alarm in var.alarms : alarm.period_seconds * alarm.evaluation_periods <= 86400])
    error_message = "an alarm must look back a day at most."
  }

  validation {
    condition     = length(distinct([for alarm in var.alarms : alarm.name])) == length(var.alarms)
    error_message = "alarms' names must be unique."
  }
}

variable "thresholds" {
  description = "Thresholds of this environment, by the alarm's name."
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.thresholds), var.alarms[*].name)) == 0
    error_message = "thresholds must name alarms; there is no ${join(", ", setsubtract(keys(var.thresholds), var.alarms[*].name))}."
  }
}

variable "functions" {
  description = "The functions by name: full name, timeout, what they read, the queue of failed schedules, and whether schedules alone run them, less often than each minute."
  type = map(object({
    full_name  = string
    timeout_ms = number
    mappings   = map(object({ consumer_group = string, uuid = string }))
    queue      = optional(string)
    seldom     = optional(bool, false)
  }))
}

variable "database" {
  description = "The database; null where there is none. Aurora's disk grows without end."
  type        = object({ identifier = string, cluster = bool })
  default     = null
}

variable "documents" {
  description = "The document database's cluster; null where there is none."
  type        = string
  default     = null
}

variable "streaming" {
  description = "Kafka's cluster and its number of brokers, 0 for the serverless variant; null where there is none."
  type        = object({ cluster_name = string, brokers = number })
  default     = null
}

variable "key_arn" {
  description = "The KMS key of the topics."
  type        = string
}

variable "runbook" {
  description = "Where the runbook is read; an alarm's description ends with it and the alarm's name, a page's with those of its alarms."
  type        = string
  default     = "docs/runbook.md"
}

variable "emails" {
  description = "Who is written to, by severity. Each address confirms once."
  type        = object({ critical = optional(set(string), []), warning = optional(set(string), []) })
  default     = {}
}

variable "webhooks" {
  description = "HTTPS targets of on-call services that confirm a subscription of SNS and take its messages, by severity. They hold secrets."
  type        = object({ critical = optional(list(string), []), warning = optional(list(string), []) })
  default     = {}
  sensitive   = true

  validation {
    condition     = alltrue([for url in concat(var.webhooks.critical, var.webhooks.warning) : startswith(url, "https://")])
    error_message = "webhooks must begin with https://"
  }
}

variable "slack" {
  description = "Slack's channels that are told, by severity, and their workspace; both by their ids. null for none."
  type = object({
    team_id  = string
    channels = object({ critical = optional(string), warning = optional(string) })
  })
  default = null

  validation {
    condition     = var.slack == null || can(regex("^T[0-9A-Z]{1,254}$", var.slack.team_id))
    error_message = "slack.team_id must be a workspace's id, such as T07EA123LEP."
  }

  validation {
    condition     = var.slack == null || alltrue([for channel in try(compact(values(var.slack.channels)), []) : can(regex("^[CG][0-9A-Z]{1,254}$", channel))])
    error_message = "slack.channels must be ids of channels, such as C07EZ1ABC23, not their names."
  }

  validation {
    condition     = var.slack == null || length(try(compact(values(var.slack.channels)), [])) > 0
    error_message = "slack.channels must have a channel for critical, for warning or for both."
  }
}

variable "teams" {
  description = "Microsoft Teams' channels that are told, by severity, with their team and tenant; all by their ids. null for none."
  type = object({
    team_id   = string
    tenant_id = string
    channels  = object({ critical = optional(string), warning = optional(string) })
  })
  default = null

  validation {
    condition     = var.teams == null || alltrue([for id in try([var.teams.team_id, var.teams.tenant_id], []) : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", id))])
    error_message = "teams.team_id and teams.tenant_id must be UUIDs in lower case."
  }

  validation {
    condition     = var.teams == null || alltrue([for channel in try(compact(values(var.teams.channels)), []) : can(regex("^19(:|%3A)\\S+(@|%40)thread\\.(tacv2|skype)$", channel))])
    error_message = "teams.channels must be ids of channels as their links have them, such as 19%3A0123%40thread.tacv2."
  }

  validation {
    condition     = var.teams == null || length(try(compact(values(var.teams.channels)), [])) > 0
    error_message = "teams.channels must have a channel for critical, for warning or for both."
  }
}

variable "composite" {
  description = "Whether alarms of one group page as one. Emulators have no composite alarms: each pages by itself there."
  type        = bool
  default     = true
}
