//! Kafka on Amazon MSK: brokers are found by their cluster's ARN, connections are TLS, and clients sign in by IAM (SASL/OAUTHBEARER
//! with a token that is signed here). Credentials and region come from the standard configuration of AWS.

mod partitioner;
mod producer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::BehaviorVersion;
use aws_msk_iam_sasl_signer::generate_auth_token_from_credentials_provider;
use aws_sdk_kafka::config::{Region, SharedCredentialsProvider};
use aws_sdk_kafka::error::DisplayErrorContext;
use futures::FutureExt;
use rskafka::BackoffConfig;
use rskafka::client::{Client, ClientBuilder, OauthBearerCredentials, OauthCallback, SaslConfig};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Mutex, OnceCell};

pub use producer::{Producer, Record};

/// After so long the brokers' addresses are asked for again. They change when brokers are added.
const ASKED_AGAIN: Duration = Duration::from_secs(3600);

/// A cluster that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MskError {
    /// The ARN is none of a cluster.
    #[error("expected arn:aws:kafka:<region>:<account>:cluster/<name>/<id> as a cluster's ARN, not {0}")]
    Arn(String),
    /// MSK did not tell the brokers.
    #[error("cannot ask for the brokers of {arn}: {reason}")]
    Brokers {
        /// The cluster.
        arn: String,
        /// Why.
        reason: String,
    },
    /// There are no credentials to sign in with.
    #[error("cannot sign in to {0}: the standard configuration of AWS has no credentials")]
    Credentials(String),
    /// This machine has no certificate authorities.
    #[error("cannot speak TLS: {0}")]
    Tls(String),
    /// The brokers took a connection or a request, and then said nothing.
    #[error("the brokers do not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// A topic has no partitions, or is not there.
    #[error("the topic {0} is not there")]
    NoTopic(String),
    /// The brokers do not answer or refuse.
    #[error(transparent)]
    Kafka(#[from] rskafka::client::error::Error),
}

/// A cluster of MSK, provisioned or serverless. Nothing is asked before a client is wanted.
pub struct Cluster {
    arn: String,
    region: Region,
    access: OnceCell<Access>,
    /// The brokers' addresses, and when MSK told them.
    brokers: Mutex<Option<(Vec<String>, Instant)>>,
}

/// What every connection needs.
struct Access {
    control: aws_sdk_kafka::Client,
    credentials: SharedCredentialsProvider,
    tls: Arc<ClientConfig>,
}

impl Cluster {
    /// The cluster of an ARN.
    ///
    /// # Errors
    /// When it is no cluster's.
    pub fn new(arn: &str) -> Result<Self, MskError> {
        let region = region(arn).ok_or_else(|| MskError::Arn(arn.to_owned()))?;
        Ok(Self { arn: arn.to_owned(), region, access: OnceCell::new(), brokers: Mutex::new(None) })
    }

    /// Connects. Each of the client's connections signs in with a token of its own, so that a broker that ends one, as MSK does after
    /// the token's 15 minutes, is connected to again.
    ///
    /// # Errors
    /// When the brokers cannot be found or do not answer.
    pub async fn connect(&self, client_id: &str, backoff: BackoffConfig) -> Result<Client, MskError> {
        let access = self.access().await?;
        let (credentials, region) = (access.credentials.clone(), self.region.clone());
        let callback: OauthCallback = Arc::new(move || {
            let (credentials, region) = (credentials.clone(), region.clone());
            async move {
                let (token, _) = generate_auth_token_from_credentials_provider(region, credentials).await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(token)
            }
            .boxed()
        });
        let sign_in = OauthBearerCredentials { callback, authz_id: None, bearer_kvs: Vec::new() };
        let client = ClientBuilder::new(self.brokers(access).await?)
            .client_id(client_id)
            .backoff_config(backoff)
            .tls_config(access.tls.clone())
            .sasl_config(SaslConfig::Oauthbearer(sign_in))
            .build()
            .await;
        if client.is_err() {
            // They may be others by now.
            *self.brokers.lock().await = None;
        }
        Ok(client?)
    }

    async fn brokers(&self, access: &Access) -> Result<Vec<String>, MskError> {
        let mut known = self.brokers.lock().await;
        if let Some((brokers, _)) = known.as_ref().filter(|(_, asked)| asked.elapsed() < ASKED_AGAIN) {
            return Ok(brokers.clone());
        }
        let failed = |reason: String| MskError::Brokers { arn: self.arn.clone(), reason };
        let answer = access.control.get_bootstrap_brokers().cluster_arn(&self.arn).send().await;
        let answer = answer.map_err(|error| failed(DisplayErrorContext(&error).to_string()))?;
        let brokers: Vec<String> = addresses(answer.bootstrap_broker_string_sasl_iam().unwrap_or_default());
        if brokers.is_empty() {
            return Err(failed("it has none for clients that sign in by IAM".to_owned()));
        }
        *known = Some((brokers.clone(), Instant::now()));
        Ok(brokers)
    }

    async fn access(&self) -> Result<&Access, MskError> {
        self.access
            .get_or_try_init(|| async {
                let config = aws_config::defaults(BehaviorVersion::latest()).region(self.region.clone()).load().await;
                let credentials =
                    config.credentials_provider().ok_or_else(|| MskError::Credentials(self.arn.clone()))?;
                Ok(Access { control: aws_sdk_kafka::Client::new(&config), credentials, tls: Arc::new(tls()?) })
            })
            .await
    }
}

/// The region in an ARN.
fn region(arn: &str) -> Option<Region> {
    let mut parts = arn.splitn(6, ':');
    let (kind, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let is_cluster =
        kind == "arn" && partition.starts_with("aws") && service == "kafka" && resource.starts_with("cluster/");
    (is_cluster && !region.is_empty()).then(|| Region::new(region.to_owned()))
}

fn addresses(told: &str) -> Vec<String> {
    told.split(',').map(str::trim).filter(|address| !address.is_empty()).map(str::to_owned).collect()
}

/// MSK's certificates are of a public authority.
fn tls() -> Result<ClientConfig, MskError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(MskError::Tls(format!("this machine has no certificate authorities: {}", reasons.join("; "))));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| MskError::Tls(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cluster_s_arn_tells_its_region() {
        let arn = "arn:aws:kafka:eu-central-1:000000000000:cluster/millrace-dev/0f3c-1";
        assert_eq!(region(arn).unwrap().as_ref(), "eu-central-1");
        for other in [
            "",
            "millrace-dev",
            "arn:aws:kafka:eu-central-1:000000000000:topic/millrace-dev/0f3c-1/usage-events",
            "arn:aws:rds:eu-central-1:000000000000:cluster/x",
            "arn:aws:kafka::000000000000:cluster/x/y",
        ] {
            let error = Cluster::new(other).err().unwrap().to_string();
            assert!(error.starts_with("expected arn:aws:kafka:") && error.ends_with(other), "{error}");
        }
    }

    #[test]
    fn brokers_are_told_with_commas_between() {
        assert_eq!(addresses("b-1.x:9098, b-2.x:9098"), ["b-1.x:9098", "b-2.x:9098"]);
        assert!(addresses("").is_empty());
    }

    #[test]
    fn this_machine_s_authorities_are_enough_for_tls() {
        assert!(tls().is_ok());
    }
}
