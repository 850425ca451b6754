//! Objects in S3: batches that were given up on, and models. The same code speaks to AWS and, with an endpoint of its own, to the
//! S3 server on a laptop.

mod models;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;

pub use models::{ModelObjectError, artefact_key, card_key};

/// How long one try of a request may take, with the sending of the largest object but without the reading of an answer's bytes: the
/// client itself ends one that stalls, but waits without end for an answer to begin.
const ATTEMPT: Duration = Duration::from_secs(60);

/// Where the objects are and who asks for them.
#[derive(Debug, Clone)]
pub struct ObjectSettings {
    /// The server's address, such as `http://127.0.0.1:8005`; `None` on AWS, or where `AWS_ENDPOINT_URL` names an emulator.
    pub endpoint: Option<String>,
    /// The AWS region, which a server of one's own ignores; empty: as the standard configuration of AWS says.
    pub region: String,
    /// The bucket that holds all objects.
    pub bucket: String,
    /// `None`: the standard chain of AWS (environment, role).
    pub credentials: Option<ObjectCredentials>,
}

impl ObjectSettings {
    /// A bucket on AWS, where the standard configuration of AWS says the rest: region, credentials, an emulator's address.
    #[must_use]
    pub fn on_aws(bucket: &str) -> Self {
        Self { endpoint: None, region: String::new(), bucket: bucket.to_owned(), credentials: None }
    }

    async fn client(&self) -> Client {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
        if !self.region.is_empty() {
            loader = loader.region(Region::new(self.region.clone()));
        }
        if let Some(credentials) = &self.credentials {
            let secret = credentials.secret_key.expose_secret();
            loader =
                loader.credentials_provider(Credentials::new(&credentials.access_key, secret, None, None, "settings"));
        }
        let shared = loader.load().await;
        let mut config = aws_sdk_s3::config::Builder::from(&shared);
        if let Some(endpoint) = self.endpoint.as_deref().or(shared.endpoint_url()) {
            // A server of one's own has no name for each bucket, and need not know the SDK's newer checksums.
            config = config
                .endpoint_url(endpoint)
                .force_path_style(true)
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        Client::from_conf(config.build())
    }
}

/// An access key and its secret.
#[derive(Debug, Clone)]
pub struct ObjectCredentials {
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret.
    pub secret_key: SecretString,
}

/// One bucket.
#[derive(Debug, Clone)]
pub struct ObjectStore {
    /// Made when it is first asked for: the certificates that it reads take longer than all else of a start.
    client: Arc<OnceCell<Client>>,
    settings: ObjectSettings,
}

/// An object with what was noted of it.
#[derive(Debug, Clone)]
pub struct Object {
    /// The object's bytes.
    pub body: Bytes,
    /// User metadata, by lower-case name.
    pub metadata: BTreeMap<String, String>,
}

/// A line of a bucket's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEntry {
    /// The object's key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written last, where the server tells.
    pub modified: Option<DateTime<Utc>>,
}

/// A request that the object store did not carry out.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {name}: {reason}")]
pub struct ObjectError {
    action: &'static str,
    name: String,
    reason: String,
    missing: bool,
}

impl ObjectError {
    /// Whether the object or the bucket is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.missing
    }
}

impl ObjectStore {
    /// A store of these settings. Nothing is read or sent before it is first used, so that a function starts without it.
    #[must_use]
    pub fn new(settings: &ObjectSettings) -> ObjectStore {
        ObjectStore { client: Arc::default(), settings: settings.clone() }
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| self.settings.client()).await
    }

    /// Makes the bucket; one that is there already is left as it is.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn create_bucket(&self) -> Result<(), ObjectError> {
        // S3 takes a bucket for one of us-east-1 unless it is told its region.
        let client = self.client().await;
        let region = client.config().region().filter(|region| region.as_ref() != "us-east-1");
        let place = region.map(|region| {
            let place = BucketLocationConstraint::from(region.as_ref());
            CreateBucketConfiguration::builder().location_constraint(place).build()
        });
        match client.create_bucket().bucket(&self.settings.bucket).set_create_bucket_configuration(place).send().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code(), Some("BucketAlreadyOwnedByYou" | "BucketAlreadyExists")) => Ok(()),
            Err(error) => Err(failed("create bucket", &self.settings.bucket, &error)),
        }
    }

    /// Writes an object whole, over one of the same key.
    ///
    /// # Errors
    /// When the object is not known to be kept.
    pub async fn put(
        &self,
        key: &str,
        body: Bytes,
        content_type: &str,
        metadata: &BTreeMap<String, String>,
    ) -> Result<(), ObjectError> {
        let mut request =
            self.client().await.put_object().bucket(&self.settings.bucket).key(key).content_type(content_type);
        for (name, value) in metadata {
            request = request.metadata(name, value);
        }
        request.body(ByteStream::from(body)).send().await.map_err(|error| failed("write object", key, &error))?;
        Ok(())
    }

    /// Reads an object whole.
    ///
    /// # Errors
    /// When it is not there ([`ObjectError::is_missing`]) or cannot be read.
    pub async fn get(&self, key: &str) -> Result<Object, ObjectError> {
        let answer = self.client().await.get_object().bucket(&self.settings.bucket).key(key).send().await;
        let answer = answer.map_err(|error| failed("read object", key, &error))?;
        let metadata = answer.metadata.unwrap_or_default().into_iter().collect();
        let body = answer.body.collect().await.map_err(|error| ObjectError {
            action: "read object",
            name: key.to_owned(),
            reason: error.to_string(),
            missing: false,
        })?;
        Ok(Object { body: body.into_bytes(), metadata })
    }

    /// Reads what was noted of an object, without its bytes.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn metadata(&self, key: &str) -> Result<BTreeMap<String, String>, ObjectError> {
        let answer = self.client().await.head_object().bucket(&self.settings.bucket).key(key).send().await;
        let answer = answer.map_err(|error| failed("read object", key, &error))?;
        Ok(answer.metadata.unwrap_or_default().into_iter().collect())
    }

    /// Every object whose key begins with `prefix`, in the order of the keys.
    ///
    /// # Errors
    /// When the bucket cannot be listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ObjectEntry>, ObjectError> {
        let mut entries = Vec::new();
        let mut pages =
            self.client().await.list_objects_v2().bucket(&self.settings.bucket).prefix(prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("list objects under", prefix, &error))?;
            for object in page.contents.unwrap_or_default() {
                entries.push(ObjectEntry {
                    key: object.key.unwrap_or_default(),
                    size: object.size.and_then(|size| size.try_into().ok()).unwrap_or_default(),
                    modified: object
                        .last_modified
                        .and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos())),
                });
            }
        }
        Ok(entries)
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let answer = self.client().await.delete_object().bucket(&self.settings.bucket).key(key).send().await;
        answer.map(|_| ()).map_err(|error| failed("delete object", key, &error))
    }
}

fn failed<E>(action: &'static str, name: &str, error: &SdkError<E>) -> ObjectError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let missing = matches!(error.code(), Some("NoSuchKey" | "NotFound" | "NoSuchBucket")) || status == Some(404);
    ObjectError { action, name: name.to_owned(), reason: DisplayErrorContext(error).to_string(), missing }
}
