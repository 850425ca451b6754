//! The same on containers, with the images of `infra/compose.yaml`: LocalStack, MySQL 8.4, MongoDB and Kafka. `scripts/test` runs
//! it where an engine answers, and counts it as skipped where none does.

use std::time::{Duration, Instant};

use chrono::Utc;
use millrace_test_support::stack::project_root;
use testcontainers::core::{CmdWaitFor, ExecCommand, IntoContainerPort};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, Image, ImageExt};
use testcontainers_modules::kafka::apache::Kafka;
use testcontainers_modules::localstack::LocalStack;
use testcontainers_modules::mongo::Mongo;
use testcontainers_modules::mysql::Mysql;

use crate::emulator::Aws;
use crate::functions::Functions;
use crate::scenario::{self, Place};

/// Long enough to fetch images.
const STARTED_WITHIN: Duration = Duration::from_secs(600);
const PASSWORD: &str = "administrator";
const TOPIC: &str = "usage-events";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "skipped: needs Docker"]
async fn functions_live_by_secrets_and_write_their_model_on_containers() {
    let (localstack, mysql, mongo) = tokio::join!(
        async {
            LocalStack::default()
                .with_tag(tag("localstack/localstack"))
                .with_startup_timeout(STARTED_WITHIN)
                .start()
                .await
        },
        async {
            let mysql = Mysql::default().with_tag(tag("mysql")).with_startup_timeout(STARTED_WITHIN);
            mysql.with_env_var("MYSQL_ROOT_PASSWORD", PASSWORD).start().await
        },
        async { Mongo::new().with_tag(tag("mongo")).with_startup_timeout(STARTED_WITHIN).start().await },
    );
    let (localstack, mysql, mongo) = (localstack.unwrap(), mysql.unwrap(), mongo.unwrap());
    let place = Place {
        mysql_url: format!("mysql://root:{PASSWORD}@{}/", address(&mysql, 3306).await),
        documents_url: format!("mongodb://{}/?retryWrites=false", address(&mongo, 27017).await),
        aws: Aws::at(&format!("http://{}", address(&localstack, 4566).await)),
    };
    let database = place.database().await;
    scenario::users_are_made_of_their_secrets(&place, &database).await;
    scenario::a_changed_password_is_read_again(&place, &database).await;
    scenario::a_missing_secret_is_named(&place, &database).await;
    scenario::a_model_is_trained_into_s3(&place, &database).await;
    scenario::a_lost_record_raises_its_alarm(&place, &database).await;
    records_come_by_kafka(&place).await;
}

/// A record that is produced to the container is in MySQL soon after, by the mapping and the function.
async fn records_come_by_kafka(place: &Place) {
    let kafka = Kafka::default().with_jvm_image().with_tag(tag("apache/kafka")).with_startup_timeout(STARTED_WITHIN);
    // Newer images want this name of the broker's id.
    let kafka = kafka.with_env_var("KAFKA_NODE_ID", "1").start().await.unwrap();
    let database = place.database().await;
    scenario::users_are_made_of_their_secrets(place, &database).await;
    run(&kafka, &format!("kafka-topics.sh --bootstrap-server localhost:9093 --create --topic {TOPIC} --partitions 2"))
        .await;
    let brokers = address(&kafka, 9092).await;
    let rate = Functions::feed(&["rate"], scenario::variables_of(place, &database).await, brokers).await;
    let records: Vec<String> = (0..10).map(|number| scenario::call(number, Utc::now())).collect();
    let records = records.join("\n");
    run(
        &kafka,
        &format!("kafka-console-producer.sh --bootstrap-server localhost:9093 --topic {TOPIC} <<'END'\n{records}\nEND"),
    )
    .await;
    let begun = Instant::now();
    while database.texts("SELECT CAST(COUNT(*) AS CHAR) FROM usage_events").await != ["10"] {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", rate.log("rate"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    rate.stop().await;
}

async fn run(kafka: &ContainerAsync<Kafka>, script: &str) {
    let command = ExecCommand::new(["bash".to_owned(), "-c".to_owned(), format!("/opt/kafka/bin/{script}")]);
    kafka.exec(command.with_cmd_ready_condition(CmdWaitFor::exit_code(0))).await.unwrap();
}

async fn address<I: Image>(container: &ContainerAsync<I>, port: u16) -> String {
    format!("127.0.0.1:{}", container.get_host_port_ipv4(port.tcp()).await.unwrap())
}

/// The tag of an image in `infra/compose.yaml`: versions are written once.
fn tag(image: &str) -> String {
    let compose =
        std::fs::read_to_string(project_root().join("infra/compose.yaml")).expect("infra/compose.yaml is read");
    // An image that is named again has an anchor before it.
    let mut names = compose.lines().filter_map(|line| line.trim().strip_prefix("image: ")?.split(' ').next_back());
    let tag = names.find_map(|name| name.strip_prefix(image)?.strip_prefix(':'));
    tag.unwrap_or_else(|| panic!("infra/compose.yaml has no {image}")).to_owned()
}
