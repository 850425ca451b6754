//! Emulators of AWS, and what a test sets up in them.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Config, Credentials, Region};
use millrace_store_objects::{ObjectCredentials, ObjectSettings, ObjectStore};
use millrace_test_support::environment::required;

use crate::cloudwatch::CloudWatch;

/// The host's region, in which the functions ask.
pub(crate) const REGION: &str = "eu-west-1";
/// An emulator takes any.
const KEY: &str = "test";

/// moto's server, a process of the test's own.
pub(crate) struct Moto {
    process: Child,
    address: String,
}

impl Moto {
    /// Starts it and waits until it answers.
    pub(crate) fn start() -> Self {
        (0..5).find_map(|_| Self::try_start()).expect("moto's server finds a port")
    }

    /// `None` when another process took the port meanwhile, so that it ended.
    fn try_start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(required("MILLRACE_TEST_MOTO"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto's server starts");
        let mut moto = Self { process, address: format!("http://127.0.0.1:{port}") };
        let begun = Instant::now();
        loop {
            let answers = TcpStream::connect(("127.0.0.1", port)).is_ok();
            if moto.process.try_wait().unwrap().is_some() {
                return None;
            }
            if answers {
                return Some(moto);
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "moto's server does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An emulated account.
pub(crate) struct Aws {
    endpoint: String,
    secrets: Client,
}

impl Aws {
    /// The account behind this address.
    pub(crate) fn at(endpoint: &str) -> Self {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(KEY, KEY, None, None, "test"))
            .endpoint_url(endpoint)
            .build();
        Self { endpoint: endpoint.to_owned(), secrets: Client::from_conf(config) }
    }

    /// What a function is told of the account.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let variables =
            [("AWS_ENDPOINT_URL", self.endpoint.as_str()), ("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", KEY)];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Its CloudWatch.
    pub(crate) fn cloudwatch(&self) -> CloudWatch {
        CloudWatch::at(&self.endpoint)
    }

    /// Makes a secret of a user; its ARN.
    pub(crate) async fn create_secret(&self, name: &str, user: &str, password: &str) -> String {
        let made = self.secrets.create_secret().name(name).secret_string(credentials(user, password)).send().await;
        made.expect("the secret is made").arn.expect("it has an ARN")
    }

    /// Gives a user's secret another password.
    pub(crate) async fn change_secret(&self, arn: &str, user: &str, password: &str) {
        let put =
            self.secrets.put_secret_value().secret_id(arn).secret_string(credentials(user, password)).send().await;
        put.expect("the secret is changed");
    }

    /// Makes a bucket.
    pub(crate) async fn create_bucket(&self, bucket: &str) -> ObjectStore {
        let settings = ObjectSettings {
            endpoint: Some(self.endpoint.clone()),
            region: REGION.into(),
            bucket: bucket.into(),
            credentials: Some(ObjectCredentials { access_key: KEY.into(), secret_key: KEY.into() }),
        };
        let store = ObjectStore::new(&settings);
        store.create_bucket().await.expect("the bucket is made");
        store
    }
}

fn credentials(user: &str, password: &str) -> String {
    serde_json::json!({"username": user, "password": password}).to_string()
}
