# What a mocked provider answers where a made-up word would not be taken: ARNs and policy documents.

mock_data "aws_iam_policy_document" {
  defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
}

mock_data "aws_region" {
  defaults = { name = "eu-central-1" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::000000000000:role/mock" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::000000000000:policy/mock" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:000000000000:log-group:/mock" }
}

mock_resource "aws_msk_configuration" {
  defaults = { arn = "arn:aws:kafka:eu-central-1:000000000000:configuration/mock/00000000-0000-0000-0000-000000000000-0", latest_revision = 1 }
}

mock_resource "aws_msk_cluster" {
  defaults = {
    arn                        = "arn:aws:kafka:eu-central-1:000000000000:cluster/mock/00000000-0000-0000-0000-000000000000-0"
    bootstrap_brokers_sasl_iam = "b-1.mock:9098,b-2.mock:9098,b-3.mock:9098"
  }
}

mock_resource "aws_msk_serverless_cluster" {
  defaults = { arn = "arn:aws:kafka:eu-central-1:000000000000:cluster/mock/00000000-0000-0000-0000-000000000000-s1" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:mock-abcdef" }
}

mock_resource "aws_db_proxy_default_target_group" {
  defaults = { name = "default" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-central-1:000000000000:mock" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:eu-central-1:000000000000:mock" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:eu-central-1:000000000000:function:mock", version = "1" }
}

mock_resource "aws_lambda_alias" {
  defaults = {
    arn        = "arn:aws:lambda:eu-central-1:000000000000:function:mock:live"
    invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:000000000000:function:mock:live/invocations"
  }
}

mock_resource "aws_cognito_user_pool" {
  defaults = { arn = "arn:aws:cognito-idp:eu-central-1:000000000000:userpool/eu-central-1_mock", endpoint = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_mock" }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:eu-central-1:000000000000:regional/webacl/mock/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = { api_endpoint = "https://mock.execute-api.eu-central-1.amazonaws.com", execution_arn = "arn:aws:execute-api:eu-central-1:000000000000:mock" }
}

mock_resource "aws_quicksight_vpc_connection" {
  defaults = { arn = "arn:aws:quicksight:eu-central-1:000000000000:vpcConnection/mock" }
}

mock_resource "aws_quicksight_data_source" {
  defaults = { arn = "arn:aws:quicksight:eu-central-1:000000000000:datasource/mock" }
}

mock_resource "aws_iam_openid_connect_provider" {
  defaults = { arn = "arn:aws:iam::000000000000:oidc-provider/mock" }
}
