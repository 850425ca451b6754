mock_provider "aws" {
  source = "../../testing"
}

variables {
  name                = "millrace-test"
  account_id          = "000000000000"
  function            = { name = "millrace-test-dashboard", alias_arn = "arn:aws:lambda:eu-central-1:000000000000:function:millrace-test-dashboard:live", invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/mock/invocations" }
  paths               = ["/{proxy+}"]
  timeout_seconds     = 15
  deletion_protection = true
  log_key_arn         = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
}

run "makes_an_api_of_the_manifests_paths" {
  command = apply

  assert {
    condition     = toset([for route in aws_apigatewayv2_route.this : route.route_key]) == toset(["ANY /{proxy+}", "ANY /"])
    error_message = "a greedy path does not match the root"
  }

  assert {
    condition     = aws_apigatewayv2_integration.this.payload_format_version == "2.0" && aws_apigatewayv2_integration.this.timeout_milliseconds == 15000
    error_message = "payload 2.0 as on a laptop, and the manifest's timeout"
  }

  assert {
    condition     = aws_lambda_permission.api.qualifier == "live" && aws_lambda_permission.api.principal == "apigateway.amazonaws.com"
    error_message = "the API invokes the alias"
  }

  assert {
    condition     = aws_cognito_user_pool.this.mfa_configuration == "ON" && aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only
    error_message = "people are invited and have a second factor"
  }

  assert {
    condition     = aws_apigatewayv2_route.signed_in.route_key == "POST /signed-in" && aws_apigatewayv2_route.signed_in.authorization_type == "JWT" && aws_apigatewayv2_authorizer.people.jwt_configuration[0].issuer == "https://${aws_cognito_user_pool.this.endpoint}"
    error_message = "a session of a person begins with a token of the user pool"
  }

  assert {
    condition     = output.sign_in.address == "https://millrace-test-000000000000.auth.${data.aws_region.current.name}.amazoncognito.com"
    error_message = "the page is told where people sign in"
  }

  assert {
    condition     = length(aws_wafv2_web_acl_association.this) == 1
    error_message = "WAF stands before the sign-in"
  }
}

run "closes_the_other_address_when_there_is_a_domain" {
  command = apply

  variables {
    domain = { name = "page.example.com", certificate_arn = "arn:aws:acm:eu-central-1:000000000000:certificate/00000000-0000-0000-0000-000000000000" }
  }

  assert {
    condition     = aws_apigatewayv2_api.this.disable_execute_api_endpoint && output.address == "https://page.example.com"
    error_message = "one address"
  }

  assert {
    condition     = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].security_policy == "TLS_1_2"
    error_message = "TLS 1.2 or later"
  }
}

run "refuses_what_api_gateway_would_refuse" {
  command = plan

  variables {
    timeout_seconds  = 60
    paths            = ["no-slash"]
    sign_in_requests = 1
    requests         = { rate = 50, burst = 10 }
    domain           = { name = "https://page.example.com/", certificate_arn = "page.example.com" }
  }

  expect_failures = [
    var.timeout_seconds,
    var.paths,
    var.sign_in_requests,
    var.requests,
    var.domain,
  ]
}
