//! Where records are sent to again: the stack's broker, or a cluster of MSK.

use crate::CommandError;
use crate::kafka::{Outgoing, Producer, msk_producer};

/// A record to send again.
pub(super) struct Record {
    /// Its key.
    pub(super) key: Option<Vec<u8>>,
    /// Its bytes; `None` is a tombstone.
    pub(super) value: Option<Vec<u8>>,
    /// Its headers, in order. MSK's producer keeps the last of several of one name.
    pub(super) headers: Vec<(String, Vec<u8>)>,
}

/// A producer.
pub(super) enum Outlet {
    Stack(Producer),
    Msk(millrace_msk::Producer),
}

impl Outlet {
    /// The stack's broker, or, where `option` named a place on AWS instead, the cluster of `--cluster-arn`.
    ///
    /// # Errors
    /// When the cluster is missing, or named beside a stack (bad input), or its brokers do not answer.
    pub(super) async fn open(
        brokers: Option<&str>,
        cluster_arn: Option<&str>,
        option: &str,
    ) -> Result<Self, CommandError> {
        match (brokers, cluster_arn) {
            (Some(brokers), None) => Ok(Self::Stack(Producer::for_files(brokers)?)),
            (None, Some(arn)) => Ok(Self::Msk(msk_producer(arn).await?)),
            (Some(_), Some(_)) => Err(CommandError::input(format!("--cluster-arn goes with {option}"))),
            (None, None) => Err(CommandError::input(format!("replay with {option}: --cluster-arn is missing"))),
        }
    }

    /// Sends a topic's records in their order. All are acknowledged once [`Outlet::finish`] has returned.
    ///
    /// # Errors
    /// When Kafka does not take one.
    pub(super) async fn send(&self, topic: &str, records: Vec<Record>) -> anyhow::Result<()> {
        match self {
            Self::Stack(producer) => tokio::task::block_in_place(|| send(producer, topic, &records)),
            Self::Msk(producer) => {
                let records = records.into_iter().map(|Record { key, value, headers }| millrace_msk::Record {
                    key,
                    value,
                    headers: headers.into_iter().collect(),
                });
                Ok(producer.send(topic, records.collect()).await?)
            }
        }
    }

    /// Waits until all is acknowledged; MSK has acknowledged what was sent.
    ///
    /// # Errors
    /// When something was not.
    pub(super) fn finish(&self) -> anyhow::Result<()> {
        match self {
            Self::Stack(producer) => tokio::task::block_in_place(|| producer.finish()).map(drop),
            Self::Msk(_) => Ok(()),
        }
    }
}

fn send(producer: &Producer, topic: &str, records: &[Record]) -> anyhow::Result<()> {
    for Record { key, value, headers } in records {
        producer.send(Outgoing { topic, key: key.as_deref(), value: value.as_deref(), headers })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[tokio::test]
    async fn a_cluster_is_named_where_there_is_no_stack_and_only_there() {
        for (brokers, arn, expected) in [
            (None, None, "replay with --mysql-url: --cluster-arn is missing"),
            (Some("127.0.0.1:1"), Some("arn:aws:kafka:x"), "--cluster-arn goes with --mysql-url"),
        ] {
            let error = Outlet::open(brokers, arn, "--mysql-url").await.err().unwrap();
            assert_eq!((error.exit_status(), error.to_string().as_str()), (2, expected));
        }
        let error = Outlet::open(None, Some("millrace-dev"), "--mysql-url").await.err().unwrap();
        assert_eq!(error.exit_status(), 2);
        assert!(error.to_string().starts_with("--cluster-arn: expected arn:aws:kafka:"), "{error}");
    }
}
