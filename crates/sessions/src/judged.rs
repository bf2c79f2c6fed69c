//! The judgement of a request for a session or a batch, before anything is made.

use livius_domain::{DriverProgram, SubmitOptions, Webhook};

use crate::action::Action;
use crate::core::Core;
use crate::error::SessionError;
use crate::policy::{Caller, Subject, admit};
use crate::registry::Live;
use crate::request;
use crate::webhooks;

/// A judged request.
#[derive(Debug)]
pub(crate) struct Judged {
    /// All that speaks against the request, in the order of the checks.
    pub refusals: Vec<SessionError>,
    /// The user to impersonate; `None` when impersonation is off.
    pub proxy_user: Option<String>,
    /// The webhook that the request names.
    pub webhook: Option<Webhook>,
}

impl Judged {
    /// Judges a request whose own content was checked. The webhook's key is taken out of `conf`.
    pub async fn of<E: Live>(
        core: &Core<E>,
        caller: &Caller,
        checked: Result<(), SessionError>,
        submit: &mut SubmitOptions,
        webhook: Option<&str>,
    ) -> Self {
        let config = &core.config;
        let mut judged = Self {
            refusals: Vec::new(),
            proxy_user: None,
            webhook: None,
        };
        judged.note(checked);
        let user = request::effective_user(config, caller, submit.proxy_user.as_deref());
        judged.proxy_user = judged.note(user).flatten();
        let subject = Subject {
            owner: caller.user.as_deref(),
            proxy_user: judged.proxy_user.as_deref(),
        };
        let unnamed = match core.drivers.program {
            DriverProgram::Agent => "a session",
            DriverProgram::Application => "a batch",
        };
        let name = submit.name.as_deref().unwrap_or(unnamed);
        let admitted = admit(&*config.policy, caller, Action::Create, subject, &name);
        judged.note(admitted);
        let hooks = config.webhooks.as_ref();
        let webhook = webhooks::of_request(hooks, &*core.store, webhook, &mut submit.conf).await;
        judged.webhook = judged.note(webhook).flatten();
        judged.note(core.launcher.check_room().map_err(SessionError::NoRoom));
        judged
    }

    /// Notes a refusal.
    pub fn note<T>(&mut self, checked: Result<T, SessionError>) -> Option<T> {
        checked.map_err(|error| self.refusals.push(error)).ok()
    }

    /// The request, if nothing speaks against it; otherwise the first refusal.
    pub fn granted(mut self) -> Result<Self, SessionError> {
        if self.refusals.is_empty() {
            return Ok(self);
        }
        Err(self.refusals.swap_remove(0))
    }
}
