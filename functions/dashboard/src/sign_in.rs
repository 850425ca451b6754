//! Signing in and out.

use std::time::Instant;

use chrono::Utc;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

use crate::answer::{self, Answer};
use crate::people::with_pool;
use crate::session::{self, Session};
use crate::{Dashboard, pages};

/// Bytes of a form; a longer one is refused unread.
const LONGEST_FORM: usize = 4096;

impl Dashboard {
    /// Begins a session for who knows the password.
    pub(crate) async fn sign_in(&self, request: &Request, https: bool) -> Answer {
        if !from_own_page(request) {
            return answer::error(StatusCode::FORBIDDEN, "origin: expected this site's own page");
        }
        let address = address(request);
        if let Some(wait) = self.guesses.wait(&address, Instant::now()) {
            let seconds = wait.as_secs() + 1;
            let message = format!("Too many wrong passwords. Try again in {seconds} s.");
            let mut refusal = self.sign_in_page(StatusCode::TOO_MANY_REQUESTS, Some(&message));
            refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            return refusal;
        }
        let Some(password) = field(request, "password") else {
            return self.sign_in_page(StatusCode::BAD_REQUEST, Some("Enter the password."));
        };
        if !self.sessions.is_password(&password).await {
            self.guesses.wrong(&address, Instant::now());
            tracing::warn!("a wrong password was tried");
            return self.sign_in_page(StatusCode::UNAUTHORIZED, Some("That is not the password."));
        }
        self.guesses.right(&address);
        self.begin_session(answer::see_other("/"), https)
    }

    /// The sign-in page, with what went wrong.
    pub(crate) fn sign_in_page(&self, status: StatusCode, message: Option<&str>) -> Answer {
        let page = pages::sign_in(status, message, self.user_pool.as_ref());
        match &self.user_pool {
            Some(pool) => with_pool(page, pool),
            None => page,
        }
    }

    /// Begins a session with this answer.
    pub(crate) fn begin_session(&self, answer: Answer, https: bool) -> Answer {
        match self.sessions.begin(Utc::now()) {
            Ok(value) => with_cookie(answer, &value, https),
            Err(error) => {
                tracing::error!(%error, "no session could be begun");
                answer::error(StatusCode::INTERNAL_SERVER_ERROR, "signing in failed")
            }
        }
    }
}

/// Ends the session: its cookie is taken back.
pub(crate) fn sign_out(request: &Request, session: Option<&Session>, https: bool) -> Answer {
    let Some(session) = session else { return answer::see_other("/sign-in") };
    if !from_own_page(request) || !field(request, "csrf").is_some_and(|token| session.has_token(&token)) {
        return answer::error(StatusCode::FORBIDDEN, "csrf: expected the token of the page");
    }
    with_cookie(answer::see_other("/sign-in"), "", https)
}

/// Sets the session's cookie; an empty value removes it.
fn with_cookie(mut answer: Answer, value: &str, https: bool) -> Answer {
    let secure = if https { "; Secure" } else { "" };
    let age = if value.is_empty() { "; Max-Age=0" } else { "" };
    let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}", session::COOKIE);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

/// Whether a browser says that the request comes from a page of this very site. A program that is no browser says nothing, and can
/// carry nobody else's cookies.
pub(crate) fn from_own_page(request: &Request) -> bool {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if header("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    match (header("origin"), header("host").or(request.uri().host())) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
        }
        (Some(_), None) => false,
    }
}

/// Who asks, as API Gateway saw it.
fn address(request: &Request) -> String {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

/// A field of the form that was sent.
fn field(request: &Request, name: &str) -> Option<String> {
    let body: &[u8] = request.body();
    if body.len() > LONGEST_FORM {
        return None;
    }
    let form = std::str::from_utf8(body).ok()?;
    let value = form
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))?;
    decoded(value)
}

/// Undoes the encoding of forms.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let request = Request::new("csrf=abc&password=a+b%26%C3%A9%2B&x".into());
        assert_eq!(field(&request, "password").as_deref(), Some("a b&é+"));
        assert_eq!(field(&request, "csrf").as_deref(), Some("abc"));
        assert_eq!(field(&request, "x"), None);
        for bad in ["password=%4", "password=%zz", "password=%ff"] {
            assert_eq!(field(&Request::new(bad.into()), "password"), None);
        }
        assert_eq!(field(&Request::new(format!("password={}", "a".repeat(5000)).into()), "password"), None);
    }
}
