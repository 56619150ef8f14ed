//! The stack: everything that `template.yaml` declares, built once over a folder of data. It needs no port; serving
//! it over HTTP is [`crate::server`]'s, replaying a history through it [`crate::replay`]'s.

mod folder;
mod time;
mod wiring;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use domain::{Programme, Timestamp};
use order_webhook::Sources;
use runtime::{Clients, Config, ConfigError};
use store::{Meter, Store, StoreError};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

use self::folder::Folder;
pub use self::folder::FolderError;
use crate::clock::{ClockError, LocalClock, Time};
use crate::digest::Digest;
use crate::dynamodb::{Durability, Engine, EngineError};
use crate::functions::{Functions, InvocationError};
use crate::gateway::Gateway;
use crate::inbox::{Inbox, Keeping};
use crate::schedule::Schedule;
use crate::sns::Sns;
use crate::state::State;
use crate::streams::{Pump, PumpError};
use crate::template::{DEPLOYED, LocalNames, Template, TemplateError};

/// After a change of the programme everyone is looked at again, over this long: as many hours as an account's
/// tables would take it quietly.
const NEW_PROGRAMME_REACHES_ALL_WITHIN: std::time::Duration = std::time::Duration::from_secs(3 * 3_600);
const PROGRAMME_REACHED: &str = "programme_reached";
/// The programme with which the stack was last started.
const STARTED_WITH: &str = "started_with";

/// How a stack is to be.
#[derive(Debug)]
pub struct Options {
    /// The folder of all data; made when it is not there.
    pub data: PathBuf,
    /// The rules, published when they differ from the newest version.
    pub programme: Programme,
    /// Who may send.
    pub sources: Sources,
    /// Which clock it runs by.
    pub time: Time,
    /// What a power cut may cost.
    pub durability: Durability,
    /// Whether messages are kept.
    pub keeping: Keeping,
}

/// What went wrong in the stack.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The folder of data.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The embedded DynamoDB.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The local state.
    #[error("the local state cannot be read or written: {0}")]
    State(#[from] rusqlite::Error),
    /// The clock.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// A stream.
    #[error(transparent)]
    Stream(#[from] PumpError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A function.
    #[error("{function}: {error}")]
    Invocation {
        /// Which.
        function: String,
        /// Why.
        error: InvocationError,
    },
    /// The clients.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It was told to stop before all was done; the next start goes on.
    #[error("the stack is stopping; what is left is done at the next start")]
    Stopping,
}

/// Everything that runs.
#[derive(Debug)]
pub struct Stack {
    engine: Engine,
    state: Arc<State>,
    clock: LocalClock,
    clients: Clients,
    store: Store,
    meter: Arc<Meter>,
    functions: Functions,
    gateway: Gateway,
    pumps: Vec<Arc<Pump>>,
    review_schedule: Schedule,
    sweep_schedule: Schedule,
    sns: Arc<Sns>,
    inbox: Arc<Inbox>,
    sources: Sources,
    sources_path: String,
    programme_version: u32,
    stop: watch::Sender<bool>,
    /// Time is moved by one at a time.
    moving: Mutex<()>,
    /// Holds the folder's lock; the last to go.
    _folder: Folder,
}

impl Stack {
    /// Builds a stack over its folder, and publishes the programme.
    pub async fn open(options: Options) -> Result<Self, StackError> {
        let template = Template::parse(DEPLOYED, &LocalNames::default())?;
        let folder = Folder::open(&options.data)?;
        let state = Arc::new(State::open(&folder.state())?);
        let clock = LocalClock::open(options.time, Arc::clone(&state))?;
        let engine = Engine::open(&folder.database(), options.durability, &template.tables)?;
        let inbox = Arc::new(Inbox::new(Arc::clone(&state), options.keeping));
        let sns = Arc::new(Sns::new(Arc::clone(&state), Arc::clone(&inbox), clock.clone()));
        let meter = Arc::new(Meter::new());
        let clients = wiring::clients(&template, &engine, &sns)?;
        let store = clients.store();
        let metered = store.clone().with_meter(Arc::clone(&meter));
        let functions = wiring::functions(&template, &clients, &metered, &options.sources, &clock)?;
        let stop = watch::Sender::new(false);
        let pumps = wiring::pumps(&template, &engine, &functions, &state, &clock, &stop)?;
        let review_schedule = wiring::review_schedule(&template)?;
        let sweep_schedule = wiring::sweep_schedule(&template)?;
        let sources_path = wiring::sources_path(&template)?;
        let gateway = Gateway::new(&template, functions.clone());
        let programme_version = publish(&store, &state, &options.programme, clock.now()).await?;
        Ok(Self {
            engine,
            state,
            clock,
            clients,
            store,
            meter,
            functions,
            gateway,
            pumps,
            review_schedule,
            sweep_schedule,
            sns,
            inbox,
            sources: options.sources,
            sources_path,
            programme_version,
            stop,
            moving: Mutex::new(()),
            _folder: folder,
        })
    }

    /// Invokes a function, by its id in the template, with an event in JSON.
    pub async fn invoke(&self, function: &str, event: String) -> Result<String, StackError> {
        let invoked = self.functions.invoke(function, event).await;
        invoked.map_err(|error| StackError::Invocation { function: function.to_owned(), error })
    }

    /// Delivers whatever the streams hold, until nothing new comes of it. Whoever waits is told when the stack stops
    /// before that.
    pub async fn drain(&self) -> Result<(), StackError> {
        loop {
            let mut read = 0;
            for pump in &self.pumps {
                read += pump.drain().await?;
            }
            if self.is_stopping() {
                return Err(StackError::Stopping);
            }
            if read == 0 {
                return Ok(());
            }
        }
    }

    /// What a stream does when it is not read for a day: whatever it still holds for a function is lost for good.
    pub async fn forget_records_of(&self, function: &str) -> Result<(), StackError> {
        for pump in self.pumps.iter().filter(|pump| pump.mapping().function == function) {
            pump.forget().await?;
        }
        Ok(())
    }

    /// Lets streams and schedules run by themselves, until [`Self::stop`].
    pub fn run(self: &Arc<Self>) -> JoinSet<()> {
        let mut tasks = self.run_streams();
        for schedule in [&self.review_schedule, &self.sweep_schedule] {
            let (stack, schedule) = (Arc::clone(self), schedule.clone());
            tasks.spawn(async move { stack.keep_schedule(&schedule).await });
        }
        tasks
    }

    /// Lets the streams run by themselves, until [`Self::stop`], beside whoever moves the time. [`Self::drain`]
    /// waits for them.
    pub fn run_streams(&self) -> JoinSet<()> {
        let run = |pump: &Arc<Pump>| {
            let pump = Arc::clone(pump);
            async move { pump.run().await }
        };
        self.pumps.iter().map(run).collect()
    }

    /// Asks everything to stop at the next record.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// The HTTP routes.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The functions' own clients.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The store, over the same client as the functions', but not on their meter.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the functions' calls to the store cost so far.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// When the review runs.
    pub fn schedule(&self) -> &Schedule {
        &self.review_schedule
    }

    /// The clock.
    pub fn clock(&self) -> &LocalClock {
        &self.clock
    }

    /// What was sent.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The local SNS.
    pub fn sns(&self) -> &Sns {
        &self.sns
    }

    /// The embedded DynamoDB.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What the local stack itself remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Who may send.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Where functions in containers look for the sources in Parameter Store.
    pub fn sources_path(&self) -> &str {
        &self.sources_path
    }

    /// The number of the programme's version in force.
    pub fn programme_version(&self) -> u32 {
        self.programme_version
    }
}

/// The clients of another process, over the port at which a local stack serves DynamoDB's own API.
pub fn clients_over(dynamodb_port: u16) -> Result<Clients, StackError> {
    let template = Template::parse(DEPLOYED, &LocalNames::default())?;
    let endpoint = format!("http://127.0.0.1:{dynamodb_port}");
    let config = Config { dynamodb_endpoint: Some(endpoint), ..wiring::config(&template)? };
    Ok(Clients::new(config, wiring::credentials())?)
}

/// Publishes the programme with which the stack is started, where it is another one than at the last start: what was
/// published since, by `laurel publish --local`, stays. A new version may bring dates forward, so everyone becomes due;
/// the state remembers for which version that was done, so that a crash in between leaves nobody out.
async fn publish(
    store: &Store,
    state: &State,
    programme: &Programme,
    now: Timestamp,
) -> Result<u32, StackError> {
    let digest = digest_of(programme)?;
    let newest = store.programmes().await?.map(|programmes| programmes.newest().number);
    let version = match newest {
        Some(newest) if state.setting(STARTED_WITH)? == Some(digest) => newest,
        _ => store.publish(programme, now).await?,
    };
    if state.setting(PROGRAMME_REACHED)? != Some(i64::from(version)) {
        if version > 1 {
            store.make_everyone_due(now, NEW_PROGRAMME_REACHES_ALL_WITHIN).await?;
        }
        state.set_setting(PROGRAMME_REACHED, i64::from(version))?;
    }
    state.set_setting(STARTED_WITH, digest)?;
    Ok(version)
}

/// A number by which a programme is known again: sixty bits of its digest.
fn digest_of(programme: &Programme) -> Result<i64, StackError> {
    let document = programme.to_json().map_err(|error| StoreError::Permanent(error.to_string()))?;
    let digest = Digest::of(document.as_bytes());
    let first = digest.as_str().get(..15).and_then(|digits| i64::from_str_radix(digits, 16).ok());
    Ok(first.unwrap_or_default())
}
