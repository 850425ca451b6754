output "address" {
  description = "The page."
  value       = local.address
}

output "api_id" {
  description = "The API's id, a dimension of its metrics."
  value       = aws_apigatewayv2_api.this.id
}

output "domain_target" {
  description = "What the own domain's CNAME points to; null without one."
  value       = one(aws_apigatewayv2_domain_name.this[*].domain_name_configuration[0].target_domain_name)
}

output "sign_in" {
  description = "What the page's sign-in by Cognito is set to: where people sign in, issuer, client and pool."
  value = {
    address      = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${data.aws_region.current.name}.amazoncognito.com"
    issuer       = "https://${aws_cognito_user_pool.this.endpoint}"
    client_id    = aws_cognito_user_pool_client.this.id
    user_pool_id = aws_cognito_user_pool.this.id
  }
}

output "invite_command" {
  description = "Invites a person."
  value       = "aws cognito-idp admin-create-user --user-pool-id ${aws_cognito_user_pool.this.id} --username ADDRESS --user-attributes Name=email,Value=ADDRESS Name=email_verified,Value=true --desired-delivery-mediums EMAIL"
}
