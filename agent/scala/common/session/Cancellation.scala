package livius.agent

/** Work that can be stopped while it runs: a statement or a job. */
trait Stoppable {

  /** For the log. */
  def name: String

  def group: JobGroup

  /** True if it is to stop. */
  @volatile var cancelled = false

  /** Asks it to stop. */
  def interrupt(): Unit

  /** Stops it by force. Returns false if that is not possible. */
  def kill(): Boolean

  /** Waits at most that long for its end. Returns whether it has ended. */
  def ended(withinMs: Long): Boolean

  /** Called while it still runs, that long after the cancel. */
  def persists(elapsedMs: Long): Unit = ()
}

/** Stops work with growing force: cancels its Spark jobs, then interrupts it, then kills it.
  *
  * It continues until the code has really stopped.
  */
final class Cancellation(settings: Settings, jobs: SparkJobs) {

  import Cancellation._

  /** Begins to stop this work, once. */
  def pursue(running: Stoppable): Unit = if (!running.cancelled) {
    running.cancelled = true
    Threads.daemon(s"cancel-${running.group.name}")(chase(running))
  }

  private def chase(running: Stoppable): Unit = {
    val began = System.nanoTime
    val interrupt = new Repeated(settings.interruptAfterMs, InterruptEveryMs)
    val kill = new Repeated(settings.killAfterMs, KillEveryMs)
    attempt("cancel the jobs")(jobs.cancel(running.group))
    do {
      val elapsedMs = (System.nanoTime - began) / 1000000
      attempt("cancel the jobs")(jobs.cancelIfAny(running.group))
      if (interrupt.due(elapsedMs)) attempt("interrupt")(running.interrupt())
      if (kill.due(elapsedMs)) attempt("kill")(forced(running))
      attempt("give up")(running.persists(elapsedMs))
    } while (!running.ended(withinMs = RoundMs))
    mopUp(running)
  }

  // Spark's own threads may still submit jobs of a query after its main thread has stopped.
  private def mopUp(running: Stoppable): Unit = for (_ <- 1 to MopUpRounds) {
    Thread.sleep(RoundMs)
    attempt("cancel the jobs")(jobs.cancelIfAny(running.group))
  }

  private def forced(running: Stoppable): Unit =
    if (!running.kill()) Log.line(s"${running.name} does not stop yet, and there is no means to force it")

  private def attempt(what: String)(action: => Unit): Unit =
    try action catch { case error: Exception => Log.line(s"cannot $what", error) }
}

object Cancellation {

  private val RoundMs = 100L
  // An interrupt may be lost between two steps of an interpreter. A shorter interval would disturb
  // the code's own clean-up.
  private val InterruptEveryMs = 1000L
  private val KillEveryMs = 3000L

  private val MopUpRounds = 50

  /** The output of code that was cancelled. */
  def stopped(traceback: Seq[String]): Result.Failed = Result.Failed("Cancelled", "the statement was cancelled", traceback)

  /** An action that is due after some time, and then at intervals. */
  private final class Repeated(afterMs: Long, everyMs: Long) {
    private var next = afterMs

    def due(elapsedMs: Long): Boolean = {
      val yes = elapsedMs >= next
      if (yes) next = elapsedMs + everyMs
      yes
    }
  }
}
