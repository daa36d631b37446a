//! Start, reload, stop: what `backstopd run` does until it is told to end.
//!
//! [`SIGNALS`] are what it listens to.
//!
//! One thread does all: a decision takes some microseconds, and mail servers ask one thing at a time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal as Number};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::args::Source;
use crate::clock::Clock;
use crate::config::{Address, Config, Endpoint};
use crate::exchange::{self, End, LAST_WORDS};
use crate::faces::{self, Face, milter, policy_service, socketmap, tcp_table};
use crate::listen::{self, Duplex, Handed, Listener};
use crate::log::Log;
use crate::pool::{Crowd, Pool, Seat};
use crate::state::{Snapshot, State};
use crate::stop::{Exit, Stop};
use crate::unix::{self, Made};
use crate::{metrics, notify, ring};

/// The signals and what they do, for the manual.
pub const SIGNALS: [(&str, &str); 3] = [
    (
        "SIGHUP",
        "Configuration, ring, listeners and log file anew; if anything is wrong, all but the log file stays as it was, and the log says why",
    ),
    (
        "SIGUSR1",
        "The log file anew and nothing else, for logrotate: a configuration that was edited stays where it is. Commands that keep no log take no notice",
    ),
    (
        "SIGTERM, SIGINT",
        "No new connections; requests and mails under way are answered, for five seconds; a second one ends at once",
    ),
];

/// Holds SIGUSR1 back: logrotate sends it to every process of this program, and it would end one that has no log, or does not
/// listen to it yet. To be called before any thread is started.
pub fn hold_sigusr1() {
    // Where that fails it ends them, as it would have.
    let _ = SigSet::from(Number::SIGUSR1).thread_block();
}

/// Lets it come, to who listens to it.
pub(crate) fn let_sigusr1_come() {
    let _ = SigSet::from(Number::SIGUSR1).thread_unblock();
}

/// A snapshot and what is to be said about it.
#[derive(Debug)]
pub struct Loaded {
    /// What would be in force.
    pub snapshot: Snapshot,
    /// Sentences for the log.
    pub notices: Vec<String>,
}

/// Checks a configuration with all that it names; `state` is the folder of a ring of our own, `make` lets it be made.
///
/// # Errors
/// One sentence with what to do.
pub fn load(config: Config, state: &Path, clock: &Clock, make: bool) -> Result<Loaded, Stop> {
    if config.endpoints.iter().all(|it| it.face.is_none()) && config.filter.is_none() {
        return Err(Stop::config(
            "no face listens; add a table such as [socketmap] with listen = [\"inet:127.0.0.1:10028\"]",
        ));
    }
    let unmet = faces::unmet(&config);
    if !unmet.is_empty() {
        return Err(Stop::config(unmet.join("; ")));
    }
    let today = clock.now().map(|now| now.day);
    let ring::Loaded { ring, notices } = ring::load(&config, state, today, make)?;
    Ok(Loaded { snapshot: Snapshot { config, ring }, notices })
}

fn load_daemon(source: &Source, clock: &Clock) -> Result<Loaded, Stop> {
    let config = source.load()?;
    if config.endpoints.iter().all(|it| it.face.is_none()) && config.filter.is_some() {
        return Err(Stop::config(
            "only [filter] is configured, which OpenSMTPD starts by itself; see smtpd.conf(5), proc-exec",
        ));
    }
    load(config, &source.given.state, clock, true)
}

/// Runs until a signal ends it. `started` is called once, when everything listens.
///
/// # Errors
/// What kept it from starting.
pub async fn run(source: &Source, clock: Clock, handed: Handed, started: impl FnOnce()) -> Result<(), Stop> {
    let mut signals = Signals::new()?;
    let loaded = load_daemon(source, &clock)?;
    raise_descriptors();
    let log = Log::start(&loaded.snapshot.config.log, clock.clone())?;
    let state = Arc::new(State::new(loaded.snapshot, clock, log));
    let mut gates = Gates::new(Arc::clone(&state));
    let bound = gates.bind(&state.snapshot().config.endpoints, &handed)?;
    gates.commit(&state.snapshot().config.endpoints, bound);
    let unserved = handed.unserved(&state.snapshot().config.endpoints);
    loaded.notices.iter().chain(&unserved).for_each(|notice| state.log.notice(notice));
    let status = summary(&state.snapshot());
    state.log.notice(&format!("backstopd {} is ready: {status}", env!("CARGO_PKG_VERSION")));
    notify::ready(&status);
    started();
    loop {
        match signals.next().await {
            Told::Alive => notify::alive(),
            Told::Reload => {
                notify::reloading();
                match reload(source, &state, &mut gates, &handed) {
                    Ok(notices) => {
                        state.metrics.count_reload(true, state.clock.now());
                        notices.iter().for_each(|notice| state.log.notice(notice));
                        state.log.notice(&format!("reloaded: {}", summary(&state.snapshot())));
                    }
                    Err(stop) => {
                        state.metrics.count_reload(false, state.clock.now());
                        // logrotate has moved the file away, whatever is wrong with the rest.
                        state.log.reopen(&state.snapshot().config.log);
                        state.log.notice(&format!("the reload is refused, the old configuration runs on: {stop}"))
                    }
                }
                notify::ready(&summary(&state.snapshot()));
            }
            Told::Reopen => state.log.reopen(&state.snapshot().config.log),
            Told::Stop => break,
        }
    }
    notify::stopping();
    gates.close(&mut signals).await;
    state.log.notice("stopped");
    state.log.flush();
    Ok(())
}

/// Everything that can fail comes before anything is changed.
fn reload(source: &Source, state: &State, gates: &mut Gates, handed: &Handed) -> Result<Vec<String>, Stop> {
    let loaded = load_daemon(source, &state.clock)?;
    let log = Log::prepare(&loaded.snapshot.config.log)?;
    let bound = gates.bind(&loaded.snapshot.config.endpoints, handed)?;
    let endpoints = loaded.snapshot.config.endpoints.clone();
    state.swap(loaded.snapshot);
    state.log.turn(log);
    gates.commit(&endpoints, bound);
    Ok([loaded.notices, handed.unserved(&endpoints)].concat())
}

/// What runs, in a line.
fn summary(snapshot: &Snapshot) -> String {
    let all: Vec<String> =
        snapshot.config.endpoints.iter().map(|it| format!("{} at {}", it.table(), it.address)).collect();
    let ring = &snapshot.ring;
    format!("{}; ring {} with {} keys", all.join(", "), ring.fingerprint(), ring.keys().len())
}

/// Connections need descriptors; the default of 1024 is for programs that use select(2).
fn raise_descriptors() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // With fewer, connections wait instead.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// What the daemon is told from outside.
enum Told {
    Alive,
    Reload,
    Reopen,
    Stop,
}

struct Signals {
    hangup: Signal,
    user: Signal,
    terminate: Signal,
    interrupt: Signal,
    watchdog: Option<tokio::time::Interval>,
}

impl Signals {
    fn new() -> Result<Signals, Stop> {
        let listen =
            |kind| signal(kind).map_err(|error| Stop::new(Exit::Os, format!("signals cannot be received: {error}")));
        let watchdog = notify::watchdog().map(|period| {
            let mut ticks = interval(period.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        });
        let (hangup, user) = (listen(SignalKind::hangup())?, listen(SignalKind::user_defined1())?);
        let (terminate, interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        let_sigusr1_come();
        Ok(Signals { hangup, user, terminate, interrupt, watchdog })
    }

    async fn next(&mut self) -> Told {
        let Signals { hangup, user, terminate, interrupt, watchdog } = self;
        let tick = async {
            match watchdog {
                Some(ticks) => {
                    ticks.tick().await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => Told::Stop,
            _ = interrupt.recv() => Told::Stop,
            _ = hangup.recv() => Told::Reload,
            _ = user.recv() => Told::Reopen,
            () = tick => Told::Alive,
        }
    }
}

/// The listeners that are open.
pub(crate) struct Gates {
    state: Arc<State>,
    crowd: Crowd,
    open: Vec<Gate>,
}

struct Gate {
    endpoint: watch::Sender<Arc<Endpoint>>,
    made: Option<Made>,
    stop: watch::Sender<bool>,
    pool: Pool,
    accepting: Vec<JoinHandle<()>>,
}

impl Gate {
    /// The address at which whoever connects comes here.
    fn address(&self) -> Option<Address> {
        self.made.as_ref().is_none_or(Made::is_there).then(|| self.endpoint.borrow().address.clone())
    }

    fn is_at(&self, address: &Address) -> bool {
        self.address().is_some_and(|it| it == *address)
    }
}

impl Gates {
    /// None yet.
    pub(crate) fn new(state: Arc<State>) -> Gates {
        Gates { state, crowd: Crowd::default(), open: Vec::new() }
    }

    /// Binds what is new in a configuration; what listens already stays as it is.
    ///
    /// # Errors
    /// One sentence about the first that cannot be bound.
    pub(crate) fn bind(&self, endpoints: &[Endpoint], handed: &Handed) -> Result<Vec<(Endpoint, Vec<Listener>)>, Stop> {
        let (mut bound, mut kept): (Vec<(Endpoint, _)>, _) = (Vec::new(), Vec::new());
        for endpoint in endpoints {
            match self.open.iter().find(|gate| gate.is_at(&endpoint.address)) {
                // What nobody asked for is not undone: whoever starts the daemon may have given a socket to a group.
                Some(gate) if gate.endpoint.borrow().rights == endpoint.rights => {}
                Some(gate) => {
                    let old = gate.endpoint.borrow().rights.clone();
                    kept.extend(gate.made.as_ref().map(|made| (old, endpoint, made)));
                }
                None => {
                    let open = || self.open.iter().filter_map(Gate::address);
                    let own = || open().chain(bound.iter().map(|(it, _)| it.address.clone()));
                    let listeners = listen::bind(endpoint, handed, || own().find(|it| it.meets(&endpoint.address)))?;
                    bound.push((endpoint.clone(), listeners));
                }
            }
        }
        unix::give_rights(&kept)?;
        Ok(bound)
    }

    /// Opens what was bound and closes what the configuration no longer has.
    pub(crate) fn commit(&mut self, endpoints: &[Endpoint], bound: Vec<(Endpoint, Vec<Listener>)>) {
        self.open.retain(|gate| {
            let old = Arc::clone(&gate.endpoint.borrow());
            // One whose file was taken away makes room for its successor.
            let is_replaced = bound.iter().any(|(it, _)| it.address == old.address);
            let new = endpoints.iter().find(|it| it.address == old.address && !is_replaced);
            match new {
                Some(new) if *new != *old => drop(gate.endpoint.send(Arc::new(new.clone()))),
                Some(_) => {}
                None => {
                    gate.stop.send_replace(true);
                }
            }
            new.is_some()
        });
        for (endpoint, listeners) in bound {
            let made = listeners.iter().find_map(Listener::made).cloned();
            let (endpoint, told) = watch::channel(Arc::new(endpoint));
            let (stop, stopped) = watch::channel(false);
            let (pool, crowd) = (self.crowd.pool(), self.crowd.clone());
            let task = |listener| {
                let (state, told, stopped) = (Arc::clone(&self.state), told.clone(), stopped.clone());
                tokio::spawn(accept(state, listener, told, pool.clone(), crowd.clone(), stopped))
            };
            let accepting = listeners.into_iter().map(task).collect();
            self.open.push(Gate { endpoint, made, stop, pool, accepting });
        }
    }

    /// Ends all: requests that have begun get their answers, as long as nobody loses patience.
    async fn close(self, signals: &mut Signals) {
        for gate in &self.open {
            gate.stop.send_replace(true);
        }
        let deadline = Instant::now() + LAST_WORDS;
        let quiet = async {
            while Instant::now() < deadline && !self.open.iter().all(|gate| gate.pool.is_empty()) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let insisted = async { while !matches!(signals.next().await, Told::Stop) {} };
        tokio::select! {
            () = quiet => {}
            () = insisted => {}
        }
        for gate in self.open {
            gate.pool.abort_all();
            for accepting in gate.accepting {
                // It ends by itself as soon as it is told to stop; the socket's name goes with it.
                let _ = accepting.await;
            }
        }
    }
}

/// Accepts connections until told to stop.
async fn accept(
    state: Arc<State>,
    listener: Listener,
    endpoint: watch::Receiver<Arc<Endpoint>>,
    pool: Pool,
    crowd: Crowd,
    mut stop: watch::Receiver<bool>,
) {
    let stopped = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let address = &endpoint.borrow().address.clone();
        match accepted {
            Ok(stream) => {
                let most = state.snapshot().config.limits.connections;
                let (seat, evicted) = pool.seat(most);
                if evicted {
                    state.log.complaint(&format!(
                        "{address} has more than {most} connections; the idlest one was closed, see [limits] connections"
                    ));
                }
                let id = seat.id();
                let talking = tokio::spawn(talk(Arc::clone(&state), endpoint.clone(), stream, stopped.clone(), seat));
                pool.set_handle(id, talking.abort_handle());
            }
            Err(error) if listen::is_passing(&error) => {}
            Err(error) => {
                // Without a descriptor accept(2) fails also where nobody waits, and nobody has to go then.
                let rest = if listener.is_awaited() {
                    state.log.complaint(&format!("{address} cannot accept for the moment: {error}"));
                    // Frees a descriptor, if it is those that lack, as soon as that connection's task had its turn.
                    if crowd.evict() { listen::TURN } else { listen::PAUSE }
                } else {
                    listen::PAUSE
                };
                sleep(rest).await;
            }
        }
    }
}

/// Not what the peer sent: the face that it talks to is gone.
const MOVED: exchange::Broken = exchange::Broken("what was for another face");

/// Talks to one peer until the connection ends; the maps are those in force when it asks. Where its address has become that of
/// another face it ends before it answers, so that Postfix connects anew. One of the milter stays: Postfix ends it itself.
async fn talk(
    state: Arc<State>,
    endpoint: watch::Receiver<Arc<Endpoint>>,
    stream: Box<dyn Duplex>,
    stop: watch::Receiver<bool>,
    seat: Seat,
) {
    let limits = state.snapshot().config.limits;
    let face = endpoint.borrow().face;
    let end = match face {
        // It has a process of its own, and no endpoint leads here.
        Some(Face::Filter) => End::Closed,
        None => metrics::http::serve(&state, stream, limits, stop, &seat).await,
        Some(Face::Milter) => milter::serve(&state, stream, limits, stop, seat).await,
        Some(Face::Socketmap) => {
            let answer = |input: &[u8], output: &mut Vec<u8>| match &*endpoint.borrow() {
                now if now.face == face => socketmap::answer(&state, &now.maps, input, output),
                _ => Err(MOVED),
            };
            exchange::serve(stream, socketmap::MAX_FRAME, limits, stop, &seat, answer).await
        }
        Some(Face::TcpTable) => {
            let map = || Some(endpoint.borrow()).filter(|it| it.face == face).and_then(|it| it.maps.first().copied());
            let answer = |input: &[u8], output: &mut Vec<u8>| match map() {
                Some(map) => tcp_table::answer(&state, map, input, output),
                None => Err(MOVED),
            };
            exchange::serve(stream, tcp_table::MAX_LINE, limits, stop, &seat, answer).await
        }
        Some(Face::PolicyService) => {
            let mut session = policy_service::Session::default();
            let answer = |input: &[u8], output: &mut Vec<u8>| match endpoint.borrow().face {
                now if now == face => session.answer(&state, input, output),
                _ => Err(MOVED),
            };
            exchange::serve(stream, policy_service::MAX_REQUEST, limits, stop, &seat, answer).await
        }
    };
    let address = &endpoint.borrow().address;
    match end {
        End::Closed | End::Broken(MOVED) => {}
        End::Broken(what) => state.log.complaint(&format!("a peer at {address} sent {}; it was cut off", what.0)),
        End::Slow => state.log.complaint(&format!("a peer at {address} was too slow; it was cut off")),
        End::Failed(error) => state.log.complaint(&format!("a connection at {address} failed: {error}")),
    }
}
