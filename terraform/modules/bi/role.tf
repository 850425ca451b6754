resource "aws_iam_role" "this" {
  name               = "${var.name}-quicksight"
  description        = "QuickSight's interfaces in the VPC"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["quicksight.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "interfaces"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_111:Reading the network has no resource; the reason stands at the statement
  #checkov:skip=CKV_AWS_356:Reading the network has no resource; the reason stands at the statement
  statement {
    sid     = "MakeInterfaces"
    actions = ["ec2:CreateNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute", "ec2:DeleteNetworkInterface"]
    resources = [for kind in ["network-interface", "subnet", "security-group"] :
      "arn:${data.aws_partition.current.partition}:ec2:${data.aws_region.current.name}:${var.account_id}:${kind}/*"
    ]
  }

  # These reads have no resource.
  statement {
    sid       = "SeeTheNetwork"
    actions   = ["ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"]
    resources = ["*"]
  }
}

# QuickSight's console makes the role that reads secrets, and allows it to read the chosen ones, not to decrypt by a key of ours.
resource "aws_iam_role_policy" "secret" {
  name   = "${var.name}-secret"
  role   = var.secrets_role
  policy = module.secret_key_use.json
}

module "secret_key_use" {
  source = "../key-use"

  account_id = var.account_id
  alias      = var.data_key_alias
  actions    = ["kms:Decrypt"]
  services   = ["secretsmanager"]
}
