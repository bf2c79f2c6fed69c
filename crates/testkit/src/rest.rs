//! The rest: the level at which a test can say that something has not happened.

use std::time::{Duration, Instant};

use crate::world::{Answer, World};

/// The time that a world may take to come to rest, in real time.
const DEADLINE: Duration = Duration::from_secs(10);

const MOMENT: Duration = Duration::from_millis(1);

impl World {
    /// Waits until the world rests: no task can run, the store works on no call, and no thread
    /// works on a file. Only a test or a timer can make anything happen then. Held launches and
    /// held calls of the store rest.
    ///
    /// It needs tokio's runtime of one thread, with its clock running. The clock moves on by a few
    /// milliseconds. Sockets are not waited for.
    pub async fn quiesced(&self) {
        let deadline = Instant::now() + DEADLINE;
        while !self.rests().await {
            assert!(
                Instant::now() < deadline,
                "the world does not rest within {DEADLINE:?}"
            );
            // The store has threads of its own. Only real time helps them.
            tokio::time::sleep(MOMENT).await;
        }
    }

    /// The answer to a request, if it comes before the world rests. Otherwise the client hangs up.
    pub async fn answered(&self, request: impl Future<Output = Answer>) -> Option<Answer> {
        tokio::select! {
            biased;
            answer = request => Some(answer),
            () = self.quiesced() => None,
        }
    }

    async fn rests(&self) -> bool {
        let Some(before) = self.disk().calls_at_rest() else {
            return false;
        };
        runtime_idle().await;
        self.disk().calls_at_rest() == Some(before)
    }
}

/// Advances the timers by this much.
pub async fn pass(time: Duration) {
    let _paused = Paused::begin();
    tokio::time::advance(time).await;
}

/// Waits until no task can run and no blocking work is under way: tokio moves a paused clock only
/// then.
async fn runtime_idle() {
    let _paused = Paused::begin();
    tokio::time::sleep(MOMENT).await;
}

/// The clock is paused as long as this lives, even when a test gives up waiting.
struct Paused;

impl Paused {
    fn begin() -> Self {
        tokio::time::pause();
        Self
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        tokio::time::resume();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use livius_domain::SessionId;

    use super::*;

    #[tokio::test]
    async fn a_world_at_rest_has_done_all_that_a_request_began() {
        let world = World::new().await;
        world.post("/sessions", "{}").await;
        world.quiesced().await;
        let (_, process) = world.launcher().driver_of(SessionId(0)).unwrap();
        process.exit(livius_domain::Exit::Code(1));
        world.quiesced().await;
        let shown = world.get("/sessions/0/state").await;
        assert_eq!(shown.text, r#"{"id":0,"state":"dead"}"#);
    }

    #[tokio::test]
    async fn a_held_call_and_a_held_launch_rest() {
        let world = World::new().await;
        world.launcher().hold(true);
        world.post("/sessions", "{}").await;
        world.disk().hold("create_session");
        let answer = world.answered(world.post("/sessions", "{}")).await;
        assert!(answer.is_none());
        world.disk().release("create_session");
        world.launcher().hold(false);
        world.quiesced().await;
        assert!(world.launcher().driver_of(SessionId(0)).is_some());
    }

    #[tokio::test]
    async fn work_on_another_thread_keeps_the_world_from_its_rest() {
        let world = World::new().await;
        let done = Cell::new(false);
        let work = async {
            let nap = || std::thread::sleep(Duration::from_millis(30));
            tokio::task::spawn_blocking(nap).await.unwrap();
            tokio::task::yield_now().await;
            done.set(true);
        };
        let rest = async {
            world.quiesced().await;
            assert!(done.get());
        };
        tokio::join!(work, rest);
    }

    #[tokio::test]
    async fn a_timer_that_is_not_due_does_not_keep_the_world_from_its_rest() {
        let world = World::new().await;
        let due = tokio::time::sleep(Duration::from_mins(1));
        tokio::select! {
            () = due => panic!("the clock has jumped"),
            () = world.quiesced() => {}
        }
    }
}
