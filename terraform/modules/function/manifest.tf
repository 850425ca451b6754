# The manifest's shape. AWS finds most mistakes only when it is applied; here they end the plan.

variable "manifest" {
  description = "functions/<name>/function.json, the one source of trigger, size and schedule."
  type = object({
    description     = string
    timeout_seconds = number
    memory_mb       = number
    concurrency     = optional(number, 1)
    needs           = optional(list(string), [])
    objects         = optional(object({ reads = optional(list(string), []), writes = optional(list(string), []) }), {})
    environment     = optional(map(string), {})
    triggers = optional(list(object({
      kafka = optional(object({
        topic                      = string
        consumer_group             = string
        batch_size                 = optional(number, 100)
        batch_window_ms            = optional(number, 500)
        starting_position          = string
        report_batch_item_failures = optional(bool, false)
        bisect_on_error            = optional(bool, false)
        maximum_retry_attempts     = optional(number, -1)
        maximum_record_age_seconds = optional(number, -1)
        on_failure                 = optional(string)
      }))
      schedule = optional(object({
        name                   = string
        expression             = string
        timezone               = optional(string, "UTC")
        input_json             = optional(string, "{}")
        maximum_retry_attempts = optional(number, 0)
      }))
      http = optional(object({ path = string }))
    })), [])
  })

  validation {
    condition     = var.manifest.timeout_seconds >= 1 && var.manifest.timeout_seconds <= 900
    error_message = "timeout_seconds must be 1 to 900."
  }

  validation {
    condition     = var.manifest.memory_mb >= 128 && var.manifest.memory_mb <= 10240
    error_message = "memory_mb must be 128 to 10240."
  }

  validation {
    condition     = var.manifest.concurrency >= 1 && var.manifest.concurrency <= 1000
    error_message = "concurrency must be 1 to 1000."
  }

  validation {
    condition     = alltrue([for need in var.manifest.needs : contains(["mysql", "documents", "objects", "kafka", "session"], need)])
    error_message = "needs must be of mysql, documents, objects, kafka and session."
  }

  validation {
    condition     = contains(var.manifest.needs, "objects") == (length(concat(var.manifest.objects.reads, var.manifest.objects.writes)) > 0)
    error_message = "objects must name the prefixes that it reads or writes where it needs objects, and only there."
  }

  # Without the slash at its end, models would be models-of-others/, too, and * is IAM's own.
  validation {
    condition     = alltrue([for prefix in concat(var.manifest.objects.reads, var.manifest.objects.writes) : can(regex("^[a-z0-9-][a-z0-9/-]*/$", prefix))])
    error_message = "objects' prefixes must be lower-case letters, digits, - and /, not begin with / and end with it, such as models/."
  }

  validation {
    condition     = alltrue([for key in keys(var.manifest.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]*$", key)) && !startswith(key, "AWS_") && !startswith(key, "LAMBDA_")])
    error_message = "environment's variables must be letters, digits and underscores, and not begin with AWS_ or LAMBDA_, which are Lambda's own."
  }

  validation {
    condition     = alltrue([for trigger in var.manifest.triggers : length([for kind in [trigger.kafka, trigger.schedule, trigger.http] : 1 if kind != null]) == 1])
    error_message = "each trigger must be one of kafka, schedule and http."
  }

  validation {
    condition     = alltrue([for trigger in var.manifest.triggers : try(trigger.kafka.batch_size >= 1 && trigger.kafka.batch_size <= 10000, true) if trigger.kafka != null])
    error_message = "batch_size must be 1 to 10000."
  }

  validation {
    condition     = alltrue([for trigger in var.manifest.triggers : trigger.kafka.batch_window_ms >= 0 && trigger.kafka.batch_window_ms <= 300000 if trigger.kafka != null])
    error_message = "batch_window_ms must be 0 to 300000."
  }

  validation {
    condition     = alltrue([for trigger in var.manifest.triggers : contains(["TRIM_HORIZON", "LATEST"], trigger.kafka.starting_position) if trigger.kafka != null])
    error_message = "starting_position must be TRIM_HORIZON or LATEST."
  }

  validation {
    condition     = alltrue([for trigger in var.manifest.triggers : trigger.kafka.maximum_retry_attempts >= -1 && trigger.kafka.maximum_retry_attempts <= 10000 if trigger.kafka != null])
    error_message = "maximum_retry_attempts must be -1 to 10000."
  }

  validation {
    condition     = alltrue([for trigger in var.manifest.triggers : trigger.kafka.maximum_record_age_seconds == -1 || (trigger.kafka.maximum_record_age_seconds >= 60 && trigger.kafka.maximum_record_age_seconds <= 604800) if trigger.kafka != null])
    error_message = "maximum_record_age_seconds must be 60 to 604800, or -1 for no limit."
  }

  validation {
    condition     = alltrue([for trigger in var.manifest.triggers : can(regex("^(rate|cron|at)\\(.+\\)$", trigger.schedule.expression)) if trigger.schedule != null])
    error_message = "a schedule's expression must be rate(...), cron(...) or at(...)."
  }

  validation {
    condition     = alltrue([for trigger in var.manifest.triggers : contains([0, 1, 2], trigger.schedule.maximum_retry_attempts) if trigger.schedule != null])
    error_message = "a schedule's maximum_retry_attempts must be 0, 1 or 2: Lambda runs a failed event no oftener."
  }

  validation {
    condition     = length(distinct([for trigger in var.manifest.triggers : trigger.schedule.maximum_retry_attempts if trigger.schedule != null])) <= 1
    error_message = "schedules of one function must have the same maximum_retry_attempts: Lambda knows one for all of them."
  }

  validation {
    condition     = length(distinct([for trigger in var.manifest.triggers : trigger.schedule.name if trigger.schedule != null])) == length([for trigger in var.manifest.triggers : 1 if trigger.schedule != null])
    error_message = "schedules' names must be unique within a function."
  }

  validation {
    # Scheduler's limit of 64 is on the whole, as triggers.tf names it.
    condition     = alltrue([for trigger in var.manifest.triggers : can(regex("^[A-Za-z0-9_.-]+$", trigger.schedule.name)) && length("${var.name}-${var.function}-${trigger.schedule.name}") <= 64 if trigger.schedule != null])
    error_message = "a schedule's name must be letters, digits, hyphens, dots and underscores, at most 64 with those of the environment and the function before it."
  }
}
