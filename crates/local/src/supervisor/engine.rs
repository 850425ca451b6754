//! Bringing the services up and down, whichever engine they run in.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use futures::future::join_all;
use millrace_local_host::ObjectsServer;
use secrecy::SecretString;
use tokio::sync::watch;

use super::{
    service::{Service, ServiceStatus, State, Supervised},
    state::Shared,
};
use crate::{
    home,
    services::{compose::Compose, documents::Documents, kafka::Kafka, mysql::MySql},
    stack::Engine,
};

/// The services of a stack, as far as they are started.
#[derive(Default)]
pub struct Services {
    processes: Vec<Supervised>,
    objects: Option<(ObjectsServer, watch::Sender<ServiceStatus>)>,
    compose: Option<Compose>,
}

/// One service's readiness, to be waited for.
pub type Readiness = futures::future::BoxFuture<'static, anyhow::Result<()>>;

/// The readiness of each service.
pub struct AllReadiness {
    /// The broker's.
    pub kafka: Readiness,
    /// The database's.
    pub mysql: Readiness,
    /// The document server's.
    pub documents: Readiness,
}

impl Services {
    /// Starts all services at once. The object server answers when this returns; the others are to be waited for.
    ///
    /// # Errors
    /// When a service is not installed, or the object server can't start.
    pub async fn start(&mut self, shared: &Shared) -> anyhow::Result<AllReadiness> {
        match shared.stack.engine {
            Engine::Native => self.start_native(shared).await,
            Engine::Compose => self.start_compose(shared).await,
        }
    }

    async fn start_native(&mut self, shared: &Shared) -> anyhow::Result<AllReadiness> {
        let (home, stack) = (&shared.home, &shared.stack);
        // All three are looked for before one is started.
        let (kafka, mysql, documents) =
            (Kafka::new(home, stack)?, MySql::new(home, stack)?, Documents::new(home, stack)?);
        let readiness = AllReadiness {
            kafka: self.add(kafka, shared),
            mysql: self.add(mysql, shared),
            documents: self.add(documents, shared),
        };
        let folder = home.join("objects");
        home::create_private_folder(&folder)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, stack.ports()?.objects()));
        let secret = SecretString::from(stack.services.objects_secret_key.expose());
        let server = ObjectsServer::start(&folder, address, &stack.services.objects_access_key, &secret).await?;
        let status = ServiceStatus {
            state: State::Ready,
            ready_since: Some(chrono::Utc::now()),
            ..ServiceStatus::starting("objects")
        };
        let (sender, receiver) = watch::channel(status);
        shared.add_service(receiver);
        self.objects = Some((server, sender));
        Ok(readiness)
    }

    fn add<S: Service>(&mut self, service: S, shared: &Shared) -> Readiness {
        let supervised = Supervised::start(service, &shared.home, &shared.stack.id);
        shared.add_service(supervised.watch());
        let ready = supervised.ready();
        self.processes.push(supervised);
        Box::pin(ready)
    }

    /// `docker compose up --wait` returns when every container is healthy, so that nothing is left to wait for.
    async fn start_compose(&mut self, shared: &Shared) -> anyhow::Result<AllReadiness> {
        let compose = self.compose.insert(Compose::new(&shared.stack)?);
        compose.up().await?;
        let done = || -> Readiness { Box::pin(async { Ok(()) }) };
        Ok(AllReadiness { kafka: done(), mysql: done(), documents: done() })
    }

    /// Starts a further process, after the services.
    pub fn start_process<S: Service>(&mut self, service: S, shared: &Shared) -> Readiness {
        self.add(service, shared)
    }

    /// Ends the process of this name alone.
    pub async fn stop_process(&mut self, name: &str) {
        let found = self.processes.iter().position(|process| process.status().name == name);
        if let Some(process) = found.map(|index| self.processes.remove(index)) {
            process.stop().await;
        }
    }

    /// Ends all services in order.
    ///
    /// # Errors
    /// When Docker fails to stop the containers.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let processes = std::mem::take(&mut self.processes);
        join_all(processes.into_iter().map(Supervised::stop)).await;
        if let Some((server, status)) = self.objects.take() {
            drop(server);
            status.send_modify(|status| status.state = State::Stopped);
        }
        match self.compose.take() {
            Some(compose) => compose.stop().await.context("the containers still run"),
            None => Ok(()),
        }
    }
}
