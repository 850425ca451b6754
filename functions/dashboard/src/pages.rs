//! The pages and their files. Everything is in the binary.

use lambda_http::http::{HeaderValue, StatusCode, header};

use millrace_lambda_support::settings::UserPool;

use crate::answer::{self, Answer};
use crate::session::Session;

const PAGE: &str = include_str!("assets/page.html");
const SIGN_IN: &str = include_str!("assets/sign-in.html");
const USER_POOL: &str = include_str!("assets/user-pool.html");
const RETURNED: &str = include_str!("assets/signed-in.html");

/// Path, content type and content of the files that pages refer to.
const FILES: [(&str, &str, &str); 10] = [
    ("/assets/style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("/assets/app.js", "text/javascript; charset=utf-8", include_str!("assets/app.js")),
    ("/assets/format.js", "text/javascript; charset=utf-8", include_str!("assets/format.js")),
    ("/assets/charts.js", "text/javascript; charset=utf-8", include_str!("assets/charts.js")),
    ("/assets/panels.js", "text/javascript; charset=utf-8", include_str!("assets/panels.js")),
    ("/assets/business.js", "text/javascript; charset=utf-8", include_str!("assets/business.js")),
    ("/assets/forecasts.js", "text/javascript; charset=utf-8", include_str!("assets/forecasts.js")),
    ("/assets/tail.js", "text/javascript; charset=utf-8", include_str!("assets/tail.js")),
    ("/assets/sign-in.js", "text/javascript; charset=utf-8", include_str!("assets/sign-in.js")),
    ("/assets/icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// The page of one session.
pub(crate) fn page(session: &Session) -> Answer {
    answer::with(StatusCode::OK, "text/html; charset=utf-8", PAGE.replace("{{csrf}}", &session.csrf))
}

/// The sign-in page, with what went wrong, and the way by the user pool where there is one.
pub(crate) fn sign_in(status: StatusCode, message: Option<&str>, pool: Option<&UserPool>) -> Answer {
    let page = SIGN_IN.replace("{{message}}", message.unwrap_or_default());
    let way = pool.map(|pool| of_pool(USER_POOL, pool)).unwrap_or_default();
    answer::with(status, "text/html; charset=utf-8", page.replace("{{user-pool}}", &way))
}

/// The page to which the user pool sends people back.
pub(crate) fn returned(pool: &UserPool) -> Answer {
    answer::with(StatusCode::OK, "text/html; charset=utf-8", of_pool(RETURNED, pool))
}

/// The settings have looked that neither can end its quotes.
fn of_pool(page: &str, pool: &UserPool) -> String {
    page.replace("{{address}}", &pool.address).replace("{{client}}", &pool.client_id)
}

/// One of the files. Browsers keep it for a minute only, as it changes with each release.
pub(crate) fn asset(path: &str) -> Answer {
    match FILES.iter().find(|(known, ..)| *known == path) {
        Some((_, content_type, content)) => {
            let mut answer = answer::with(StatusCode::OK, content_type, *content);
            answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"));
            answer
        }
        None => answer::error(StatusCode::NOT_FOUND, "there is no such file"),
    }
}
