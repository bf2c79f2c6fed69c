package livius.agent

import java.util.concurrent.{CountDownLatch, TimeUnit}

/** Work that can be stopped while it runs: a statement or a job. */
trait Stoppable {

  /** For the log. */
  def name: String

  /** The owner of its Spark jobs. */
  def work: Work

  private val over = new CountDownLatch(1)
  private val quiet = new CountDownLatch(1)

  /** True if it is to stop by force, without waiting any longer. */
  @volatile private[agent] var isForced = false

  /** True if it is to stop. */
  def cancelled: Boolean = work.isCancelled

  /** Asks it to stop. */
  def interrupt(): Unit

  /** Stops it by force. Returns false if that is not possible. */
  def kill(): Boolean

  /** Called while it still runs, some time after it was to stop by force. */
  def persists(): Unit = ()

  /** Its code has ended. */
  def end(): Unit = over.countDown()

  /** Waits at most that long for the end of its code. Returns whether it has ended. */
  def ended(withinMs: Long): Boolean = over.await(withinMs, TimeUnit.MILLISECONDS)

  /** Its Spark jobs have ended too. */
  private[agent] def markQuiet(): Unit = quiet.countDown()

  /** Waits for that, if it was cancelled. */
  def awaitQuiet(): Unit = if (cancelled) quiet.await()
}

/** Stops work with growing force: cancels its Spark jobs, then interrupts it, then kills it.
  *
  * It continues until the code has really stopped, with the Spark jobs of all its threads.
  */
final class Cancellation(settings: Settings, jobs: SparkJobs) {

  import Cancellation._

  /** Begins to stop this work, once.
    *
    * @param force stops it by force at once
    */
  def pursue(running: Stoppable, force: Boolean): Unit = {
    if (force) running.isForced = true
    if (!running.cancelled) {
      running.work.isCancelled = true
      try Threads.daemon(s"cancel-${running.work.group.name}")(stop(running)): Unit
      catch { case error: Throwable => running.markQuiet(); throw error }
    }
  }

  private def stop(running: Stoppable): Unit = {
    try chase(running) finally running.markQuiet()
    mopUp(running)
  }

  private def chase(running: Stoppable): Unit = {
    val clock = new Stopwatch
    val interrupt = new Repeated(settings.interruptAfterMs, InterruptEveryMs)
    val kill = new Repeated(settings.killAfterMs, KillEveryMs)
    var killedAt: Option[Long] = None
    attempt("cancel the jobs")(jobs.cancelGroup(running.work))
    do {
      val elapsedMs = clock.elapsedMs
      attempt("cancel the jobs")(jobs.cancel(running.work))
      if (interrupt.due(elapsedMs)) attempt("interrupt")(running.interrupt())
      if (kill.due(elapsedMs, atOnce = running.isForced)) {
        killedAt = killedAt.orElse(Some(elapsedMs))
        attempt("kill")(forced(running))
      }
      if (killedAt.exists(elapsedMs - _ >= PatienceMs)) attempt("give up")(running.persists())
    } while (!running.ended(withinMs = RoundMs))
    attempt("cancel the jobs")(quieten(running))
  }

  /** Waits until no Spark job of the work is left. Threads that the code has started may submit
    * further ones, so it must be quiet for a moment, and longer where such a thread was seen: a
    * Spark job of it could otherwise begin during the next statement, and count as its own.
    */
  private def quieten(running: Stoppable): Unit = {
    val clock = new Stopwatch
    var quietRounds = 0
    while (quietRounds < QuietRounds && clock.elapsedMs < MostQuietenMs) {
      jobs.cancel(running.work)
      Thread.sleep(RoundMs)
      quietRounds = if (jobs.hasAny(running.work) || hasLateJob(running.work)) 0 else quietRounds + 1
    }
    if (quietRounds < QuietRounds) Log.line(s"${running.name} has ended, but Spark jobs that it started do not stop")
  }

  private def hasLateJob(work: Work): Boolean = work.lateJobAt.exists(System.nanoTime - _ < LateJobMs * 1000000)

  // Tasks that cancelled jobs have left may go on, and threads of the code may submit further jobs.
  private def mopUp(running: Stoppable): Unit = {
    var rounds = 0
    while (rounds < MopUpRounds || (rounds < MostMopUpRounds && jobs.hasLeft(running.work))) {
      Thread.sleep(RoundMs)
      attempt("cancel the jobs")(jobs.cancel(running.work))
      rounds += 1
    }
    if (jobs.hasLeft(running.work)) Log.line(s"${running.name} has left tasks that do not stop")
    jobs.forget(running.work)
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
  /** How long code may run on after it was first to stop by force. */
  private val PatienceMs = 10000L

  private val QuietRounds = 3
  /** How long a thread that submits Spark jobs after the cancel is expected to submit a further one. */
  private val LateJobMs = 1500L
  private val MostQuietenMs = 10000L
  private val MopUpRounds = 50
  // A task of Python ends when its worker is killed, some seconds after the task.
  private val MostMopUpRounds = 600

  /** The output of code that was cancelled. */
  def stopped(traceback: Seq[String]): Result.Failed = Result.Failed("Cancelled", "the statement was cancelled", traceback)

  private final class Stopwatch {
    private val began = System.nanoTime

    def elapsedMs: Long = (System.nanoTime - began) / 1000000
  }

  /** An action that is due after some time, and then at intervals. */
  private final class Repeated(afterMs: Long, everyMs: Long) {
    private var next = afterMs
    private var waits = true

    /** @param atOnce true if the first time has come already */
    def due(elapsedMs: Long, atOnce: Boolean = false): Boolean = {
      val yes = elapsedMs >= next || (atOnce && waits)
      if (yes) {
        next = elapsedMs + everyMs
        waits = false
      }
      yes
    }
  }
}
