//! The rights of callers. Only [`admit`] asks the policy, for sessions and batches.

use std::fmt;

use livius_store::Visible;

use crate::action::Action;
use crate::error::SessionError;

/// The caller of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The authenticated user; `None` without authentication.
    pub user: Option<String>,
    /// The user of the `doAs` query parameter.
    pub do_as: Option<String>,
}

/// A session or a batch, as far as a policy needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The authenticated user that created it, or is about to.
    pub owner: Option<&'a str>,
    /// The user that it runs as.
    pub proxy_user: Option<&'a str>,
}

/// The rules of one server.
pub trait Policy: fmt::Debug + Send + Sync {
    /// Tells whether the caller may do this.
    fn allows(&self, caller: &Caller, action: Action, subject: Subject<'_>) -> bool;

    /// The owners whose sessions and batches the caller finds in lists. It must agree with
    /// [`Policy::allows`]: a list shows nothing that the caller may not read.
    fn visible<'a>(&self, caller: &'a Caller) -> Visible<'a>;

    /// Tells whether the caller is in a group. A policy that knows no groups says no.
    fn is_member(&self, _caller: &Caller, _group: &str) -> bool {
        false
    }
}

/// Every caller may do everything: right where only one person, or only people who trust each
/// other, reach the server.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Policy for AllowAll {
    fn allows(&self, _: &Caller, _: Action, _: Subject<'_>) -> bool {
        true
    }

    fn visible<'a>(&self, _: &'a Caller) -> Visible<'a> {
        Visible::All
    }
}

/// Admits a caller, or refuses. For a caller who may not read it, a session or batch does not
/// exist: the refusal does not reveal it. `name` is the caller's name for it.
pub(crate) fn admit(
    policy: &dyn Policy,
    caller: &Caller,
    action: Action,
    subject: Subject<'_>,
    name: &dyn fmt::Display,
) -> Result<(), SessionError> {
    if action != Action::Create && !policy.allows(caller, Action::Read, subject) {
        return Err(SessionError::NotFound(name.to_string()));
    }
    if action == Action::Read || policy.allows(caller, action, subject) {
        return Ok(());
    }
    Err(SessionError::Forbidden {
        user: caller.user.clone(),
        action,
        name: name.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets everyone read but "mallory", and owners do the rest.
    #[derive(Debug)]
    struct Owners;

    impl Policy for Owners {
        fn allows(&self, caller: &Caller, action: Action, subject: Subject<'_>) -> bool {
            match action {
                Action::Create => caller.user.is_some(),
                Action::Read => caller.user.as_deref() != Some("mallory"),
                Action::Change => caller.user.as_deref() == subject.owner,
            }
        }

        fn visible<'a>(&self, _: &'a Caller) -> Visible<'a> {
            Visible::All
        }
    }

    fn answer(user: Option<&str>, action: Action) -> String {
        let caller = Caller {
            user: user.map(str::to_owned),
            do_as: None,
        };
        let subject = Subject {
            owner: Some("alice"),
            proxy_user: None,
        };
        match admit(&Owners, &caller, action, subject, &"7") {
            Ok(()) => "yes".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn who_may_not_read_is_told_of_absence_and_who_may_not_change_of_that() {
        assert_eq!(answer(Some("alice"), Action::Change), "yes");
        assert_eq!(answer(Some("bob"), Action::Read), "yes");
        let refused = "User 'bob' is not allowed to change 7";
        assert_eq!(answer(Some("bob"), Action::Change), refused);
        for action in [Action::Read, Action::Change] {
            let absent = SessionError::NotFound("7".to_owned()).to_string();
            assert_eq!(answer(Some("mallory"), action), absent);
        }
        assert!(answer(None, Action::Create).contains("not allowed"));
    }
}
