# An environment that survives a zone: three brokers, a database that fails over, two document instances. docs/cost.md says
# what to raise when it grows.

environment = "prod"
cidr        = "10.30.0.0/16"

streaming = {
  variant = "provisioned"
  broker  = { count = 3, type = "kafka.m7g.large", storage_gib = 500, most_gib = 4000 }
  topics = {
    usage-events    = { partitions = 12 }
    sensor-readings = { partitions = 4 }
    customers       = { partitions = 4 }
  }
}

database = {
  instance_class        = "db.r7g.xlarge"
  storage               = { initial_gib = 500, most_gib = 4000 }
  multi_az              = true
  backup_retention_days = 35
  proxy                 = true
}

documents           = { instance_class = "db.r6g.large", instances = 2 }
spark               = { vcpu = 64, memory_gb = 256 }
log_retention_days  = 365
deletion_protection = true
shift               = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
alarms              = { thresholds = { database-connections = 1500 } }

# Raise it to send new secrets (docs/deploy.md, Rotate secrets).
secrets_version = 1
