# The page: an HTTP API before the function, in payload 2.0 as on a laptop. WAF can't stand before an HTTP API; it stands
# before Cognito's sign-in. A stranger reaches the sign-in and nothing else: every other answer needs a session.

data "aws_region" "current" {}

resource "aws_apigatewayv2_api" "this" {
  name                         = "${var.name}-dashboard"
  description                  = "The live page"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = var.domain != null
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = var.function.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = var.timeout_seconds * 1000
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:The function signs people in by itself and refuses every request without a session
  for_each = toset(concat(var.paths, contains(var.paths, "/{proxy+}") ? ["/"] : []))

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key == "$default" ? "$default" : "ANY ${each.key}"
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
  authorization_type = "NONE"
}

# The page brings a token of the user pool here once, and the function begins a session for whom API Gateway let through.
resource "aws_apigatewayv2_authorizer" "people" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "people"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    audience = [aws_cognito_user_pool_client.this.id]
    issuer   = "https://${aws_cognito_user_pool.this.endpoint}"
  }
}

resource "aws_apigatewayv2_route" "signed_in" {
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = "POST /signed-in"
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.people.id
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.requests.rate
    throttling_burst_limit   = var.requests.burst
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    # No query, cookie or body: they may hold personal data.
    format = jsonencode({
      time    = "$context.requestTime", id = "$context.requestId", ip = "$context.identity.sourceIp", method = "$context.httpMethod",
      path    = "$context.path", status = "$context.status", bytes = "$context.responseLength", latency_ms = "$context.responseLatency",
      failure = "$context.integrationErrorMessage",
    })
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/${var.name}/dashboard-access"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_lambda_permission" "api" {
  statement_id  = "dashboard-api"
  action        = "lambda:InvokeFunction"
  function_name = var.function.name
  qualifier     = "live"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*" # every method and path of this API
}
