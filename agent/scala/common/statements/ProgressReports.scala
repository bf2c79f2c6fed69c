package livius.agent

/** Tells the server the progress of the running statement's Spark jobs, and which interpreters are
  * up: a few times a second, when it has changed.
  */
final class ProgressReports(statements: Statements, interpreters: Interpreters, jobs: SparkJobs, events: SessionEvents) {

  private var told: Option[(Running, Double, Seq[StageProgress])] = None
  private var toldInterpreters: Seq[RunningInterpreter] = Nil

  def start(): Unit = Threads.daemon("progress") {
    while (true) {
      Thread.sleep(PeriodMs)
      try report() catch { case error: Exception => Log.line(s"cannot tell the progress: $error") }
    }
  }

  private def report(): Unit = {
    val current = for (running <- statements.running; progress <- running.work.progress) yield (running, progress, jobs.stages(running.work))
    if (current != told) {
      told = current
      current.foreach { case (running, progress, stages) => events.progress(running.statement.id, progress, stages) }
    }
    val up = interpreters.running
    if (up != toldInterpreters) {
      toldInterpreters = up
      events.interpreters(up)
    }
  }

  private val PeriodMs = 200L
}
