//! A server in this process, with everything around it in the test's hands.

use std::sync::Arc;

use postern::{config::Config, context::App, ports::Ports};

use super::{
    carriers::Carriers,
    client::Target,
    mail_providers::TestMailer,
    ports::{TestAnalytics, TestCache, TestClock, TestFetch, TestLog, TestRandom},
    signatures::RingSignatures,
    sqlite::Sqlite,
    vars::Vars,
};

/// The world around a server. A clone shares it; [`Native::isolate`] is another isolate on the same world.
#[derive(Clone)]
pub struct Native {
    pub database: Sqlite,
    pub cache: TestCache,
    pub clock: TestClock,
    pub random: TestRandom,
    pub log: TestLog,
    pub analytics: TestAnalytics,
    pub carriers: Arc<Carriers>,
    pub app: App,
}

impl Native {
    pub fn new(vars: &Vars) -> Self {
        Self::with_database(vars, Sqlite::new())
    }

    pub fn with_database(vars: &Vars, database: Sqlite) -> Self {
        let (cache, clock, random) = (TestCache::default(), TestClock::new(), TestRandom::new(42));
        let (log, carriers) = (TestLog::default(), Arc::new(Carriers::default()));
        let analytics = TestAnalytics::default();
        let ports = Ports {
            database: Arc::new(database.clone()),
            cache: Arc::new(cache.clone()),
            fetch: Arc::new(TestFetch { carriers: Arc::clone(&carriers), clock: clock.clone() }),
            mailer: Arc::new(TestMailer { providers: Arc::clone(&carriers.mail), clock: clock.clone() }),
            clock: Arc::new(clock.clone()),
            random: Arc::new(random.clone()),
            signatures: Arc::new(RingSignatures::default()),
            log: Arc::new(log.clone()),
            analytics: Arc::new(analytics.clone()),
            after: Arc::default(),
        };
        let app = App { ports, config: Arc::new(Config::read(vars)), cache: Arc::default(), circuits: Arc::default() };
        Self { database, cache, clock, random, log, analytics, carriers, app }
    }

    /// Another isolate: the same database, clock, carriers and configuration, and a memory of its own.
    pub fn isolate(&self) -> Self {
        let app = App { cache: Arc::default(), circuits: Arc::default(), ..self.app.clone() };
        Self { app, ..self.clone() }
    }

    /// The same world under another configuration: a new deployment.
    pub fn redeploy(&self, vars: &Vars) -> Self {
        let app = App { config: Arc::new(Config::read(vars)), ..self.isolate().app };
        Self { app, ..self.clone() }
    }

    pub fn target(&self) -> Target {
        Target::Here(self.app.clone())
    }
}
