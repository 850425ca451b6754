resource "aws_rds_cluster_parameter_group" "this" {
  count = local.rds ? 0 : 1

  name        = "${var.name}-aurora"
  family      = "aurora-mysql8.0"
  description = "TLS only, UTC, slow statements logged"

  dynamic "parameter" {
    for_each = { for name, value in local.parameters : name => value if name != "log_output" }
    content {
      name  = parameter.key
      value = parameter.value
    }
  }
}

resource "aws_rds_cluster" "this" {
  #checkov:skip=CKV_AWS_325:An audit log would hold statements with personal data; error and slowquery are exported
  #checkov:skip=CKV_AWS_324:error and slowquery are exported; a general log would hold personal data
  #checkov:skip=CKV_AWS_326:Backtrack keeps no copy; any second of the backups' days can be restored
  #checkov:skip=CKV2_AWS_8:Automated backups are kept for backup_retention_days; AWS Backup would be a second plan of the same
  #checkov:skip=CKV_AWS_139:Deletion protection is the environment's choice: prod has it (tests/policy.py)
  count = local.rds ? 0 : 1

  cluster_identifier = var.name
  engine             = "aurora-mysql"
  engine_version     = var.engine_version
  database_name      = "millrace"

  master_username                     = "admin"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.data_key_arn
  iam_database_authentication_enabled = true

  storage_encrypted = true
  kms_key_id        = var.data_key_arn

  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = var.security_group_ids
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this[0].name

  backup_retention_period      = var.backup_retention_days
  preferred_backup_window      = "01:00-01:45"
  preferred_maintenance_window = "sun:02:00-sun:03:00"
  copy_tags_to_snapshot        = true
  deletion_protection          = var.deletion_protection
  delete_automated_backups     = false
  skip_final_snapshot          = false
  final_snapshot_identifier    = "${var.name}-final"

  enabled_cloudwatch_logs_exports = ["error", "slowquery"]

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_rds_cluster_instance" "this" {
  #checkov:skip=CKV_AWS_226:An Aurora version is named to the patch; the reason stands at the argument
  count = local.rds ? 0 : (var.multi_az ? 2 : 1)

  identifier         = "${var.name}-${count.index + 1}"
  cluster_identifier = aws_rds_cluster.this[0].cluster_identifier
  engine             = aws_rds_cluster.this[0].engine
  engine_version     = aws_rds_cluster.this[0].engine_version
  instance_class     = var.instance_class

  publicly_accessible = false

  # An Aurora version is named to its patch. Had AWS raised it by itself, the next apply would ask for the older one, which is
  # refused. It is raised by engine_version.
  auto_minor_version_upgrade = false

  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.data_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  ca_cert_identifier              = "rds-ca-rsa2048-g1"
}
