package livius.agent

import java.util.Base64
import java.util.concurrent.{ConcurrentHashMap, CountDownLatch, TimeUnit}
import java.util.concurrent.atomic.AtomicBoolean

/** A job to run, as the server sent it, and what has to be done before. */
final case class JobOrder(id: Int, language: String, payload: String, after: Gate)

/** Runs jobs, each on a thread of its own.
  *
  * @param most    the most bytes that a result may have
  * @param session is open when there is a SparkSession
  * @param closed  whether the driver ends
  */
final class Jobs(
    runners: Map[String, JobRunner], spark: SparkJobs, groups: JobGroups, events: SessionEvents, cancellation: Cancellation,
    most: Int, session: Gate, closed: () => Boolean) {

  import Jobs._

  private val ledger = new Ledger(MostKnown, events.isKept)
  private val active = new ConcurrentHashMap[Int, RunningJob]()

  /** Takes a job to run, unless it was taken before: commands may arrive twice. Does not wait for anything. */
  def submit(order: JobOrder): Unit = ledger.admit(order.id) match {
    case Ledger.New => take(order)
    case Ledger.InHand => ()
    case Ledger.Lost => refuse(order.id, "the driver has run this job, but its result was lost on the way to the server: submit it again")
  }

  private def take(order: JobOrder): Unit = runners.get(order.language) match {
    case None => refuse(order.id, s"there is no job of '${order.language}': use ${runners.keys.mkString(" or ")}")
    case _ if active.size >= MostAtOnce => refuse(order.id, s"$MostAtOnce jobs run in this session: wait for one to end")
    case Some(runner) => begin(new RunningJob(order, groups.job(order.id), runner, job => conclude(job, Cancelled)))
  }

  private def refuse(id: Int, why: String): Unit = ledger.conclude(id, events.jobRefused(id, why))

  /** Jobs whose end was not told yet. */
  def unfinished: Seq[Int] = ledger.unfinished

  /** Stops that job, also before it begins. */
  def cancel(id: Int): Unit = Option(active.get(id)).foreach(job => job.synchronized(cancellation.pursue(job)))

  private def begin(job: RunningJob): Unit = {
    active.put(job.order.id, job)
    try Threads.daemon(job.group.name)(perform(job)): Unit
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
    job.end()
    active.remove(job.order.id)
    // An interrupt that came late must not hit the sending of the result.
    Thread.interrupted(): Unit
  }

  private def outcome(job: RunningJob): Outcome = {
    job.order.after.awaitUnless(job.cancelled)
    session.awaitUnless(job.cancelled)
    if (job.cancelled) Cancelled
    else {
      events.jobStarted(job.order.id)
      run(job)
    }
  }

  private def run(job: RunningJob): Outcome = {
    spark.adopt(job.group)
    val result = job.runner.run(job.order.id, job.group.name, Base64.getDecoder.decode(job.order.payload))
    result match {
      case JobResult.Ok(Some(bytes)) if bytes.length > most => Failed(new ResultTooLong(most).getMessage)
      case JobResult.Ok(bytes) => Succeeded(bytes)
      case JobResult.Failed(why) if spark.contextIsStopped => Failed(s"${Statements.ContextStopped}\n$why")
      case JobResult.Failed(why) => Failed(why)
    }
  }

  /** Tells the outcome, of several the first one. What a stop of the driver makes of a job is none: the server knows why. */
  private def conclude(job: RunningJob, outcome: Outcome): Unit = if (job.settle() && !closed()) {
    val id = job.order.id
    val end = try tell(id, if (job.cancelled) Cancelled else outcome) catch {
      case error: Throwable => Attempt.insist("tell the end of a job")(events.jobRefused(id, StackTraces.text(error)))
    }
    ledger.conclude(id, end)
  }

  private def tell(id: Int, outcome: Outcome): Long = outcome match {
    case Succeeded(result) => events.jobSucceeded(id, result)
    case Failed(why) => events.jobFailed(id, why)
    case Cancelled => events.jobCancelled(id)
  }
}

private object Jobs {

  /** The server sends fewer at once. */
  private val MostAtOnce = 256
  private val MostKnown = 4096

  private sealed trait Outcome
  private final case class Succeeded(result: Option[Array[Byte]]) extends Outcome
  private final case class Failed(why: String) extends Outcome
  private case object Cancelled extends Outcome

  private object Failed {
    /** What went wrong around the job, not in it. */
    def apply(error: Throwable): Failed = Failed(StackTraces.text(error))
  }
}

/** A job that waits for its turn or runs.
  *
  * @param leave tells the server that it is over, although it is not
  */
private final class RunningJob(
    val order: JobOrder, override val group: JobGroup, val runner: JobRunner, leave: RunningJob => Unit) extends Stoppable {

  private val over = new CountDownLatch(1)
  private val settled = new AtomicBoolean(false)

  override val name = s"job ${order.id}"

  override def interrupt(): Unit = runner.cancel(order.id)

  // Nothing more to be said of it once it counts as over.
  override def kill(): Boolean = runner.kill(order.id) || settled.get

  def end(): Unit = over.countDown()

  override def ended(withinMs: Long): Boolean = over.await(withinMs, TimeUnit.MILLISECONDS)

  /** Whether its outcome is still to be told; true once only. */
  def settle(): Boolean = settled.compareAndSet(false, true)

  // Other jobs and statements go on beside it, so that nobody needs to wait for what nothing can stop.
  override def persists(elapsedMs: Long): Unit = if (elapsedMs >= RunningJob.PatienceMs && !settled.get) {
    Log.line(s"$name counts as cancelled, but its code goes on")
    leave(this)
  }
}

private object RunningJob {
  private val PatienceMs = 10000L
}
