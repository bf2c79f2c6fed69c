package livius.agent

import org.apache.spark.livius.RunningContext
import org.apache.spark.sql.SparkSession

/** Notices that the SparkContext has stopped. If the user's code has made another one, the driver
  * goes on with that one. Otherwise the driver cannot serve any more.
  *
  * Code may stop the context in one statement and make the next one in another, so it gets some
  * time. A context that stops while no code runs was stopped from outside.
  *
  * @param busy    tells whether code of a session runs
  * @param adopted takes the next SparkSession
  * @param gone    tells that there is none; called once
  */
final class ContextWatch(
    spark: SharedSpark, jobs: SparkJobs, busy: () => Boolean, adopted: SparkSession => Unit, gone: String => Unit) {

  import ContextWatch._

  // Until when the code may make another context, in nanoseconds. The time begins when the statement
  // in which the context stopped has ended; later statements do not prolong it.
  private var deadline: Option[Long] = None
  private var isFinal = false
  private var isGone = false
  @volatile private var isClosed = false

  def isStopped: Boolean = spark.isStopped

  /** Begins to watch. */
  def start(): Unit = Threads.daemon("context") {
    while (true) {
      Thread.sleep(PeriodMs)
      try look() catch { case error: Exception => Log.line(s"cannot look after the SparkContext: $error") }
    }
  }

  /** Ends the watch, because the driver is about to stop the context itself. */
  def close(): Unit = isClosed = true

  /** Called when a statement's code has ended, before its end is told. */
  def afterStatement(): Unit = synchronized {
    if (spark.isStopped && !adopt()) {
      extend()
      isFinal = true
    }
  }

  private def look(): Unit = synchronized {
    jobs.watch()
    if (spark.isStopped && !isGone && !isClosed) {
      // Code that is making a context must not be disturbed.
      if (busy()) extend() else if (!adopt() && deadline.forall(_ <= System.nanoTime)) end()
    }
  }

  private def extend(): Unit = if (!isFinal) deadline = Some(System.nanoTime + GraceMs * 1000000)

  private def adopt(): Boolean = {
    // The session that the code has made is the default one. If it has made a context only, this
    // makes the session.
    val next = RunningContext.now.map(_ => SparkSession.builder().getOrCreate())
    next.foreach { session =>
      deadline = None
      isFinal = false
      Log.line(s"the session's code has made a new SparkContext, ${session.sparkContext.applicationId}")
      adopted(session)
    }
    next.nonEmpty
  }

  private def end(): Unit = {
    isGone = true
    val why = if (deadline.isEmpty) "the SparkContext was stopped while no code ran: by its cluster, or after too many failures"
    else s"the SparkContext was stopped while the session's code ran, and no new one was made within ${GraceMs / 1000} s"
    Log.line(why)
    gone(why)
  }
}

private object ContextWatch {
  private val PeriodMs = 200L
  private val GraceMs = 30000L
}
