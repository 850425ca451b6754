# A small environment: the smallest brokers, one database, one document instance. Little to pay, little to lose.

environment = "dev"
cidr        = "10.20.0.0/16"

streaming = {
  variant = "provisioned"
  broker  = { count = 3, type = "kafka.t3.small", storage_gib = 20, most_gib = 200 }
  topics = {
    usage-events    = { partitions = 4 }
    sensor-readings = { partitions = 2 }
    customers       = { partitions = 2 }
  }
}

database = {
  instance_class        = "db.t4g.medium"
  storage               = { initial_gib = 50, most_gib = 200 }
  multi_az              = false
  backup_retention_days = 7
  proxy                 = false
}

documents           = { instance_class = "db.t4g.medium", instances = 1 }
spark               = { vcpu = 16, memory_gb = 64 }
log_retention_days  = 30
deletion_protection = false
shift               = "CodeDeployDefault.LambdaAllAtOnce"
# RDS makes the disk larger when a tenth of it is free: of the first 50 GiB that is less than the alarm's 10.
alarms = { thresholds = { database-connections = 200, database-disk = 4294967296 } }

# Raise it to send new secrets (docs/deploy.md, Rotate secrets).
secrets_version = 1
