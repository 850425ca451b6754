//! The S3 server of a laptop, through the object store that everything else uses.

use std::collections::BTreeMap;

use bytes::Bytes;
use millrace_local_host::ObjectsServer;
use millrace_store_objects::{ObjectCredentials, ObjectSettings, ObjectStore};

/// A server over `folder` and a store with a bucket in it.
pub(crate) async fn object_store(folder: &std::path::Path) -> (ObjectsServer, ObjectStore) {
    let secret = secrecy::SecretString::from("a secret");
    let server = ObjectsServer::start(folder, "127.0.0.1:0".parse().unwrap(), "key", &secret).await.unwrap();
    let store = store(&server, "a secret");
    store.create_bucket().await.unwrap();
    (server, store)
}

fn store(server: &ObjectsServer, secret: &str) -> ObjectStore {
    ObjectStore::new(&ObjectSettings {
        endpoint: Some(format!("http://{}", server.address())),
        region: "eu-west-1".to_owned(),
        bucket: "millrace".to_owned(),
        credentials: Some(ObjectCredentials { access_key: "key".to_owned(), secret_key: secret.into() }),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_comes_back_with_its_metadata_and_is_listed_and_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let metadata = BTreeMap::from([("first-offset".to_owned(), "17".to_owned())]);
    {
        let (_server, store) = object_store(folder.path()).await;
        store.create_bucket().await.unwrap();
        for key in ["failed/b.json", "failed/a.json", "other/c.json"] {
            store.put(key, Bytes::from(format!("body of {key}")), "application/json", &metadata).await.unwrap();
        }
    }
    let (_server, store) = object_store(folder.path()).await;
    let object = store.get("failed/a.json").await.unwrap();
    assert_eq!((object.body, &object.metadata), (Bytes::from("body of failed/a.json"), &metadata));
    assert_eq!(store.metadata("failed/a.json").await.unwrap(), metadata);
    let listed = store.list("failed/").await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["failed/a.json", "failed/b.json"]);
    assert_eq!(listed[0].size, 21);
    store.delete("failed/a.json").await.unwrap();
    assert!(store.get("failed/a.json").await.unwrap_err().is_missing());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_with_another_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _store) = object_store(folder.path()).await;
    let error = store(&server, "another secret").list("").await.unwrap_err();
    assert!(!error.is_missing() && error.to_string().contains("SignatureDoesNotMatch"), "{error}");
}
