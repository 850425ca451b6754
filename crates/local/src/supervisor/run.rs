//! The whole life of a stack: everything is started, kept running, and ended in order.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use bytes::Bytes;
use chrono::Utc;
use millrace_local_host::{Host, HostConfig, Manifest, Trigger, invoke_routes};
use millrace_store_mysql::accounts::{self, Account, Role};
use millrace_store_mysql::{pool, schema};
use millrace_store_objects::ObjectStore;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
    try_join,
};

use super::{
    alarms::{self, Alarms},
    control_api,
    engine::Services,
    environment,
    simulator::Simulator,
    state::Shared,
};
use crate::{
    commands::import,
    project,
    stack::{Engine, MYSQL_DATABASE, REGION, Stack},
    topics,
};

/// The function that keeps the schema: it signs in as the administrator, as on AWS.
const SCHEMA_OWNER: &str = "migrate";

/// What is left out of a full start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Plan {
    /// No sample operator, no simulator, and none of the schedules whose manifest leaves them out then, as that of `bill`.
    pub empty: bool,
    /// No function's trigger and no simulator: services, schema, topics and bucket only.
    pub services_only: bool,
}

/// Starts the stack, calls `started`, keeps it running until it is told to end, and ends it.
///
/// # Errors
/// When something can't be started; what was started is ended before this returns.
pub async fn run(
    shared: Arc<Shared>,
    plan: Plan,
    alarm_settings: alarms::Settings,
    started: impl FnOnce(),
) -> anyhow::Result<()> {
    listen_to_signals(&shared)?;
    let mut config = host_config(&shared, plan).await?;
    let alarms = Arc::new(Alarms::new(&shared.home, shared.stack.engine, &config.functions)?);
    config.metrics = Some(alarms.sink());
    shared.set_alarms(alarms.clone());
    let host = Host::start(config).context("the local host can't start")?;
    let reporter = host.clone();
    shared.set_host(move || serde_json::to_value(reporter.status()).unwrap_or_default());
    let control = control_api::serve(shared.clone(), invoke_routes(host.clone())).await?;
    let mut services = Services::default();
    let outcome = tokio::select! {
        started = start(&shared, &mut services, &host, plan) => started.map(|()| true),
        () = shared.stop_request() => Ok(false),
    };
    if let Ok(true) = outcome {
        shared.set_running();
        started();
        tokio::select! {
            () = shared.stop_request() => {}
            // Of services alone nothing is expected.
            () = alarms.watch(alarm_settings, || shared.services()), if !plan.services_only => {}
        }
    }
    shared.set_stopping();
    tracing::info!("stopping: records first, then functions, then services");
    services.stop_process(Simulator::NAME).await;
    host.stop().await;
    let stopped = services.stop().await;
    control.abort();
    tracing::info!("stopped");
    outcome.and(stopped)
}

/// A first Ctrl-C or SIGTERM ends the stack in order.
fn listen_to_signals(shared: &Arc<Shared>) -> anyhow::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signals = signal(kind).context("can't listen to signals")?;
        let shared = shared.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                shared.request_stop();
            }
        });
    }
    Ok(())
}

/// The functions of the project with what they are told of this stack.
async fn host_config(shared: &Shared, plan: Plan) -> anyhow::Result<HostConfig> {
    let (home, stack) = (&shared.home, &shared.stack);
    let mut config = HostConfig::new(project::binaries()?, home.join("logs"), home.join("run"));
    config.functions = Manifest::load_all(&project::root()?.join("functions"))?;
    if plan.empty {
        for function in &mut config.functions {
            function
                .triggers
                .retain(|trigger| !matches!(trigger, Trigger::Schedule(schedule) if !schedule.on_empty_stack));
        }
    }
    for function in config.functions.iter_mut().filter(|function| function.name == SCHEMA_OWNER) {
        function.environment.extend(environment::schema_owner(stack));
    }
    config.environment = environment::groups(stack);
    config.common_environment = environment::common(home, stack);
    config.region = REGION.to_owned();
    config.brokers = Some(stack.kafka_brokers());
    config.objects = Some(ObjectStore::new(&stack.object_settings()));
    config.http_address = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, stack.ports()?.dashboard())));
    Ok(config)
}

async fn start(shared: &Shared, services: &mut Services, host: &Host, plan: Plan) -> anyhow::Result<()> {
    shared.set_step("starting Kafka, MySQL, the document server and the object server");
    let ready = services.start(shared).await?;
    let stack = &shared.stack;
    let topics = async {
        ready.kafka.await?;
        topics::create(&stack.kafka_brokers()).await
    };
    let schema = async {
        ready.mysql.await?;
        make_schema(stack, host).await
    };
    let bucket = async {
        // LocalStack makes it by itself, in its region (localstack/ready.d).
        if stack.engine == Engine::Compose {
            return Ok(());
        }
        ObjectStore::new(&stack.object_settings()).create_bucket().await.context("the bucket can't be made")
    };
    try_join!(topics, schema, bucket, ready.documents)?;
    if plan.services_only {
        return Ok(());
    }
    if !plan.empty {
        shared.set_step("importing the sample operator");
        import::import_sample(stack).await.context("the sample operator can't be imported")?;
    }
    shared.set_step("starting the functions");
    host.start_triggers().await.context("the functions' triggers can't start")?;
    if !plan.empty {
        let ready = services.start_process(Simulator::new(&shared.home)?, shared);
        // Not needed, so that nothing fails when it isn't; the supervisor goes on trying.
        let _ = timeout(Duration::from_secs(2), ready).await;
    }
    Ok(())
}

/// The database, its users and its tables.
async fn make_schema(stack: &Stack, host: &Host) -> anyhow::Result<()> {
    let password = stack.services.mysql_admin_password.wrapped();
    let server = pool::connect(&stack.mysql_admin_url(), Some(&password))?;
    accounts::create_database(&server, MYSQL_DATABASE).await.context("the database can't be made")?;
    server.close().await;
    let admin = pool::connect(&stack.mysql_owner_url(), Some(&password))?;
    let users = users(stack);
    accounts::create(&admin, &users).await.context("the database's users can't be made")?;
    if host.has_function(SCHEMA_OWNER) {
        let answer = host.invoke(SCHEMA_OWNER, Bytes::from_static(b"{}")).await?;
        if answer.function_error.is_some() {
            let payload = String::from_utf8_lossy(&answer.payload);
            bail!("the function {SCHEMA_OWNER} failed: {payload}\n{}", answer.log_tail);
        }
    } else {
        schema::migrate(&admin, Utc::now()).await?;
    }
    accounts::grant(&admin, &users).await.context("the database's users can't be given their rights")?;
    admin.close().await;
    Ok(())
}

fn users(stack: &Stack) -> [Account; 2] {
    let host = match stack.engine {
        Engine::Native => "127.0.0.1",
        // A container sees the address of its network's gateway.
        Engine::Compose => "%",
    };
    let passwords =
        [(Role::Functions, &stack.services.mysql_password), (Role::Readers, &stack.services.mysql_bi_password)];
    passwords.map(|(role, password)| Account {
        role,
        user: role.user().to_owned(),
        host: host.to_owned(),
        password: password.wrapped(),
    })
}
