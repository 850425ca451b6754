//! Reaching the database.

use std::fs::File;
use std::future::Future;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures::TryStreamExt;
use millrace_secrets::Secret;
use mongodb::bson::{Document, doc};
use mongodb::error::ErrorKind;
use mongodb::options::{ClientOptions, Credential, Tls, TlsOptions};
use mongodb::{Client, Collection, Database};
use secrecy::{ExposeSecret, SecretString};

use crate::error::DocumentError;
use crate::{customer_usage, features, revenue, scores, sensor_hours, sensors, usage, watermarks};

/// Where the document database is and how to sign in.
#[derive(Debug, Clone)]
pub struct DocumentSettings {
    /// `mongodb://host:port/?options`. It holds no password.
    pub url: String,
    /// The database's name.
    pub database: String,
    /// The user, where one is needed.
    pub user: Option<String>,
    /// The user's password. When it is refused because it was changed, the new one is read.
    pub password: Option<Secret>,
    /// How long one command may take.
    pub timeout: Duration,
}

/// A database of documents. Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub struct DocumentStore {
    timeout: Duration,
    /// Behind a lock: a new password needs another client.
    signed_in: Arc<RwLock<Arc<SignedIn>>>,
    settings: Arc<DocumentSettings>,
}

/// How to sign in with the password as it was read last, and the client that does.
#[derive(Debug)]
struct SignedIn {
    options: ClientOptions,
    password: Option<SecretString>,
    /// Made when it is first used: a client begins at once to watch its servers, which a cold start would wait for.
    client: OnceLock<Client>,
}

impl SignedIn {
    /// With the password as it was read last.
    async fn new(settings: &DocumentSettings) -> Result<Self, DocumentError> {
        let password = settings.password.as_ref().map(Secret::value);
        let options = options(settings, password.as_ref()).await?;
        Ok(Self { options, password, client: OnceLock::new() })
    }

    fn client(&self) -> Result<&Client, DocumentError> {
        if let Some(made) = self.client.get() {
            return Ok(made);
        }
        let made = Client::with_options(self.options.clone()).map_err(|e| DocumentError::Settings(e.to_string()))?;
        // Of two commands that come first at once, one's client is dropped.
        Ok(self.client.get_or_init(|| made))
    }
}

impl DocumentStore {
    /// Checks the settings; the client and its connections are made when they are first needed.
    pub async fn connect(settings: &DocumentSettings) -> Result<Self, DocumentError> {
        if settings.database.is_empty() {
            return Err(DocumentError::Settings("the name of the document database is empty".into()));
        }
        let signed_in = Arc::new(SignedIn::new(settings).await?);
        Ok(Self {
            timeout: settings.timeout,
            signed_in: Arc::new(RwLock::new(signed_in)),
            settings: Arc::new(settings.clone()),
        })
    }

    /// Asks the server for a sign of life.
    pub async fn ping(&self) -> Result<(), DocumentError> {
        self.within(self.database()?.run_command(doc! {"ping": 1})).await.map(drop)
    }

    /// Makes the indexes that are missing. Safe to run again.
    pub async fn create_indexes(&self) -> Result<(), DocumentError> {
        for (collection, keys) in usage::INDEXES
            .iter()
            .chain(features::INDEXES)
            .chain(sensor_hours::INDEXES)
            .chain(scores::INDEXES)
            .chain(customer_usage::INDEXES)
        {
            let name = keys.join("_");
            let key: Document = keys.iter().map(|key| ((*key).to_owned(), 1.into())).collect();
            let command = doc! {"createIndexes": *collection, "indexes": [{"key": key, "name": name}]};
            self.within(self.database()?.run_command(command)).await?;
        }
        Ok(())
    }

    /// Deletes every computed document with its watermarks, so that all is computed again.
    pub async fn clear(&self) -> Result<(), DocumentError> {
        // Only what is there: to drop a missing collection is an error that the embedded server reports without its code.
        let present = self.within(self.database()?.list_collection_names()).await?;
        // The watermarks first: a stop in between must not leave documents missing below a watermark.
        let others = [
            revenue::COLLECTION,
            sensor_hours::COLLECTION,
            sensors::COLLECTION,
            features::COLLECTION,
            scores::COLLECTION,
            customer_usage::COLLECTION,
        ];
        let computed = usage::COLLECTIONS.into_iter().chain(others);
        for collection in [watermarks::COLLECTION].into_iter().chain(computed) {
            if present.iter().any(|name| name == collection) {
                self.within(self.collection(collection)?.drop()).await?;
            }
        }
        Ok(())
    }

    /// Reads whole documents, sorted; a `limit` of 0 is none.
    pub(crate) async fn find(
        &self,
        collection: &str,
        query: Document,
        sort: Document,
        limit: i64,
    ) -> Result<Vec<Document>, DocumentError> {
        let collection = self.collection(collection)?;
        let found = collection.find(query).sort(sort).limit(limit);
        self.within(async { found.await?.try_collect().await }).await
    }

    pub(crate) fn collection(&self, name: &str) -> Result<Collection<Document>, DocumentError> {
        Ok(self.database()?.collection(name))
    }

    /// How long one command may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn database(&self) -> Result<Database, DocumentError> {
        Ok(self.signed_in().client()?.database(&self.settings.database))
    }

    fn signed_in(&self) -> Arc<SignedIn> {
        Arc::clone(&self.signed_in.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs one command within the time that it may take: the driver itself waits for an answer without end. After a refused
    /// sign-in the next command signs in with the password as it is then.
    pub(crate) async fn within<T>(
        &self,
        work: impl IntoFuture<Output = mongodb::error::Result<T>>,
    ) -> Result<T, DocumentError> {
        let outcome = limited(self.timeout, work.into_future()).await;
        if let Err(DocumentError::Database(error)) = &outcome
            && is_sign_in_refused(error)
        {
            // Boxed: each command's future would hold its state, and it is seldom run.
            Box::pin(self.sign_in_again()).await?;
        }
        outcome
    }

    async fn sign_in_again(&self) -> Result<(), DocumentError> {
        let signed_in = self.signed_in();
        let (Some(password), Some(refused)) = (&self.settings.password, &signed_in.password) else {
            return Ok(());
        };
        if password.renew(refused).await? {
            let signed_in = Arc::new(SignedIn::new(&self.settings).await?);
            *self.signed_in.write().unwrap_or_else(PoisonError::into_inner) = signed_in;
        }
        Ok(())
    }
}

/// What the driver needs to know of the server and of how to sign in there.
async fn options(settings: &DocumentSettings, password: Option<&SecretString>) -> Result<ClientOptions, DocumentError> {
    // The driver's own message may quote the address, and with it a password that was put there by mistake.
    let mut options = ClientOptions::parse(&settings.url).await.map_err(|_| {
        DocumentError::Settings("expected mongodb://host:port/?options as the address of the document database".into())
    })?;
    // A client would say so too, but it is made when it is first used: a function without its file should not start.
    if let Some(Tls::Enabled(TlsOptions { ca_file_path: Some(path), .. })) = &options.tls {
        File::open(path).map_err(|e| {
            DocumentError::Settings(format!("tlsCAFile of the document database's address: {}: {e}", path.display()))
        })?;
    }
    options.app_name = Some("millrace".into());
    // Amazon DocumentDB before 8.0 refuses them; every write here may be run again anyway.
    options.retry_writes = Some(false);
    options.connect_timeout = Some(settings.timeout.min(Duration::from_secs(5)));
    options.server_selection_timeout = Some(settings.timeout.min(Duration::from_secs(5)));
    options.max_pool_size.get_or_insert(8);
    if settings.user.is_some() || password.is_some() {
        let mut credential = options.credential.take().unwrap_or_else(|| Credential::builder().build());
        credential.username = settings.user.clone().or(credential.username);
        credential.password = password.map(|p| p.expose_secret().to_owned()).or(credential.password);
        options.credential = Some(credential);
    }
    Ok(options)
}

/// Whether the server refuses user or password (error 18, AuthenticationFailed).
fn is_sign_in_refused(error: &mongodb::error::Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Authentication { .. } => true,
        ErrorKind::Command(refusal) => refusal.code == 18,
        _ => false,
    }
}

pub(crate) async fn limited<T>(
    timeout: Duration,
    work: impl Future<Output = mongodb::error::Result<T>>,
) -> Result<T, DocumentError> {
    match tokio::time::timeout(timeout, work).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(DocumentError::Timeout(timeout)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn settings(url: &str) -> DocumentSettings {
        DocumentSettings {
            url: url.into(),
            database: "millrace".into(),
            user: Some("app".into()),
            password: Some("s3cret".into()),
            timeout: Duration::from_millis(300),
        }
    }

    #[tokio::test]
    async fn a_wrong_address_is_named_without_quoting_it() {
        let error = DocumentStore::connect(&settings("mongodb//x:s3cret@host")).await.unwrap_err().to_string();
        assert!(error.contains("expected mongodb://"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[tokio::test]
    async fn a_file_of_certificates_that_is_not_there_is_named_at_the_start() {
        let settings = settings("mongodb://127.0.0.1:9/?tls=true&tlsCAFile=/no/ca.pem");
        let error = DocumentStore::connect(&settings).await.unwrap_err().to_string();
        assert!(error.starts_with("tlsCAFile of the document database's address: /no/ca.pem: No such file"), "{error}");
    }

    #[tokio::test]
    async fn an_empty_database_name_is_refused() {
        let error =
            DocumentStore::connect(&DocumentSettings { database: String::new(), ..settings("mongodb://h:1/") }).await;
        assert!(error.unwrap_err().to_string().contains("name of the document database"));
    }

    /// Of a server that is away.
    async fn store() -> DocumentStore {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        DocumentStore::connect(&settings(&format!("mongodb://127.0.0.1:{port}/"))).await.unwrap()
    }

    #[tokio::test]
    async fn a_start_waits_for_no_client() {
        let store = store().await;
        assert!(store.signed_in().client.get().is_none());
        store.ping().await.unwrap_err();
        assert!(store.signed_in().client.get().is_some());
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_an_error_in_time_that_holds_no_password() {
        let store = store().await;
        let begun = std::time::Instant::now();
        let error = store.ping().await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(3));
        assert!(!format!("{error} {error:?} {store:?}").contains("s3cret"));
    }
}
