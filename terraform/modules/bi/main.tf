# QuickSight on the views, by a connection into the VPC, as a user that reads the views and nothing else.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  identity_region = coalesce(var.identity_region, data.aws_region.current.name)
  principal_arn   = "arn:${data.aws_partition.current.partition}:quicksight:${local.identity_region}:${var.account_id}:${var.principal}"
}

resource "aws_quicksight_vpc_connection" "this" {
  aws_account_id     = var.account_id
  vpc_connection_id  = var.name
  name               = var.name
  role_arn           = aws_iam_role.this.arn
  subnet_ids         = var.subnet_ids
  security_group_ids = var.security_group_ids

  # QuickSight takes its interfaces out of the VPC by the role: what the role may do goes last.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_quicksight_data_source" "this" {
  aws_account_id = var.account_id
  data_source_id = var.name
  name           = var.name
  type           = "MYSQL"

  parameters {
    mysql {
      host     = var.database.host
      port     = 3306
      database = "millrace"
    }
  }

  credentials {
    secret_arn = var.database.secret_arn
  }

  ssl_properties {
    disable_ssl = false
  }

  vpc_connection_properties {
    vpc_connection_arn = aws_quicksight_vpc_connection.this.arn
  }

  permission {
    principal = local.principal_arn
    actions   = ["quicksight:DescribeDataSource", "quicksight:DescribeDataSourcePermissions", "quicksight:PassDataSource"]
  }

  # QuickSight signs in to the database as soon as the source is made.
  depends_on = [aws_iam_role_policy.secret]
}

resource "aws_quicksight_data_set" "this" {
  for_each = local.views

  aws_account_id = var.account_id
  data_set_id    = "${var.name}-${replace(each.key, "_", "-")}"
  name           = "${var.name} ${each.key}"
  import_mode    = "DIRECT_QUERY"

  physical_table_map {
    physical_table_map_id = replace(each.key, "_", "-")

    relational_table {
      data_source_arn = aws_quicksight_data_source.this.arn
      schema          = "millrace"
      name            = each.key

      dynamic "input_columns" {
        for_each = each.value
        content {
          name = input_columns.value.name
          type = input_columns.value.type
        }
      }
    }
  }

  permissions {
    principal = local.principal_arn
    actions   = ["quicksight:DescribeDataSet", "quicksight:DescribeDataSetPermissions", "quicksight:PassDataSet", "quicksight:DescribeIngestion", "quicksight:ListIngestions"]
  }
}
