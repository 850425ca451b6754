resource "aws_db_parameter_group" "this" {
  count = local.rds ? 1 : 0

  name        = "${var.name}-mysql"
  family      = "mysql8.4"
  description = "TLS only, UTC, slow statements logged"

  dynamic "parameter" {
    for_each = local.parameters
    content {
      name  = parameter.key
      value = parameter.value
    }
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV2_AWS_69:require_secure_transport is among the parameters; checkov does not read dynamic blocks
  #checkov:skip=CKV_AWS_157:Multi-AZ is the environment's choice: prod has it (tests/policy.py), dev saves it
  #checkov:skip=CKV_AWS_293:Deletion protection is the environment's choice: prod has it (tests/policy.py)
  #checkov:skip=CKV_AWS_129:error and slowquery are exported; a general log would hold personal data
  count = local.rds ? 1 : 0

  identifier     = var.name
  engine         = "mysql"
  engine_version = var.engine_version
  instance_class = var.instance_class
  db_name        = "millrace"

  username                            = "admin"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.data_key_arn
  iam_database_authentication_enabled = true

  storage_type          = "gp3"
  allocated_storage     = var.storage.initial_gib
  max_allocated_storage = var.storage.most_gib
  storage_encrypted     = true
  kms_key_id            = var.data_key_arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = var.security_group_ids
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this[0].name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  backup_retention_period   = var.backup_retention_days
  backup_window             = "01:00-01:45"
  maintenance_window        = "sun:02:00-sun:03:00"
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  delete_automated_backups  = false
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final"

  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.data_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = ["error", "slowquery"]

  depends_on = [aws_cloudwatch_log_group.this]
}
