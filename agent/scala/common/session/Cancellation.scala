package livius.agent

/** What can be stopped while it runs: a statement or a job. */
trait Stoppable {

  /** For the log. */
  def name: String

  def group: JobGroup

  /** Whether it is to stop. */
  @volatile var cancelled = false

  /** Asks it to stop. */
  def interrupt(): Unit

  /** Stops it by force. Answers false when there is no such means. */
  def kill(): Boolean

  /** Waits so long for its end and tells whether it has come. */
  def ended(withinMs: Long): Boolean

  /** It goes on, so long after the cancel. */
  def persists(elapsedMs: Long): Unit = ()
}

/** Stops what runs with growing force: its Spark jobs, then an interrupt, then by force.
  *
  * It goes on until the code has really stopped.
  */
final class Cancellation(settings: Settings, jobs: SparkJobs) {

  import Cancellation._

  /** Begins the pursuit, once for each. */
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

  // Threads of Spark's own may still submit jobs of a query whose main thread has given up.
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
  // An interrupt may be lost between two steps of an interpreter; more often would disturb the code's own clean-up.
  private val InterruptEveryMs = 1000L
  private val KillEveryMs = 3000L

  private val MopUpRounds = 50

  /** The output of code that was cancelled. */
  def stopped(traceback: Seq[String]): Result.Failed = Result.Failed("Cancelled", "the statement was cancelled", traceback)

  /** Something to do after some time and then again and again. */
  private final class Repeated(afterMs: Long, everyMs: Long) {
    private var next = afterMs

    def due(elapsedMs: Long): Boolean = {
      val yes = elapsedMs >= next
      if (yes) next = elapsedMs + everyMs
      yes
    }
  }
}
