mock_provider "aws" {
  source = "../../testing"
}

variables {
  name                = "millrace-test"
  account_id          = "000000000000"
  instance_class      = "db.t4g.medium"
  instances           = 2
  deletion_protection = true
  subnet_ids          = ["subnet-1", "subnet-2"]
  security_group_ids  = ["sg-1"]
  data_key_arn        = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
  log_key_arn         = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
}

override_resource {
  target = aws_docdb_cluster.this
  values = {
    endpoint           = "millrace-test-documents.cluster-mock.eu-central-1.docdb.amazonaws.com"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:rds!cluster-mock" }]
  }
}

run "makes_an_encrypted_audited_cluster" {
  command = apply

  assert {
    condition     = aws_docdb_cluster.this.engine_version == "5.0.0" && aws_docdb_cluster.this.storage_encrypted && aws_docdb_cluster.this.deletion_protection
    error_message = "DocumentDB 5, encrypted, protected"
  }

  assert {
    condition     = { for parameter in aws_docdb_cluster_parameter_group.this.parameter : parameter.name => parameter.value } == { tls = "enabled", ttl_monitor = "enabled", audit_logs = "enabled", profiler = "enabled" }
    error_message = "TLS, TTL, audit and profiler"
  }

  assert {
    condition     = length(aws_docdb_cluster_instance.this) == 2
    error_message = "two instances"
  }

  assert {
    condition     = strcontains(output.url, "retryWrites=false") && strcontains(output.url, "tls=true")
    error_message = "DocumentDB 5 refuses retryable writes, and speaks TLS"
  }
}

run "refuses_what_could_not_work" {
  command = plan

  variables {
    instances      = 0
    instance_class = "r6g.large"
    subnet_ids     = ["subnet-1"]
  }

  expect_failures = [
    var.subnet_ids,
    var.instances,
    var.instance_class,
  ]
}

run "refuses_a_class_of_rds" {
  command = plan

  variables {
    instance_class = "db.t4g.large"
  }

  expect_failures = [var.instance_class]
}

run "takes_a_class_for_more_documents" {
  command = plan

  variables {
    instance_class = "db.r8g.2xlarge"
  }
}
