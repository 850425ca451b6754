# DocumentDB 5: a cache of what the database says, for the page and for learning.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  # DocumentDB and RDS share one name space of clusters.
  identifier = "${var.name}-documents"
}

resource "aws_docdb_subnet_group" "this" {
  name       = "${var.name}-documents"
  subnet_ids = var.subnet_ids
}

resource "aws_docdb_cluster_parameter_group" "this" {
  #checkov:skip=CKV_AWS_104:audit_logs is among the parameters; checkov does not read dynamic blocks
  name        = "${var.name}-documents"
  family      = "docdb5.0"
  description = "TLS only, expired documents go, access is audited"

  dynamic "parameter" {
    for_each = { tls = "enabled", ttl_monitor = "enabled", audit_logs = "enabled", profiler = "enabled" }
    content {
      name  = parameter.key
      value = parameter.value
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["audit", "profiler"])

  name              = "/aws/docdb/${local.identifier}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_docdb_cluster" "this" {
  #checkov:skip=CKV_AWS_360:The documents can be made again from the database; a day of backups spares the work
  cluster_identifier = local.identifier
  engine             = "docdb"
  engine_version     = "5.0.0"

  master_username = "millrace"

  # The secret is made by DocumentDB, under Secrets Manager's key for the account: the provider names no other for it.
  manage_master_user_password = true

  storage_encrypted = true
  kms_key_id        = var.data_key_arn

  db_subnet_group_name            = aws_docdb_subnet_group.this.name
  vpc_security_group_ids          = var.security_group_ids
  db_cluster_parameter_group_name = aws_docdb_cluster_parameter_group.this.name

  backup_retention_period      = var.backup_retention_days
  preferred_backup_window      = "01:00-01:45"
  preferred_maintenance_window = "sun:03:00-sun:04:00"
  deletion_protection          = var.deletion_protection
  skip_final_snapshot          = false
  final_snapshot_identifier    = "${var.name}-documents-final"

  enabled_cloudwatch_logs_exports = ["audit", "profiler"]

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_docdb_cluster_instance" "this" {
  count = var.instances

  identifier                 = "${var.name}-documents-${count.index + 1}"
  cluster_identifier         = aws_docdb_cluster.this.cluster_identifier
  instance_class             = var.instance_class
  ca_cert_identifier         = "rds-ca-rsa2048-g1"
  auto_minor_version_upgrade = true
}
