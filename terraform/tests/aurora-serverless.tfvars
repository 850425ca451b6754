# The other engine and the other Kafka, of the size that docs/cost.md has for many events.

database = {
  engine                = "aurora"
  engine_version        = "8.0.mysql_aurora.3.10.0"
  instance_class        = "db.r7g.4xlarge"
  multi_az              = true
  backup_retention_days = 35
  proxy                 = true
}

streaming = {
  variant = "serverless"
  topics = {
    usage-events    = { partitions = 48 }
    sensor-readings = { partitions = 8 }
    customers       = { partitions = 4 }
  }
}
