//! Signing in by a user pool of Cognito, where there is one.
//!
//! The browser itself asks the pool for a token (authorization code with PKCE), as the function has no way out to the internet, and
//! brings it to `/signed-in` once. API Gateway checks it there before the function is asked; its claims, which no caller can write,
//! begin a session like a password does.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use millrace_lambda_support::settings::UserPool;

use crate::answer::{self, Answer};
use crate::sign_in::from_own_page;
use crate::{Dashboard, pages};

impl Dashboard {
    /// Where the pool sends people back to: the page's script asks for the token and brings it.
    pub(crate) fn returned(&self) -> Answer {
        match &self.user_pool {
            Some(pool) => with_pool(pages::returned(pool), pool),
            None => answer::error(StatusCode::NOT_FOUND, "there is no such page"),
        }
    }

    /// Begins a session for whom API Gateway let through with a token of the pool.
    pub(crate) fn signed_in(&self, request: &Request, https: bool) -> Answer {
        if self.user_pool.is_none() {
            return answer::error(StatusCode::NOT_FOUND, "there is no such page");
        }
        if !from_own_page(request) {
            return answer::error(StatusCode::FORBIDDEN, "origin: expected this site's own page");
        }
        if !has_claims_of_a_person(request) {
            return answer::error(StatusCode::UNAUTHORIZED, "authorization: expected an id token of the user pool");
        }
        self.begin_session(answer::json(StatusCode::OK, &serde_json::json!({"ok": true})), https)
    }
}

/// Lets the page's script speak with the pool.
pub(crate) fn with_pool(mut answer: Answer, pool: &UserPool) -> Answer {
    let policy = format!("{} {}", answer::POLICY, pool.address);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

/// Whether API Gateway's authorizer has found the id token of a person: an access token names nobody.
fn has_claims_of_a_person(request: &Request) -> bool {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else { return false };
    let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
    jwt.is_some_and(|jwt| {
        let claim = |name: &str| jwt.claims.get(name).map(String::as_str).unwrap_or_default();
        claim("token_use") == "id" && !claim("sub").is_empty()
    })
}
