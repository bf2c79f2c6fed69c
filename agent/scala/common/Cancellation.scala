package livius.agent

/** Stops a running statement with growing force: its Spark jobs, then an interrupt, then by force.
  *
  * It goes on until the code has really stopped: only then `finished` tells the server so.
  */
final class Cancellation(settings: Settings, jobs: SparkJobs) {

  import Cancellation._

  /** Begins the pursuit, once for each statement. */
  def pursue(running: Running): Unit = if (!running.cancelled) {
    running.cancelled = true
    Threads.daemon(s"cancel-${running.statement.id}")(chase(running))
  }

  private def chase(running: Running): Unit = {
    val began = System.nanoTime
    val interrupt = new Repeated(settings.interruptAfterMs, InterruptEveryMs)
    val kill = new Repeated(settings.killAfterMs, KillEveryMs)
    attempt("cancel the jobs")(jobs.cancel(running.statement.id))
    do {
      val elapsedMs = (System.nanoTime - began) / 1000000
      attempt("cancel the jobs")(jobs.cancelIfAny(running.statement.id))
      running.interpreter match {
        case Some(interpreter) =>
          if (interrupt.due(elapsedMs)) attempt("interrupt")(interpreter.interrupt())
          if (kill.due(elapsedMs)) attempt("kill")(forced(running, interpreter))
        // A start can be ended by force alone; most are over before that is due.
        case None => if (kill.due(elapsedMs)) attempt("end the start")(running.starting.foreach(_.abortStart()))
      }
    } while (!running.ended(withinMs = RoundMs))
    mopUp(running)
  }

  // Threads of Spark's own may still submit jobs of a query whose main thread has given up.
  private def mopUp(running: Running): Unit = for (_ <- 1 to MopUpRounds) {
    Thread.sleep(RoundMs)
    attempt("cancel the jobs")(jobs.cancelIfAny(running.statement.id))
  }

  private def forced(running: Running, interpreter: Interpreter): Unit =
    if (!interpreter.kill()) Log.line(s"statement ${running.statement.id} does not stop yet, and there is no means to force it")

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
