package livius.agent

/** Tells the server the progress of the running statement's Spark jobs: a few times a second, when
  * it has grown.
  */
final class ProgressReports(statements: Statements, jobs: SparkJobs, events: SessionEvents) {

  private var statement: Option[Running] = None
  private var told = 0.0

  def start(): Unit = Threads.daemon("progress") {
    while (true) {
      Thread.sleep(PeriodMs)
      try report() catch { case error: Exception => Log.line(s"cannot tell the progress: $error") }
    }
  }

  private def report(): Unit = {
    val running = statements.running
    if (running != statement) {
      statement = running
      told = 0.0
    }
    for (current <- running; progress <- jobs.progress(current.group) if progress > told) {
      told = progress
      events.progress(current.statement.id, progress)
    }
  }

  private val PeriodMs = 200L
}
