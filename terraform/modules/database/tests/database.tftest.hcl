mock_provider "aws" {
  source = "../../testing"
}

variables {
  name                  = "millrace-test"
  account_id            = "000000000000"
  instance_class        = "db.r7g.large"
  multi_az              = true
  backup_retention_days = 7
  deletion_protection   = true
  proxy                 = true
  subnet_ids            = ["subnet-1", "subnet-2"]
  security_group_ids    = ["sg-1"]
  data_key_arn          = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
  data_key_alias        = "alias/millrace-test-data"
  log_key_arn           = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
  passwords             = { functions = "a-password-of-functions-1", bi = "another-password-for-bi-2" }
  passwords_version     = 1
}

override_resource {
  target = aws_db_instance.this
  values = {
    address            = "millrace-test.mock.eu-central-1.rds.amazonaws.com"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:rds!db-mock" }]
  }
}

override_resource {
  target = aws_rds_cluster.this
  values = {
    endpoint           = "millrace-test.cluster-mock.eu-central-1.rds.amazonaws.com"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:rds!cluster-mock" }]
  }
}

run "makes_mysql_behind_a_proxy" {
  command = apply

  assert {
    condition     = aws_db_instance.this[0].engine == "mysql" && aws_db_instance.this[0].engine_version == "8.4" && aws_db_instance.this[0].multi_az
    error_message = "MySQL 8.4 over two zones"
  }

  assert {
    condition     = aws_db_instance.this[0].storage_encrypted && !aws_db_instance.this[0].publicly_accessible && aws_db_instance.this[0].deletion_protection && !aws_db_instance.this[0].skip_final_snapshot
    error_message = "encrypted, private, protected, with a last snapshot"
  }

  assert {
    condition     = aws_db_instance.this[0].manage_master_user_password && aws_db_instance.this[0].password == null
    error_message = "RDS keeps the administrator's password"
  }

  assert {
    condition     = contains([for parameter in aws_db_parameter_group.this[0].parameter : "${parameter.name}=${parameter.value}"], "require_secure_transport=1")
    error_message = "TLS only"
  }

  assert {
    condition     = aws_db_proxy.this[0].require_tls && strcontains(output.url, "ssl-mode=VERIFY_IDENTITY")
    error_message = "the proxy and its clients speak TLS"
  }

  assert {
    condition     = !strcontains(output.url, "password") && startswith(output.url, "mysql://millrace@")
    error_message = "the address holds no password"
  }

  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.user : version.secret_string == null && version.secret_string_wo_version == 1])
    error_message = "passwords are write-only"
  }
}

run "connects_straight_without_a_proxy" {
  command = apply

  variables {
    proxy = false
  }

  assert {
    condition     = length(aws_db_proxy.this) == 0 && strcontains(output.url, "ssl-ca=/var/task/rds-ca.pem")
    error_message = "the database's own certificate is checked"
  }
}

run "makes_aurora_instead" {
  command = apply

  variables {
    engine         = "aurora"
    engine_version = "8.0.mysql_aurora.3.10.0"
  }

  assert {
    condition     = length(aws_db_instance.this) == 0 && length(aws_rds_cluster_instance.this) == 2 && aws_rds_cluster.this[0].storage_encrypted
    error_message = "a cluster of two instances, and no single one"
  }

  assert {
    condition     = contains([for parameter in aws_rds_cluster_parameter_group.this[0].parameter : "${parameter.name}=${parameter.value}"], "require_secure_transport=ON")
    error_message = "TLS only, as Aurora writes it"
  }

  assert {
    condition     = alltrue([for instance in aws_rds_cluster_instance.this : !instance.auto_minor_version_upgrade])
    error_message = "the version stays the one that is asked for"
  }
}

run "refuses_aurora_of_the_other_engines_version" {
  command = plan

  variables {
    engine = "aurora"
  }

  expect_failures = [var.engine_version]
}

run "refuses_what_could_not_work" {
  command = plan

  variables {
    backup_retention_days = 0
    engine_version        = "8.0"
    subnet_ids            = ["subnet-1"]
    passwords             = { functions = "short", bi = "another-password-for-bi-2" }
    storage               = { initial_gib = 100, most_gib = 109 }
    instance_class        = "m7g.large"
  }

  expect_failures = [
    var.backup_retention_days,
    var.engine_version,
    var.subnet_ids,
    var.passwords,
    var.storage,
    var.instance_class,
  ]
}

run "refuses_a_class_without_performance_insights" {
  command = plan

  variables {
    instance_class = "db.t4g.small"
  }

  expect_failures = [var.instance_class]
}

run "takes_the_smallest_class_with_performance_insights" {
  command = plan

  variables {
    instance_class = "db.t3.medium"
    storage        = { initial_gib = 100, most_gib = 110 }
  }
}

run "refuses_a_class_without_performance_insights_on_aurora" {
  command = plan

  variables {
    engine         = "aurora"
    engine_version = "8.0.mysql_aurora.3.10.0"
    instance_class = "db.t3.medium"
  }

  expect_failures = [var.instance_class]
}
