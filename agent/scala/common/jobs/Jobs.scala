package livius.agent

import java.util.Base64
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean

/** A job to run, and the gate that must open before it. */
final case class JobOrder(id: Int, language: String, payload: String, after: Gate)

/** Runs jobs, each on its own thread.
  *
  * @param most    the most bytes that a result may have
  * @param session the SparkSession, which jobs wait for
  * @param closed  whether the driver ends
  */
final class Jobs(
    runners: Map[String, JobRunner], spark: SparkJobs, groups: JobGroups, events: SessionEvents, cancellation: Cancellation,
    most: Int, session: SharedSpark, closed: () => Boolean) {

  import Jobs._

  private val ledger = new Ledger(MostKnown, events.isKept)
  private val active = new ConcurrentHashMap[Int, RunningJob]()

  /** Starts a job unless it is known: commands may arrive twice. Does not wait. */
  def submit(order: JobOrder): Unit = ledger.admit(order.id) match {
    case Ledger.New => take(order)
    case Ledger.InHand => ()
    case Ledger.Lost => refuse(order.id, Lost)
  }

  private def take(order: JobOrder): Unit = runners.get(order.language) match {
    case None => refuse(order.id, s"there is no job of '${order.language}': use ${runners.keys.mkString(" or ")}")
    case _ if active.size >= MostAtOnce => refuse(order.id, s"$MostAtOnce jobs run in this session: wait for one to end")
    case Some(runner) =>
      val work = new Work(groups.job(order.id), isStatement = false)
      begin(new RunningJob(order, work, runner, job => conclude(job, RunsOn)))
  }

  private def refuse(id: Int, why: String): Unit = ledger.conclude(id, events.jobRefused(id, why))

  /** Jobs whose end has not been told. */
  def unfinished: Seq[Int] = ledger.unfinished

  /** Tells whether jobs run. */
  def isBusy: Boolean = !active.isEmpty

  /** Stops that job, also before it begins. */
  def cancel(id: Int, force: Boolean): Unit =
    Option(active.get(id)).foreach(job => job.synchronized {
      if (!job.ended(withinMs = 0)) cancellation.pursue(job, force)
    })

  private def begin(job: RunningJob): Unit = {
    active.put(job.order.id, job)
    try Threads.daemon(job.work.group.name)(StandardOut.elsewhere(perform(job))): Unit
    catch {
      case error: Throwable =>
        active.remove(job.order.id)
        refuse(job.order.id, s"there is no thread for it: $error")
    }
  }

  private def perform(job: RunningJob): Unit =
    try conclude(job, try outcome(job) finally end(job))
    catch { case error: Throwable => conclude(job, Failed(error)) }

  private def end(job: RunningJob): Unit = {
    job.synchronized {
      job.end()
      if (!job.cancelled) active.remove(job.order.id)
    }
    // A late interrupt must not disturb the sending of the result.
    Thread.interrupted()
    Attempt(job.awaitQuiet())
    Attempt(spark.end(job.work))
    active.remove(job.order.id)
    Thread.interrupted(): Unit
  }

  private def outcome(job: RunningJob): Outcome = {
    job.order.after.awaitUnless(job.cancelled)
    session.isThere.awaitUnless(job.cancelled)
    if (job.cancelled) Cancelled
    else {
      events.jobStarted(job.order.id)
      run(job)
    }
  }

  private def run(job: RunningJob): Outcome = {
    spark.begin(job.work)
    spark.enter(job.work)
    val result = job.runner.run(job.order.id, job.work.group.name, Base64.getDecoder.decode(job.order.payload))
    result match {
      case JobResult.Ok(Some(bytes)) if bytes.length > most => Failed(new ResultTooLong(most).getMessage)
      case JobResult.Ok(bytes) => Succeeded(bytes)
      case JobResult.Failed(why) if session.isStopped => Failed(s"${Statements.ContextStopped}\n$why")
      case JobResult.Failed(why) => Failed(why)
    }
  }

  /** Tells the first outcome only. When the driver stops, the job's outcome is not its own: the
    * server knows the reason.
    */
  private def conclude(job: RunningJob, outcome: Outcome): Unit = if (job.settle() && !closed()) {
    val id = job.order.id
    val end = try tell(id, if (job.cancelled && outcome != RunsOn) Cancelled else outcome) catch {
      case error: Throwable => Attempt.insist("tell the end of a job")(events.jobRefused(id, StackTraces.text(error)))
    }
    ledger.conclude(id, end)
  }

  private def tell(id: Int, outcome: Outcome): Long = outcome match {
    case Succeeded(result) => events.jobSucceeded(id, result)
    case Failed(why) => events.jobFailed(id, why)
    case Cancelled => events.jobCancelled(id)
    case RunsOn => events.jobFailed(id, NotStopped)
  }
}

private object Jobs {

  /** The server sends fewer at once. */
  private val MostAtOnce = 256
  private val MostKnown = 4096

  private val Lost = "the driver has run this job, but its result was lost on the way to the server: submit it again"

  private sealed trait Outcome
  private final case class Succeeded(result: Option[Array[Byte]]) extends Outcome
  private final case class Failed(why: String) extends Outcome
  private case object Cancelled extends Outcome
  /** It was to stop, and its code does not. */
  private case object RunsOn extends Outcome

  private val NotStopped =
    "the job was cancelled and could not be stopped: its code catches the interrupt, or waits in a native call, and runs on"

  private object Failed {
    /** A failure of the agent around the job, not of the job's code. */
    def apply(error: Throwable): Failed = Failed(StackTraces.text(error))
  }
}

/** A job that waits for its turn or runs.
  *
  * @param leave tells the server that the job cannot be stopped
  */
private final class RunningJob(
    val order: JobOrder, override val work: Work, val runner: JobRunner, leave: RunningJob => Unit) extends Stoppable {

  private val settled = new AtomicBoolean(false)

  override val name = s"job ${order.id}"

  override def interrupt(): Unit = runner.cancel(order.id)

  // Once it counts as over there is nothing left to report.
  override def kill(): Boolean = runner.kill(order.id) || settled.get

  /** Tells whether its outcome is still to be told; true once only. */
  def settle(): Boolean = settled.compareAndSet(false, true)

  // Other jobs and statements run at the same time, so no work has to wait for code that cannot be
  // stopped.
  override def persists(): Unit = if (!settled.get) {
    Log.line(s"$name counts as failed, because it cannot be stopped")
    leave(this)
  }
}
