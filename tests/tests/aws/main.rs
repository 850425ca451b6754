//! The functions' own programs beside AWS' services as emulators have them: they read their secrets through the standard
//! configuration of AWS, again when a password was changed, write their model to S3, and raise an alarm by what they measure.
#![allow(missing_docs, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod cloudwatch;
mod commands;
mod containers;
mod emulator;
mod functions;
mod scenario;

use millrace_test_support::environment::required;
use millrace_test_support::mysql::URL_VARIABLE;

/// Against moto's server, on any machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_live_by_secrets_and_write_their_model_on_moto() {
    let moto = emulator::Moto::start();
    let place = scenario::Place {
        mysql_url: required(URL_VARIABLE),
        documents_url: required("MILLRACE_TEST_DOCUMENTS_URL"),
        aws: emulator::Aws::at(moto.address()),
    };
    let database = place.database().await;
    scenario::users_are_made_of_their_secrets(&place, &database).await;
    scenario::a_changed_password_is_read_again(&place, &database).await;
    commands::reference_data_is_imported_by_a_secret(&place, &database).await;
    commands::rejects_prices_and_invoices_are_reached_by_a_secret(&place, &database).await;
    scenario::a_missing_secret_is_named(&place, &database).await;
    scenario::a_model_is_trained_into_s3(&place, &database).await;
    scenario::a_lost_record_raises_its_alarm(&place, &database).await;
}
