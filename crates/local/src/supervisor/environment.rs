//! What the functions are told of the stack: the groups of variables that a manifest's `needs` names. On AWS the same
//! variables come from Terraform.

use std::collections::BTreeMap;

use crate::{
    home::Home,
    stack::{BUCKET, DOCUMENTS_DATABASE, REGION, Stack},
};

/// The variables of each group.
#[must_use]
pub fn groups(stack: &Stack) -> BTreeMap<String, BTreeMap<String, String>> {
    let services = &stack.services;
    let group = |name: &str, variables: &[(&str, &str)]| {
        (name.to_owned(), variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    BTreeMap::from([
        group(
            "mysql",
            &[
                ("MILLRACE_MYSQL_URL", &stack.mysql_url()),
                ("MILLRACE_MYSQL_PASSWORD", services.mysql_password.expose()),
            ],
        ),
        group(
            "documents",
            &[("MILLRACE_DOCUMENTS_URL", &stack.documents_url()), ("MILLRACE_DOCUMENTS_DATABASE", DOCUMENTS_DATABASE)],
        ),
        group(
            "objects",
            &[
                ("MILLRACE_OBJECTS_ENDPOINT", &stack.objects_endpoint()),
                ("MILLRACE_OBJECTS_BUCKET", BUCKET),
                ("AWS_ACCESS_KEY_ID", &services.objects_access_key),
                ("AWS_SECRET_ACCESS_KEY", services.objects_secret_key.expose()),
                ("AWS_REGION", REGION),
            ],
        ),
        group("kafka", &[("MILLRACE_KAFKA_BROKERS", &stack.kafka_brokers())]),
        group(
            "session",
            &[
                ("MILLRACE_DASHBOARD_PASSWORD_HASH", stack.dashboard.password_hash.expose()),
                ("MILLRACE_SESSION_SECRET", stack.dashboard.session_secret.expose()),
            ],
        ),
    ])
}

/// The variables of the function that keeps the schema, in place of those of the group `mysql`.
pub fn schema_owner(stack: &Stack) -> [(String, String); 2] {
    [
        ("MILLRACE_MYSQL_URL".to_owned(), stack.mysql_owner_url()),
        ("MILLRACE_MYSQL_PASSWORD".to_owned(), stack.services.mysql_admin_password.expose().to_owned()),
    ]
}

/// The variables that every function of a home gets.
#[must_use]
pub fn common(home: &Home, stack: &Stack) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("MILLRACE_HOME".to_owned(), home.path().display().to_string()),
        ("MILLRACE_ALARMS_FILE".to_owned(), super::alarms::file(home).display().to_string()),
        (super::process::MARK.to_owned(), stack.id.clone()),
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::{ports::Ports, stack::Engine};

    #[test]
    fn a_group_holds_its_own_secrets_and_no_other_s() {
        let stack = Stack::generate(Ports::from_base(18_000).unwrap(), Engine::Native).unwrap();
        let groups = groups(&stack);
        let holders = |secret: &str| -> Vec<&str> {
            groups
                .iter()
                .filter(|(_, variables)| variables.values().any(|value| value.contains(secret)))
                .map(|(name, _)| name.as_str())
                .collect()
        };
        assert_eq!(holders(stack.services.mysql_password.expose()), ["mysql"]);
        assert_eq!(holders(stack.services.objects_secret_key.expose()), ["objects"]);
        assert_eq!(holders(stack.dashboard.session_secret.expose()), ["session"]);
        // No group has what only the supervisor and the schema's owner need.
        assert!(holders(stack.services.mysql_admin_password.expose()).is_empty());
        assert!(holders(stack.dashboard.password.expose()).is_empty());
        assert!(holders(stack.control_token.expose()).is_empty());
    }
}
