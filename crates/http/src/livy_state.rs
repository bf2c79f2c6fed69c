//! Livy's state of a session as the application shows it.

use livius_sessions::SessionView;
use livius_wire::livy::SessionState;

/// Livy's state of a session.
pub fn livy_state(view: &SessionView) -> SessionState {
    SessionState::of(&view.record.state, view.busy, view.recovering)
}
